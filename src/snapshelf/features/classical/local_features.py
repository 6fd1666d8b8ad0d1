"""`LocalFeatures`: what finds and describes parts of a picture."""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["LocalFeatures", "sample_descriptors"]


class LocalFeatures(Protocol):
    """Finds and describes parts of a picture, such as `DenseSift` and `HessianSift`."""

    def describe(self, picture: RGB) -> NDArray[np.float32]:
        """Describe a picture's parts.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            (N, d) float32, N >= 0.
        """
        ...


def sample_descriptors(
    pictures: Iterable[RGB], features: LocalFeatures, *, per_picture: int, seed: int
) -> NDArray[np.float32]:
    """Draw descriptors from pictures to learn a codebook of; one picture is held at a time.

    Args:
        pictures: Each (H, W, 3) uint8, RGB, [0, 255], prepared as those to be embedded.
        features: What describes them.
        per_picture: At least 1: of more descriptors in a picture, this many are drawn.
        seed: Of the draw.

    Returns:
        (N, d) float32.

    Raises:
        ValueError: If there is no picture, or `per_picture` is below 1.
    """
    if per_picture < 1:
        raise ValueError(f"per_picture must be at least 1, got {per_picture}")
    generator = np.random.default_rng(seed)
    drawn = []
    for picture in pictures:
        descriptors = features.describe(picture)
        if len(descriptors) > per_picture:
            chosen = generator.choice(len(descriptors), per_picture, replace=False, shuffle=False)
            descriptors = descriptors[np.sort(chosen)]
        drawn.append(descriptors)
    if not drawn:
        raise ValueError("pictures must be at least one, got none")
    return np.concatenate(drawn)
