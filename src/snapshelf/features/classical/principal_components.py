"""Projection of local descriptors onto their principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.descriptors import check_descriptors

__all__ = ["Projection", "learn_projection"]


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A linear map to fewer dimensions.

    Attributes:
        mean: (d,) float32, subtracted first.
        axes: (d, e) float32, orthonormal columns, that of the largest variance first; e <= d.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse what projects nothing.

        Raises:
            ValueError: If the shapes do not go together or a value is not finite.
        """
        length = len(self.mean)
        if (
            self.mean.shape != (length,)
            or self.axes.ndim != 2
            or self.axes.shape[0] != length
            or not 1 <= self.axes.shape[1] <= length
        ):
            raise ValueError(
                "mean must be (d,) and axes (d, e) with 1 <= e <= d, "
                f"got {self.mean.shape} and {self.axes.shape}"
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.axes).all()):
            raise ValueError("mean and axes must be finite, got NaN or infinity")

    def check_words(self, words: NDArray[np.float32]) -> None:
        """Refuse visual words that are none of projected descriptors.

        Args:
            words: Expected as (K, e) float32, K >= 1.

        Raises:
            ValueError: If they are of another shape.
        """
        if words.ndim != 2 or not len(words) or words.shape[1] != self.axes.shape[1]:
            raise ValueError(
                f"visual words must be (K, {self.axes.shape[1]}), as long as projected "
                f"descriptors, got {words.shape}"
            )

    def project(self, descriptors: NDArray[np.floating]) -> NDArray[np.float32]:
        """Give ``(x - mean) axes`` for each descriptor.

        Args:
            descriptors: (N, d) float, N >= 0.

        Returns:
            (N, e) float32.
        """
        projected = (descriptors - self.mean) @ self.axes
        return projected.astype(np.float32)


def learn_projection(descriptors: NDArray[np.floating], dimension: int) -> Projection:
    """Find the `dimension` orthogonal directions in which descriptors vary most.

    Args:
        descriptors: (N, d) float, N >= 2.
        dimension: In [1, d]: the number e of directions.

    Returns:
        The projection; the largest value of each axis is positive, so that it is always the
        same one.

    Raises:
        ValueError: If there are too few descriptors, they are not finite, or `dimension` is
            out of range.
    """
    values = check_descriptors(descriptors)
    if len(values) < 2:
        raise ValueError(f"descriptors must be at least 2, got {len(values)}")
    if not 1 <= dimension <= values.shape[1]:
        raise ValueError(f"dimension must be in [1, {values.shape[1]}], got {dimension}")
    mean = values.mean(axis=0)
    values -= mean
    _, vectors = np.linalg.eigh(values.T @ values)
    axes = vectors[:, ::-1][:, :dimension]
    largest = np.abs(axes).argmax(axis=0)
    axes = axes * np.where(axes[largest, np.arange(dimension)] < 0, -1, 1)
    return Projection(mean.astype(np.float32), np.ascontiguousarray(axes, np.float32))
