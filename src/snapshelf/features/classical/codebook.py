"""`Codebook`: what is learned once, so that descriptors can be aggregated to an embedding."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.principal_components import Projection

__all__ = ["Codebook"]


class Codebook(Protocol):
    """Turns the local descriptors of one picture into its embedding."""

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        ...

    @property
    def projection(self) -> Projection:
        """What descriptors of length d go through first."""
        ...

    @property
    def words(self) -> NDArray[np.float32]:
        """The visual words: (K, e) float32, as long as projected descriptors."""
        ...

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Give everything that was learned, by name."""
        ...

    def aggregate(self, descriptors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Aggregate descriptors.

        Args:
            descriptors: (N, d) float32, N >= 0.

        Returns:
            (D,) float32, L2-normalised; zeros if there is no descriptor.
        """
        ...
