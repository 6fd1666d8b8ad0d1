"""`Keypoints`: where local descriptors are taken, at which scale and in which direction."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Keypoints"]


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """Places in a picture; row i of every array is keypoint i.

    Attributes:
        x: (N,) float32, pixels to the right of the middle of the leftmost column.
        y: (N,) float32, pixels below the middle of the topmost row.
        scale: (N,) float32, above 0: the standard deviation, in pixels, of the Gaussian blob
            that would look like it.
        angle: (N,) float32, degrees in [0, 360), clockwise from the x axis: the direction
            that its descriptor is turned to.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    scale: NDArray[np.float32]
    angle: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse arrays that do not go together.

        Raises:
            ValueError: If the arrays are not four of the same length N, or a scale is not
                above 0.
        """
        shapes = [array.shape for array in (self.x, self.y, self.scale, self.angle)]
        if shapes != [(len(self.x),)] * 4:
            raise ValueError(f"x, y, scale and angle must be (N,) each, got {shapes}")
        if not (self.scale > 0).all():
            raise ValueError(f"scale must be above 0, got {self.scale.min()}")

    def __len__(self) -> int:
        """Give the number of keypoints N."""
        return len(self.x)
