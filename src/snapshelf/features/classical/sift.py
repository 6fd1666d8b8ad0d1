"""SIFT descriptors at given keypoints, by OpenCV, and their root."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.keypoints import Keypoints

__all__ = ["DESCRIPTOR_LENGTH", "PATCH_PER_SCALE", "grey", "sift"]

DESCRIPTOR_LENGTH = 128
"""4 x 4 cells of 8 orientations."""

PATCH_PER_SCALE = 12.0
"""Side of the described patch over the keypoint's scale: 4 cells of 3 scales each."""

LAYERS = 3
"""Scales an octave of OpenCV's pyramid."""

BASE_SCALE = 1.6
"""Of the pyramid's first layer, in pixels."""


def grey(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give a picture's luma.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].

    Returns:
        (H, W) uint8, [0, 255].

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(
            f"picture must be (H, W, 3) uint8 and not empty, got {picture.shape} {picture.dtype}"
        )
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY), np.uint8)


def sift(luma: NDArray[np.uint8], keypoints: Keypoints, *, root: bool) -> NDArray[np.float32]:
    """Describe the patches around keypoints.

    Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004, section 6. Each
    patch is `PATCH_PER_SCALE` scales wide and read from the layer of the pyramid that is
    blurred to its scale; none is blurred less than `BASE_SCALE`. With `root`, descriptors are
    compared by the Hellinger kernel (Arandjelovic, Zisserman: Three Things Everyone Should Know
    to Improve Object Retrieval, CVPR 2012, section 3): ``sqrt(d / ||d||_1)``.

    Args:
        luma: (H, W) uint8, [0, 255].
        keypoints: N of them, anywhere; a patch that leaves the picture counts what is inside.
        root: Whether to take the root, rather than the plain ``d / ||d||_2``.

    Returns:
        (N, 128) float32, L2-normalised; zeros where a patch has no gradient at all.
    """
    if not len(keypoints):
        return np.empty((0, DESCRIPTOR_LENGTH), np.float32)
    columns = (keypoints.x, keypoints.y, 2 * keypoints.scale, keypoints.angle)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    octaves = _packed_octaves(keypoints.scale).tolist()
    points = [
        cv2.KeyPoint(x, y, size, angle, 0.0, octave)
        for (x, y, size, angle), octave in zip(rows, octaves, strict=True)
    ]
    extractor = cv2.SIFT.create(nOctaveLayers=LAYERS, sigma=BASE_SCALE)
    kept, descriptors = extractor.compute(luma, points)
    assert len(kept) == len(points), "OpenCV describes every keypoint that it is given"
    if root:
        # Its L2 norm is 1 where the L1 norm of what it is the root of is 1.
        descriptors = np.sqrt(descriptors)
    length = np.linalg.norm(descriptors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = descriptors / np.maximum(length, 1e-12)
    return unit


def _packed_octaves(scale: NDArray[np.float32]) -> NDArray[np.int32]:
    """Give OpenCV's number for the octave and layer whose blur is nearest to each scale.

    The layers that OpenCV itself finds keypoints in are 1 to `LAYERS` of each octave; layer 0
    of the first takes what is smaller. The octave before it, of a picture made twice as large,
    is never used: it would take four times the time for the smallest patches.
    """
    step = np.maximum(np.rint(LAYERS * np.log2(scale / BASE_SCALE)), 0).astype(np.int32)
    octave = np.maximum(step - 1, 0) // LAYERS
    layer = step - octave * LAYERS
    packed: NDArray[np.int32] = octave | (layer << 8)
    return packed
