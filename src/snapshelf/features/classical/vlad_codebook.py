"""`VladCodebook`: descriptors to a power-normalised VLAD."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.descriptors import power_normalise
from snapshelf.features.classical.principal_components import Projection, learn_projection
from snapshelf.features.classical.vlad import learn_centroids, vlad

__all__ = ["VladCodebook"]


@dataclass(frozen=True, slots=True, eq=False)
class VladCodebook:
    """Projection, VLAD, signed square root, L2.

    Attributes:
        projection: Onto the descriptors' principal components.
        centroids: (K, e) float32, of the projected descriptors.
        intra_normalise: See `vlad`.
    """

    projection: Projection
    centroids: NDArray[np.float32]
    intra_normalise: bool = False

    def __post_init__(self) -> None:
        """Refuse parts that do not go together.

        Raises:
            ValueError: If the centroids are not those of projected descriptors, or not finite.
        """
        self.projection.check_words(self.centroids)
        if not np.isfinite(self.centroids).all():
            raise ValueError("centroids must be finite, got NaN or infinity")

    @classmethod
    def learn(
        cls,
        descriptors: NDArray[np.float32],
        *,
        components: int,
        dimension: int,
        seed: int,
        intra_normalise: bool = False,
    ) -> Self:
        """Learn a codebook.

        Args:
            descriptors: (N, d) float32, of many pictures.
            components: Number of centroids, at most N.
            dimension: Of the projected descriptors, at most d.
            seed: Of the k-means.
            intra_normalise: See `vlad`.

        Raises:
            ValueError: If there are too few descriptors.
        """
        projection = learn_projection(descriptors, dimension)
        centroids = learn_centroids(projection.project(descriptors), components, seed=seed)
        return cls(projection, centroids, intra_normalise)

    @property
    def dimension(self) -> int:
        """Length D of an embedding: components x projected dimension."""
        return self.centroids.size

    @property
    def words(self) -> NDArray[np.float32]:
        """The visual words: (K, e) float32, as long as projected descriptors."""
        return self.centroids

    def aggregate(self, descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the power-normalised VLAD of (N, d) descriptors, (D,), as `Codebook` says."""
        projected = self.projection.project(descriptors)
        return power_normalise(
            vlad(projected, self.centroids, intra_normalise=self.intra_normalise)
        )

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Give the arrays that `from_tensors` takes, by name."""
        return {
            "projection.mean": self.projection.mean,
            "projection.axes": self.projection.axes,
            "centroids": self.centroids,
        }

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, NDArray[np.float32]], *, intra_normalise: bool = False
    ) -> Self:
        """Make a codebook of the arrays that `tensors` gave.

        Raises:
            KeyError: If one is missing.
            ValueError: If they do not go together.
        """
        projection = Projection(tensors["projection.mean"], tensors["projection.axes"])
        return cls(projection, tensors["centroids"], intra_normalise)
