"""`KcfTracker`: boxes are followed by kernelised correlation filters.

Henriques, Caseiro, Martins, Batista: High-Speed Tracking with Kernelized Correlation Filters, PAMI
2015, through OpenCV contrib with its own parameters. The tracker that the paper of AsymNet takes.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB

__all__ = ["KcfTracker"]

_LEAST_SIDE = 4
"""Pixels of a box in the scaled picture; a filter of fewer sees nothing."""
_LEAST_SHARE = 0.4
"""Of a box within the picture; with less of it left the thing has gone."""


class KcfTracker:
    """Follows boxes by KCF, which shifts a box and keeps its size.

    A filter's time goes with its box's area, so large boxes are followed in pictures scaled down
    by a power of the root of 2; boxes of about one size share the scaled pictures. The filters see
    RGB where OpenCV expects BGR: their colour features are a fixed table, and take no notice.

    Args:
        side: Pixels: the root of a box's area at most, in the picture that it is followed in.

    Raises:
        ValueError: If `side` is below 8.
    """

    def __init__(self, side: float = 48.0) -> None:
        if not side >= 8:
            raise ValueError(f"side must be at least 8 pixels, got {side}")
        self.side = side

    def follow(self, pictures: Sequence[RGB], boxes: Sequence[Box]) -> tuple[tuple[Box, ...], ...]:
        """Follow boxes of the first picture through the others, each box by itself.

        Args:
            pictures: At least one, (H, W, 3) uint8, RGB, [0, 255], of one size.
            boxes: In the first picture.

        Returns:
            As `BoxTracker.follow`. A box without a pixel in the picture is lost at once, and one
            that covers the picture stays.
        """
        scaled: dict[int, Sequence[RGB]] = {0: pictures}
        courses = []
        for box in boxes:
            level = self._level(box)
            if level not in scaled:
                scaled[level] = [_smaller(picture, level) for picture in pictures]
            courses.append(_course(scaled[level], box, pictures[0].shape))
        return tuple(courses)

    def _level(self, box: Box) -> int:
        """How many times the picture is scaled down by the root of 2."""
        root = max((box[2] - box[0]) * (box[3] - box[1]), 1.0) ** 0.5
        return max(0, int(np.ceil(2 * np.log2(root / self.side))))


def _smaller(picture: RGB, level: int) -> RGB:
    height, width = (max(1, round(side / 2 ** (level / 2))) for side in picture.shape[:2])
    small: RGB = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return small


def _course(pictures: Sequence[RGB], box: Box, size: tuple[int, ...]) -> tuple[Box, ...]:
    height, width = size[:2]
    if box[0] <= 0 and box[1] <= 0 and box[2] >= width and box[3] >= height:
        return (box,) * len(pictures)
    x_scale, y_scale = pictures[0].shape[1] / width, pictures[0].shape[0] / height
    left, top = max(0, round(box[0] * x_scale)), max(0, round(box[1] * y_scale))
    right = min(pictures[0].shape[1], round(box[2] * x_scale))
    bottom = min(pictures[0].shape[0], round(box[3] * y_scale))
    course = [box]
    if right - left < _LEAST_SIDE or bottom - top < _LEAST_SIDE:
        return tuple(course)
    tracker = cv2.TrackerKCF_create()  # type: ignore[attr-defined]
    try:
        tracker.init(pictures[0], (left, top, right - left, bottom - top))
        # OpenCV's filter learns in its first update, at the box as it was given. Were that the
        # second picture, the box would lag behind by one step for ever.
        tracker.update(pictures[0])
        for picture in pictures[1:]:
            found, (x, y, _, _) = tracker.update(picture)
            # The filter was begun at whole pixels, so it is its shift that counts.
            across, down = (x - left) / x_scale, (y - top) / y_scale
            moved = (box[0] + across, box[1] + down, box[2] + across, box[3] + down)
            if not found or _share_within(moved, width, height) < _LEAST_SHARE:
                break
            course.append(moved)
    except cv2.error:
        # OpenCV refuses windows that lie oddly at the border; then the box is lost.
        pass
    return tuple(course)


def _share_within(box: Box, width: int, height: int) -> float:
    across = min(box[2], width) - max(box[0], 0)
    down = min(box[3], height) - max(box[1], 0)
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(across, 0) * max(down, 0) / area if area > 0 else 0.0
