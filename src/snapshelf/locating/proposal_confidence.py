"""The `ProposalConfidence` contract: how sure something is that boxes hold an object."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes
from snapshelf.media.picture import RGB

__all__ = ["ProposalConfidence"]


class ProposalConfidence(Protocol):
    """Tells of each box of a picture how likely it holds an object."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides a confidence."""
        ...

    def confidences(self, picture: RGB, boxes: Boxes) -> NDArray[np.float32]:
        """Look at all boxes of a picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            boxes: (P, 4) float32 within the picture, P >= 0; some may have no area.

        Returns:
            (P,) float32, finite, larger is more likely; best in [0, 1], so that no confidence
            outweighs the others before their weights are learned.
        """
        ...
