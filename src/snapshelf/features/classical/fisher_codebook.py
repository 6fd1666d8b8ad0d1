"""`FisherCodebook`: descriptors to an improved Fisher vector."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.descriptors import power_normalise
from snapshelf.features.classical.fisher_vector import fisher_vector
from snapshelf.features.classical.gaussian_mixture import GaussianMixture, learn_mixture
from snapshelf.features.classical.principal_components import Projection, learn_projection

__all__ = ["FisherCodebook"]


@dataclass(frozen=True, slots=True, eq=False)
class FisherCodebook:
    """Projection, Fisher vector, signed square root, L2: the improved Fisher vector.

    Attributes:
        projection: Onto the descriptors' principal components.
        mixture: Of the projected descriptors.
    """

    projection: Projection
    mixture: GaussianMixture

    def __post_init__(self) -> None:
        """Refuse parts that do not go together.

        Raises:
            ValueError: If the mixture is not one of projected descriptors.
        """
        self.projection.check_words(self.mixture.means)

    @classmethod
    def learn(
        cls, descriptors: NDArray[np.float32], *, components: int, dimension: int, seed: int
    ) -> Self:
        """Learn a codebook.

        Args:
            descriptors: (N, d) float32, of many pictures.
            components: Of the mixture, at most N; the paper has 64.
            dimension: Of the projected descriptors, at most d.
            seed: The same seed and descriptors give the same codebook.

        Raises:
            ValueError: If there are too few descriptors.
            ModelError: If scikit-learn is missing.
        """
        projection = learn_projection(descriptors, dimension)
        mixture = learn_mixture(projection.project(descriptors), components, seed=seed)
        return cls(projection, mixture)

    @property
    def dimension(self) -> int:
        """Length D of an embedding: 2 x components x projected dimension."""
        return 2 * self.mixture.means.size

    @property
    def words(self) -> NDArray[np.float32]:
        """The visual words: (K, e) float32, as long as projected descriptors."""
        return self.mixture.means

    def aggregate(self, descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the improved Fisher vector of (N, d) descriptors, (D,), as `Codebook` says."""
        return power_normalise(fisher_vector(self.projection.project(descriptors), self.mixture))

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Give the arrays that `from_tensors` takes, by name."""
        return {
            "projection.mean": self.projection.mean,
            "projection.axes": self.projection.axes,
            "mixture.weights": self.mixture.weights,
            "mixture.means": self.mixture.means,
            "mixture.variances": self.mixture.variances,
        }

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[np.float32]]) -> Self:
        """Make a codebook of the arrays that `tensors` gave.

        Raises:
            KeyError: If one is missing.
            ValueError: If they do not go together.
        """
        return cls(
            Projection(tensors["projection.mean"], tensors["projection.axes"]),
            GaussianMixture(
                tensors["mixture.weights"], tensors["mixture.means"], tensors["mixture.variances"]
            ),
        )
