"""VLAD: how descriptors differ from the visual word that each is nearest to."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.descriptors import check_descriptors

__all__ = ["learn_centroids", "vlad"]

STEPS = 25
"""Of k-means."""


def vlad(
    descriptors: NDArray[np.floating],
    centroids: NDArray[np.floating],
    *,
    intra_normalise: bool = False,
) -> NDArray[np.float32]:
    """Aggregate any number of local descriptors into one vector.

    Jegou, Douze, Schmid, Perez: Aggregating Local Descriptors into a Compact Image
    Representation, CVPR 2010, eq. 1: ``v_k = sum of (x - c_k) over the x nearest to c_k``. It is
    meant to be power-normalised (Jegou et al., PAMI 2012). Intra-normalisation (Arandjelovic,
    Zisserman: All About VLAD, CVPR 2013, section 3.1) L2-normalises each v_k by itself, so that
    no word outweighs the rest because its pattern is repeated.

    Args:
        descriptors: (N, d) float, N >= 0.
        centroids: (K, d) float, K >= 1. A descriptor equally near to several belongs to the
            first.
        intra_normalise: Whether to normalise each v_k; one of zeros stays.

    Returns:
        (K d,) float32: v_1, then v_2, ...; zeros if there is no descriptor.

    Raises:
        ValueError: If the descriptors are of another length, there is no centroid, or a value
            is not finite.
    """
    words = check_descriptors(centroids)
    if not len(words):
        raise ValueError("centroids must be at least 1, got none")
    values = check_descriptors(descriptors, words.shape[1])
    # From the middle of the words, so that little cancels where all lie far from 0.
    middle = words.mean(axis=0)
    words -= middle
    values -= middle
    nearest = ((words**2).sum(axis=1) - 2 * values @ words.T).argmin(axis=1)
    member = np.zeros((len(words), len(values)))
    member[nearest, np.arange(len(values))] = 1
    residuals = member @ values - member.sum(axis=1, keepdims=True) * words
    if intra_normalise:
        length = np.linalg.norm(residuals, axis=1, keepdims=True)
        residuals = np.divide(residuals, length, out=np.zeros_like(residuals), where=length > 0)
    result: NDArray[np.float32] = residuals.ravel().astype(np.float32)
    return result


def learn_centroids(
    descriptors: NDArray[np.floating], components: int, *, seed: int
) -> NDArray[np.float32]:
    """Find visual words by k-means.

    Args:
        descriptors: (N, d) float, N >= `components`.
        components: The number K, at least 1.
        seed: Of the first centroids.

    Returns:
        (K, d) float32.

    Raises:
        ValueError: If there are fewer descriptors than components, or they are not finite.
    """
    import faiss

    values = check_descriptors(descriptors)
    if not 1 <= components <= len(values):
        raise ValueError(
            f"components must be in [1, {len(values)}], the number of descriptors, got {components}"
        )
    middle = values.mean(axis=0)
    clustering = faiss.Kmeans(
        values.shape[1],
        components,
        niter=STEPS,
        seed=seed,
        min_points_per_centroid=1,
        max_points_per_centroid=len(values),
    )
    clustering.train((values - middle).astype(np.float32))
    centroids: NDArray[np.float64] = clustering.centroids + middle
    return centroids.astype(np.float32)
