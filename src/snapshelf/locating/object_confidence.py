"""`ObjectConfidence`: proposals looked at with a network that tells objects from the rest."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes
from snapshelf.locating.region_features import RegionFeatures
from snapshelf.media.picture import RGB

__all__ = ["ObjectConfidence"]


@dataclass(frozen=True, slots=True, eq=False)
class ObjectConfidence:
    """The second confidence of the paper (c): the probability of a binary classifier.

    Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
    Section III-B-1. The paper sends each proposal through the network; here all of a picture's are
    pooled from one feature map, and a linear classifier looks at each.

    Attributes:
        regions: Gives the features.
        weights: (D,) float32: the classifier's.
        bias: Its bias.
    """

    regions: RegionFeatures
    weights: NDArray[np.float32]
    bias: float

    def __post_init__(self) -> None:
        """Refuse a classifier that is none.

        Raises:
            ValueError: Names what was expected and what came.
        """
        if self.weights.ndim != 1 or self.weights.dtype != np.float32 or not self.weights.size:
            raise ValueError(
                f"weights must be (D,) float32, got {self.weights.shape} {self.weights.dtype}"
            )
        if not np.isfinite(self.weights).all() or not np.isfinite(self.bias):
            raise ValueError("weights and bias must be finite, got NaN or infinity")

    @property
    def fingerprint(self) -> str:
        """Hex digest of the network and the classifier."""
        digest = hashlib.blake2b(f"{self.regions.fingerprint} {self.bias!r}".encode())
        digest.update(self.weights.tobytes())
        return digest.hexdigest()[:32]

    def confidences(self, picture: RGB, boxes: Boxes) -> NDArray[np.float32]:
        """Give the probability that each box holds an object, and little else.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            boxes: (P, 4) float32 within the picture.

        Returns:
            (P,) float32, [0, 1].

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8, or the classifier
                was trained on other features.
        """
        features = self.regions.features(picture, boxes)
        if features.shape[1] != len(self.weights):
            raise ValueError(
                f"regions must give {len(self.weights)} features to a box, as the classifier "
                f"has weights, got {features.shape[1]}"
            )
        logits = (features @ self.weights).astype(np.float64) + self.bias
        likely: NDArray[np.float32] = (1 / (1 + np.exp(-np.clip(logits, -50, 50)))).astype(
            np.float32
        )
        return likely
