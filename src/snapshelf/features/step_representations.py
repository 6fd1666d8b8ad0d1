"""What AsymNet's LSTM is compared with: a trajectory's steps as one vector.

Cheng, Wu, Liu, Hua: Video2Shop, Section 6.2. The similarity of such a vector and a picture's "is
then estimated by single similarity network", which for one step is a `MetricNetwork`.
"""

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.codebook import Codebook
from snapshelf.features.classical.fisher_codebook import FisherCodebook
from snapshelf.features.classical.vlad_codebook import VladCodebook

__all__ = [
    "COMPONENTS",
    "STEP_POOLINGS",
    "average_steps",
    "encode_steps",
    "largest_steps",
    "learn_step_codebook",
]

Kind = Literal["fisher", "vlad"]

KINDS: tuple[str, ...] = get_args(Kind)

COMPONENTS = 256
"""Of the mixture of Fisher vectors, and centres of VLAD, in the paper."""


def average_steps(steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the mean of the steps' features.

    Args:
        steps: (..., T, D) float32, T >= 1.

    Returns:
        (..., D) float32.
    """
    mean: NDArray[np.float32] = steps.mean(-2, dtype=np.float64).astype(np.float32)
    return mean


def largest_steps(steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the largest of each feature over the steps.

    Args:
        steps: (..., T, D) float32, T >= 1.

    Returns:
        (..., D) float32.
    """
    largest: NDArray[np.float32] = steps.max(-2)
    return largest


STEP_POOLINGS: Mapping[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "average": average_steps,
    "max": largest_steps,
}


def learn_step_codebook(
    kind: Kind,
    regions: NDArray[np.float32],
    *,
    dimension: int,
    components: int = COMPONENTS,
    seed: int = 0,
) -> Codebook:
    """Learn what Fisher vectors or VLAD are made of.

    "The PCA projections, GMM components of Fisher vectors, and K-means centers of VLAD are learned
    from approximately 18,000 sampled clothing regions".

    Args:
        kind: ``fisher`` or ``vlad``.
        regions: (N, D) float32, features of regions of the training set, N >= `components`.
        dimension: Of the PCA, in [1, D]; the paper does not print it.
        components: Of the mixture, or centres.
        seed: The same seed and regions give the same codebook.

    Raises:
        ValueError: If there are too few regions or a number is out of range.
        ModelError: If scikit-learn is missing.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    learn = FisherCodebook.learn if kind == "fisher" else VladCodebook.learn
    return learn(regions, components=components, dimension=dimension, seed=seed)


def encode_steps(steps: NDArray[np.float32], codebook: Codebook) -> NDArray[np.float32]:
    """Encode trajectories, or pictures as trajectories of one step.

    Args:
        steps: (Q, T, D) float32, T >= 1.
        codebook: As `learn_step_codebook` gives it.

    Returns:
        (Q, E) float32, L2-normalised, E the codebook's dimension.

    Raises:
        ValueError: If the features are of another length or not finite.
    """
    length = len(codebook.projection.mean)
    if steps.ndim != 3 or steps.shape[2] != length or not np.isfinite(steps).all():
        raise ValueError(
            f"steps must be finite, of shape (Q, T, {length}), got {steps.dtype} of shape "
            f"{steps.shape}"
        )
    found = np.empty((len(steps), codebook.dimension), np.float32)
    for row, each in zip(found, steps, strict=True):
        row[:] = codebook.aggregate(each)
    return found
