"""`LocalDescription`: what a shelf holds of a picture for verified re-ranking."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.matching.local.keypoint_features import KeypointFeatures

__all__ = ["LocalDescription"]

HEADER = struct.Struct("<4sHH")
MAGIC = b"LOC1"


@dataclass(frozen=True, slots=True, eq=False)
class LocalDescription:
    """Key points and small colours.

    Attributes:
        keypoints: The key points.
        chroma: (h, w, 2) uint8, the picture's colours as `chroma_of` gives them.
    """

    keypoints: KeypointFeatures
    chroma: NDArray[np.uint8]

    def to_bytes(self) -> bytes:
        """Give what `from_bytes` reads."""
        header = HEADER.pack(MAGIC, *self.chroma.shape[:2])
        return bytes(header + self.chroma.tobytes() + self.keypoints.to_bytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> "LocalDescription":
        """Read what `to_bytes` gave; the arrays are views of the data.

        Raises:
            ModelError: If it is anything else.
        """
        if len(data) >= HEADER.size:
            magic, height, width = HEADER.unpack_from(data)
            end = HEADER.size + 2 * height * width
            if magic == MAGIC and height and width and len(data) >= end:
                chroma = np.frombuffer(data, np.uint8, 2 * height * width, HEADER.size)
                keypoints = KeypointFeatures.from_bytes(data[end:])
                return cls(keypoints, chroma.reshape(height, width, 2))
        raise ModelError(
            f"expected a local description as this version keeps it, got {len(data)} other bytes: "
            "index the shelf again"
        )
