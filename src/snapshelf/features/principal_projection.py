"""A plain PCA of long features of few pictures, with a mean for each domain."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.whitening import Whitening

__all__ = ["fit_projection"]

LEAST_VARIANCE = 1e-10
"""Of an axis, as a share of the largest; what varies less is rounding."""


def fit_projection(
    street: NDArray[np.float32], shop: NDArray[np.float32], *, dimension: int
) -> Whitening:
    """Find the directions in which features vary most around the mean of their own domain.

    What `fit_whitening` finds with power 0, but of the smaller of two matrices: with the centred
    features as the rows of ``Z`` (n, D), an eigenvector ``v`` of ``Z Z^T`` with eigenvalue ``l``
    gives the axis ``Z^T v / sqrt(l)``. Features of three levels have 11,776 numbers, more than
    there are training pictures mostly.

    Args:
        street: (N, D) float32, N >= 1.
        shop: (M, D) float32, M >= 1.
        dimension: d, at least 1. Fewer axes are given where the features vary in fewer
            directions.

    Returns:
        The projection, (D, min(d, directions)), of orthonormal columns, that of the largest
        variance first and the largest value of each positive.

    Raises:
        ValueError: If shapes do not fit, a value is not finite, there is nothing of a side, the
            dimension is below 1, or the features do not vary.
    """
    for name, rows in (("street", street), ("shop", shop)):
        if rows.ndim != 2 or not len(rows) or not np.isfinite(rows).all():
            raise ValueError(
                f"{name} must be (N, D), finite, with N of at least 1, got {rows.shape}"
            )
    if street.shape[1] != shop.shape[1]:
        raise ValueError(
            f"street and shop must be of one length, got {street.shape[1]}, {shop.shape[1]}"
        )
    if dimension < 1:
        raise ValueError(f"dimension must be at least 1, got {dimension}")
    means = [rows.mean(0, dtype=np.float64) for rows in (street, shop)]
    centred = np.concatenate([street - means[0], shop - means[1]])
    is_wide = centred.shape[1] > centred.shape[0]
    values, vectors = np.linalg.eigh(centred @ centred.T if is_wide else centred.T @ centred)
    order = np.argsort(-values)[:dimension]
    kept = order[values[order] > LEAST_VARIANCE * max(values[order[0]], 0)]
    if not len(kept):
        raise ValueError(
            f"the features of {len(centred)} pictures are the same within each side, so there is "
            "nothing to project on; give pictures of different products"
        )
    axes = vectors[:, kept]
    if is_wide:
        axes = centred.T @ axes / np.sqrt(values[kept])
    # An axis' sign is arbitrary; fixed, so that the same data give the same file.
    largest = np.abs(axes).argmax(0)
    axes = axes * np.sign(axes[largest, np.arange(axes.shape[1])])
    return Whitening(
        street_mean=means[0].astype(np.float32),
        shop_mean=means[1].astype(np.float32),
        projection=np.ascontiguousarray(axes, np.float32),
    )
