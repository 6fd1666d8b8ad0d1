"""`KeypointFeatures`: a picture's key points with their SIFT descriptors, in little room.

Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004. Descriptors are kept as
bytes, of queries too, so a query is compared with what an index holds just as with the picture
itself. OpenCV's plain descriptors are whole numbers in [0, 255] anyway; rooted ones (RootSIFT, for
the Hellinger kernel: Arandjelovic, Zisserman: Three Things Everyone Should Know to Improve Object
Retrieval, CVPR 2012, section 3) are rounded.
"""

import struct
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.classical.sift import DESCRIPTOR_LENGTH, grey
from snapshelf.media.picture import RGB

__all__ = ["STEPS", "KeypointFeatures", "find_keypoints", "scaled_to"]

STEPS = 512.0
"""Length of a descriptor as it is kept, where none of its numbers is cut off at 255."""

SMALLEST = 16
"""A side of fewer pixels, once scaled, has no key points: SIFT's pyramid needs some room."""

MOST_ENLARGED = 4.0
"""A picture is made at most this many times larger: beyond, there is nothing new to see."""

HEADER = struct.Struct("<4sHII")
MAGIC = b"KPF1"
PLACES = 65535
"""Key points' places are kept in this many steps of the picture's width and height."""


@dataclass(frozen=True, slots=True, eq=False)
class KeypointFeatures:
    """Key points of a picture; row i of both arrays is key point i, the strongest first.

    Attributes:
        size: (width, height) of the picture in pixels, before it was scaled.
        points: (N, 2) float32, x and y in pixels of that picture, in [0, width] and [0, height].
        descriptors: (N, 128) uint8, of a length of about `STEPS`; rooted or not.
    """

    size: tuple[int, int]
    points: NDArray[np.float32]
    descriptors: NDArray[np.uint8]

    def __len__(self) -> int:
        """Give the number of key points N."""
        return len(self.points)

    def to_bytes(self) -> bytes:
        """Give what `from_bytes` reads: 14 bytes, and 132 for each key point."""
        places = np.rint(self.points * (PLACES / np.array(self.size))).clip(0, PLACES)
        header = HEADER.pack(MAGIC, len(self), *self.size)
        return bytes(header + places.astype("<u2").tobytes() + self.descriptors.tobytes())

    @classmethod
    def from_bytes(cls, data: bytes) -> "KeypointFeatures":
        """Read what `to_bytes` gave; the descriptors are a view of the data.

        Raises:
            ModelError: If it is anything else.
        """
        if len(data) >= HEADER.size:
            magic, count, width, height = HEADER.unpack_from(data)
            expected = HEADER.size + count * (4 + DESCRIPTOR_LENGTH)
            if magic == MAGIC and len(data) == expected and width and height:
                places = np.frombuffer(data, "<u2", 2 * count, HEADER.size).reshape(count, 2)
                points = (places * (np.array((width, height)) / PLACES)).astype(np.float32)
                start = HEADER.size + 4 * count
                descriptors = np.frombuffer(data, np.uint8, offset=start)
                return cls((width, height), points, descriptors.reshape(count, DESCRIPTOR_LENGTH))
        raise ModelError(
            f"expected key points as this version keeps them, got {len(data)} other bytes: "
            "index the shelf again"
        )


def find_keypoints(
    picture: RGB,
    *,
    side: int | None,
    most: int = PLACES,
    contrast: float = 0.04,
    root: bool = True,
) -> KeypointFeatures:
    """Find the strongest key points of a picture and describe them.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        side: The picture is scaled until its longer side has so many pixels, at least 1; small
            ones at most by `MOST_ENLARGED`. None to leave it as it is.
        most: Key points kept at most, in [1, 65535]; those of the largest response.
        contrast: SIFT's contrast threshold, at least 0: fainter key points are left out.
        root: Whether descriptors are rooted.

    Returns:
        The key points, none in a blank or tiny picture.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8, or a number is out of
            range.
    """
    if (side is not None and side < 1) or not 1 <= most <= PLACES or contrast < 0:
        raise ValueError(
            f"side must be at least 1, most in [1, {PLACES}] and contrast at least 0, "
            f"got {side}, {most} and {contrast}"
        )
    luma = grey(picture) if side is None else scaled_to(grey(picture), side)
    height, width = luma.shape
    size = (picture.shape[1], picture.shape[0])
    points = np.empty((0, 2), np.float32)
    descriptors = np.empty((0, DESCRIPTOR_LENGTH), np.uint8)
    if min(luma.shape) >= SMALLEST:
        detector = cv2.SIFT.create(nfeatures=most, contrastThreshold=contrast)
        found, described = detector.detectAndCompute(luma, None)
        if found:
            # Of points of equal response OpenCV keeps all.
            strongest = np.argsort([-point.response for point in found], kind="stable")[:most]
            # A key point at (x, y) means the middle of that pixel.
            middles = np.array([found[number].pt for number in strongest]) + 0.5
            points = (middles * (size[0] / width, size[1] / height)).astype(np.float32)
            chosen = np.asarray(described)[strongest].astype(np.float32)
            descriptors = _rooted(chosen) if root else chosen.astype(np.uint8)
    return KeypointFeatures(size, points, descriptors)


def _rooted(descriptors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Turn SIFT descriptors (N, 128) into RootSIFT, in bytes."""
    lengths = descriptors.sum(axis=1, keepdims=True)
    rooted = np.sqrt(descriptors / np.maximum(lengths, 1e-12))
    kept: NDArray[np.uint8] = np.rint(rooted * STEPS).clip(0, 255).astype(np.uint8)
    return kept


def scaled_to(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Scale a picture until its longer side has a number of pixels.

    Args:
        picture: (H, W) or (H, W, 3) uint8.
        side: At least 1; small pictures are made larger at most by `MOST_ENLARGED`.

    Returns:
        (h, w) or (h, w, 3) uint8, from 1 x 1.
    """
    factor = min(side / max(picture.shape[:2]), MOST_ENLARGED)
    size = tuple(max(1, round(length * factor)) for length in picture.shape[1::-1])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)
