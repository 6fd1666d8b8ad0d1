"""`PartModelConfidence`: proposals looked at with a deformable part model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes
from snapshelf.locating.part_model import PartModel
from snapshelf.locating.part_model_detection import detect_roots, proposal_confidences
from snapshelf.media.picture import RGB

__all__ = ["PartModelConfidence"]


@dataclass(frozen=True, slots=True, eq=False)
class PartModelConfidence:
    """The third confidence of the paper (d): of each proposal its best detection.

    Attributes:
        model: The model.
        threshold: Detections with a lower score are not looked at; with the model's margin at
            -1, less than this is background.
        overlap: In [0, 1]. Detections that overlap more than this are one; above that of
            objects, since each proposal shall find a detection that fits it.
        most: Detections in a picture at most.
    """

    model: PartModel
    threshold: float = -2.0
    overlap: float = 0.7
    most: int = 300

    @property
    def fingerprint(self) -> str:
        """Hex digest of the model and the settings."""
        return f"{self.model.fingerprint}-{self.threshold}-{self.overlap}-{self.most}"

    def confidences(self, picture: RGB, boxes: Boxes) -> NDArray[np.float32]:
        """Give each proposal its best detection, see `proposal_confidences`.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            boxes: (P, 4) float32.

        Returns:
            (P,) float32, [0, 1].

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        found, scores = detect_roots(
            self.model, picture, threshold=self.threshold, overlap=self.overlap, most=self.most
        )
        return proposal_confidences(boxes, found, scores)
