"""`HessianSift`: SIFT descriptors at the blobs of a picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.hessian import hessian_blobs
from snapshelf.features.classical.keypoints import Keypoints
from snapshelf.features.classical.orientation import dominant_orientations
from snapshelf.features.classical.scale_space import scale_space, scales_between
from snapshelf.features.classical.sift import grey, sift
from snapshelf.media.picture import RGB

__all__ = ["HessianSift", "hessian_keypoints"]

SCALES_PER_OCTAVE = 3
MOST_SCALE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class HessianSift:
    """Describes what stands out: blobs found by the determinant of the Hessian, each at its scale.

    The paper names no settings; these suit shop pictures of some 200 pixels. There is no affine
    adaptation.

    Attributes:
        first_scale: Pixels, at least 1: the smallest blob's standard deviation.
        last_scale: Pixels, from `first_scale` to 256: the largest one's.
        min_contrast: In (0, 1]: how much a blob must differ from its surroundings, with black
            to white as 1.
        most: At least 1: the strongest blobs of a picture that are kept.
        upright: Whether descriptors are left upright rather than turned to the dominant
            gradient. Turned ones know a product that lies on its side; upright ones tell more
            apart.
        root: Whether to take the root of the descriptors (see `sift`).
    """

    first_scale: float = 1.6
    last_scale: float = 16.0
    min_contrast: float = 0.03
    most: int = 800
    upright: bool = False
    root: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that find nothing.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if not 1 <= self.first_scale < float("inf"):
            raise ValueError(f"first_scale must be at least 1 pixel, got {self.first_scale}")
        if not self.first_scale <= self.last_scale <= MOST_SCALE:
            raise ValueError(
                f"last_scale must be in [first_scale = {self.first_scale}, {MOST_SCALE}], "
                f"got {self.last_scale}"
            )
        if not 0 < self.min_contrast <= 1:
            raise ValueError(f"min_contrast must be in (0, 1], got {self.min_contrast}")
        if self.most < 1:
            raise ValueError(f"most must be at least 1, got {self.most}")

    def describe(self, picture: RGB) -> NDArray[np.float32]:
        """Describe the blobs of a picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            (N, 128) float32, L2-normalised, the strongest blob first; N may be 0.

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        luma = grey(picture)
        return sift(luma, hessian_keypoints(luma, self), root=self.root)


def hessian_keypoints(luma: NDArray[np.uint8], settings: HessianSift) -> Keypoints:
    """Find a picture's blobs, and the direction of each.

    Args:
        luma: (H, W) uint8, [0, 255].
        settings: What to look for.

    Returns:
        The keypoints, the strongest first; none in a picture of fewer than 3 rows or columns.
    """
    # One scale more at both ends, since a maximum needs neighbours.
    ratio = 2 ** (1 / SCALES_PER_OCTAVE)
    scales = scales_between(
        settings.first_scale / ratio, settings.last_scale * ratio, SCALES_PER_OCTAVE
    )
    levels = scale_space(luma, scales)
    blobs = hessian_blobs(levels, scales, min_contrast=settings.min_contrast, most=settings.most)
    if settings.upright:
        angle = np.zeros(len(blobs.x), np.float32)
    else:
        angle = dominant_orientations(levels, scales, blobs.x, blobs.y, blobs.scale)
    return Keypoints(blobs.x, blobs.y, blobs.scale, angle)
