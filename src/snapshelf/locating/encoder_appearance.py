"""What things look like to the encoder that they are searched with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain, Encoder
from snapshelf.locating.region import Box, whole_pixels
from snapshelf.media.picture import RGB

__all__ = ["EncoderAppearance"]


class EncoderAppearance:
    """Describes a box by the embedding of its crop.

    Args:
        encoder: Its embeddings must be L2-normalised.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def describe(self, picture: RGB, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Embed the crops of some boxes of a picture, all at once.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            boxes: N, in pixels; may reach beyond the picture.

        Returns:
            (N, D) float32, L2-normalised.
        """
        if not boxes:
            return np.empty((0, self._encoder.dimension), np.float32)
        crops = []
        for box in boxes:
            left, top, right, bottom = whole_pixels(box, (picture.shape[1], picture.shape[0]))
            crop = np.ascontiguousarray(picture[top:bottom, left:right])
            crops.append(self._encoder.prepare(crop, Domain.STREET))
        return self._encoder.encode(np.stack(crops), Domain.STREET)
