"""`DenseSift`: SIFT descriptors on a regular grid, at several patch sizes."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.keypoints import Keypoints
from snapshelf.features.classical.sift import PATCH_PER_SCALE, grey, sift
from snapshelf.media.picture import RGB

__all__ = ["DenseSift", "contrasts", "dense_grid"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseSift:
    """Describes every part of a picture alike, whatever it shows.

    The paper names no settings; these suit shop pictures of some 200 pixels.

    Attributes:
        step: Pixels from patch to patch, at least 1.
        patches: Sides of the patches in pixels, at least 4 each; a size that does not fit into
            a picture is left out.
        min_contrast: Grey levels. A patch whose standard deviation is below is left out: most
            of a studio picture is plain background, and its noise would drown the product.
        root: Whether to take the root of the descriptors (see `sift`).
    """

    step: int = 8
    patches: tuple[int, ...] = (16, 24, 32, 48)
    min_contrast: float = 4.0
    root: bool = True

    def __post_init__(self) -> None:
        """Refuse settings that describe nothing.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if self.step < 1:
            raise ValueError(f"step must be at least 1 pixel, got {self.step}")
        if not self.patches or min(self.patches) < 4:
            raise ValueError(f"patches must be sizes of at least 4 pixels, got {self.patches}")
        if not 0 <= self.min_contrast < float("inf"):
            raise ValueError(f"min_contrast must be at least 0, got {self.min_contrast}")

    def describe(self, picture: RGB) -> NDArray[np.float32]:
        """Describe all patches of enough contrast.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            (N, 128) float32, L2-normalised, by patch size, then row, then column; N may be 0.

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        luma = grey(picture)
        corners = dense_grid((luma.shape[0], luma.shape[1]), self.step, self.patches)
        corners = corners[contrasts(luma, corners) >= self.min_contrast]
        left, top, side = corners.T.astype(np.float32)
        keypoints = Keypoints(
            x=left + (side - 1) / 2,
            y=top + (side - 1) / 2,
            scale=side / PATCH_PER_SCALE,
            angle=np.zeros(len(corners), np.float32),
        )
        return sift(luma, keypoints, root=self.root)


def dense_grid(size: tuple[int, int], step: int, patches: tuple[int, ...]) -> NDArray[np.intp]:
    """Lay a grid of patches over a picture, in its middle, for each patch size.

    Args:
        size: (height, width) of the picture in pixels.
        step: Pixels from patch to patch, at least 1.
        patches: Sides of the patches in pixels.

    Returns:
        (N, 3) int: each patch's left and top pixel and its side; every patch lies inside.
    """
    height, width = size
    grids = []
    for side in patches:
        if side > min(height, width):
            continue
        rows, columns = (
            np.arange((length - side) % step // 2, length - side + 1, step)
            for length in (height, width)
        )
        top, left = (axis.ravel() for axis in np.meshgrid(rows, columns, indexing="ij"))
        grids.append(np.stack([left, top, np.full(len(left), side)], axis=1))
    return np.concatenate(grids) if grids else np.empty((0, 3), np.intp)


def contrasts(luma: NDArray[np.uint8], corners: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give the standard deviation of the grey levels in each patch.

    Args:
        luma: (H, W) uint8, [0, 255].
        corners: (N, 3) int, as `dense_grid` gives them.

    Returns:
        (N,) float64, in grey levels.
    """
    left, top, side = corners.T
    right, bottom = left + side, top + side
    # Whole numbers below 2 ** 53 throughout, so the two tables are exact.
    mean, mean_square = (
        (table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left])
        / side**2
        for table in cv2.integral2(luma, sdepth=cv2.CV_64F, sqdepth=cv2.CV_64F)
    )
    deviation: NDArray[np.float64] = np.sqrt(np.maximum(mean_square - mean**2, 0))
    return deviation
