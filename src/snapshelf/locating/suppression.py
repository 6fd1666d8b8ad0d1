"""Non-maximum suppression: of boxes that cover one thing, only the best stays."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes, iou

__all__ = ["suppress"]


def suppress(
    boxes: Boxes, quality: NDArray[np.floating], *, overlap: float, most: int | None = None
) -> NDArray[np.intp]:
    """Choose boxes greedily: the best, then the best that does not overlap it, and so on.

    Args:
        boxes: (N, 4) float32.
        quality: (N,) float, larger is better; of equal ones the earlier box is better.
        overlap: In [0, 1]. A box whose IoU with a better, chosen one is larger is dropped.
        most: Boxes to choose at most; None for all that stay.

    Returns:
        (K,) int: the rows that stay, best first. Degenerate boxes overlap nothing, so they stay.

    Raises:
        ValueError: If `overlap` or `most` is out of range, the lengths differ, or a quality is
            NaN.

    Example:
        >>> from snapshelf.locating.boxes import as_boxes
        >>> boxes = as_boxes([[0, 0, 10, 10], [0, 0, 10, 9], [20, 0, 30, 10]])
        >>> suppress(boxes, np.array([0.5, 0.9, 0.1]), overlap=0.5).tolist()
        [1, 2]
    """
    if not 0 <= overlap <= 1:
        raise ValueError(f"overlap must be in [0, 1], got {overlap}")
    if most is not None and most < 1:
        raise ValueError(f"most must be at least 1, or None for all, got {most}")
    if quality.shape != (len(boxes),):
        raise ValueError(f"quality must be ({len(boxes)},), one each box, got {quality.shape}")
    if np.isnan(quality).any():
        raise ValueError("quality must be numbers, got NaN")
    left = np.argsort(-quality, kind="stable")
    chosen: list[int] = []
    while len(left) and (most is None or len(chosen) < most):
        best, left = left[0], left[1:]
        chosen.append(int(best))
        left = left[iou(boxes[best][None], boxes[left])[0] <= overlap]
    return np.array(chosen, np.intp)
