"""`Proposals`: boxes that may hold an object of any kind, and the contract of what makes them."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes
from snapshelf.media.picture import RGB

__all__ = ["Proposals", "Proposer"]


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """Boxes of one picture, most likely objects first.

    Attributes:
        boxes: (P, 4) float32, P >= 1, within the picture.
        objectness: (P,) float32, [0, 1], descending.
    """

    boxes: Boxes
    objectness: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.boxes)


class Proposer(Protocol):
    """Makes proposals."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides which proposals come out."""
        ...

    def propose(self, picture: RGB) -> Proposals:
        """Propose boxes; the whole picture is always one of them.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        ...
