"""The `Encoder` contract: pictures of items to embeddings, with a street and a shop side."""

from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["Domain", "Encoder"]


class Domain(StrEnum):
    """Which side a picture comes from; an encoder may treat the two differently."""

    STREET = "street"
    SHOP = "shop"


class Encoder(Protocol):
    """Turns pictures of single items into embeddings that can be compared."""

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides an embedding: weights, options, preprocessing."""
        ...

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Bring one picture to the encoder's input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.
            domain: The side that it comes from.

        Returns:
            (S, T, 3) uint8, RGB, [0, 255], the same S and T for every picture of a side.
        """
        ...

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures, all of one side.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], as `prepare` gives them for the side,
                B >= 1.
            domain: The side that the pictures come from.

        Returns:
            (B, D) float32, L2-normalised. Larger inner product means more alike, unless the
            system compares by another distance.
        """
        ...
