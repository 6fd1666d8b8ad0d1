"""Mean average precision of detected regions.

Everingham, Van Gool, Williams, Winn, Zisserman: The PASCAL Visual Object Classes Challenge, IJCV
2010, Section 4.2, with the area under all of the curve, as from 2010 on.
"""

from collections.abc import Sequence

import numpy as np

from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.region import Region

__all__ = ["average_precision", "mean_average_precision"]


def average_precision(
    found: Sequence[Sequence[Region]],
    objects: Sequence[Sequence[Region]],
    label: str,
    *,
    overlap: float = 0.5,
) -> float:
    """Give the average precision of one class.

    Regions of that label are taken by falling confidence, of equal ones those of an earlier
    picture first. One is right if the object of its class and picture with the largest IoU has at
    least `overlap`, and no region before it had that object. With precision p after n regions and
    recall r, ``AP = sum over n of (r_n - r_(n-1)) * max over m >= n of p_m``.

    Args:
        found: The regions of each picture, in any order.
        objects: The objects of each picture.
        label: The class.
        overlap: In (0, 1].

    Returns:
        In [0, 1]; NaN if there is no object of the class.

    Raises:
        ValueError: If the lengths differ, or `overlap` is out of range.
    """
    if len(found) != len(objects):
        raise ValueError(
            f"found and objects must be of the same pictures, got {len(found)} and {len(objects)}"
        )
    if not 0 < overlap <= 1:
        raise ValueError(f"overlap must be in (0, 1], got {overlap}")
    wanted = [as_boxes([each.box for each in some if each.label == label]) for some in objects]
    total = sum(map(len, wanted))
    if not total:
        return float("nan")
    every = [
        (region, picture)
        for picture, some in enumerate(found)
        for region in some
        if region.label == label
    ]
    every.sort(key=lambda each: -each[0].confidence)
    taken = [np.zeros(len(boxes), np.bool_) for boxes in wanted]
    right = np.zeros(len(every), np.bool_)
    for number, (region, picture) in enumerate(every):
        overlaps = iou(as_boxes([region.box]), wanted[picture])[0]
        if overlaps.max(initial=0) >= overlap:
            best = int(overlaps.argmax())
            right[number] = not taken[picture][best]
            taken[picture][best] = True
    precision = np.cumsum(right) / np.arange(1, len(every) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[right].sum() / total)


def mean_average_precision(
    found: Sequence[Sequence[Region]],
    objects: Sequence[Sequence[Region]],
    *,
    overlap: float = 0.5,
) -> float:
    """Give the mean of `average_precision` over all classes that objects have.

    Args:
        found: The regions of each picture. Classes that no object has do not count.
        objects: The objects of each picture.
        overlap: In (0, 1].

    Returns:
        In [0, 1]; NaN if there is no object.

    Raises:
        ValueError: As `average_precision`.

    Example:
        >>> bag = Region((0, 0, 10, 10), "bag")
        >>> mean_average_precision([[bag]], [[bag, Region((20, 0, 30, 10), "bag")]])
        0.5
    """
    labels = sorted({each.label for some in objects for each in some})
    values = [average_precision(found, objects, label, overlap=overlap) for label in labels]
    return float(np.mean(values)) if values else float("nan")
