"""The picture type that every part speaks: decoded RGB pixels."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["RGB"]

RGB = NDArray[np.uint8]
"""A decoded picture: (H, W, 3) uint8, RGB (sRGB), [0, 255], upright, C-contiguous."""
