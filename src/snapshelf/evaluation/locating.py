"""How well boxes are located: the share of objects covered, and of pictures whose best box is one.

Both look at whether the IoU of a box with an object reaches a level, 0.5 as a rule. A better place
in a ranking is an earlier one.
"""

from collections.abc import Sequence

import numpy as np

from snapshelf.locating.boxes import Boxes, iou

__all__ = ["first_right", "object_recall"]


def object_recall(
    found: Sequence[Boxes],
    objects: Sequence[Boxes],
    *,
    first: int | None = None,
    overlap: float = 0.5,
) -> float:
    """Give the share of all objects that one of their picture's first boxes covers.

    ``sum over pictures of |{o : max over the first k boxes b of IoU(b, o) >= overlap}|`` over the
    number of objects. A box may cover several objects; an object covered twice counts once.

    Args:
        found: For each picture (N, 4) float32, N >= 0, best first.
        objects: For each picture (M, 4) float32, M >= 0.
        first: The k boxes of each picture that count; None for all.
        overlap: In (0, 1].

    Returns:
        In [0, 1]; NaN if there is no object.

    Raises:
        ValueError: If the lengths differ, or a number is out of range.

    Example:
        >>> from snapshelf.locating.boxes import as_boxes
        >>> objects = [as_boxes([[0, 0, 9, 9], [20, 0, 29, 9]])]
        >>> object_recall([as_boxes([[0, 0, 9, 8]])], objects)
        0.5
    """
    _check(found, objects, first, overlap)
    covered = total = 0
    for boxes, wanted in zip(found, objects, strict=True):
        best = iou(boxes[:first], wanted).max(axis=0, initial=0)
        covered += int(np.count_nonzero(best >= overlap))
        total += len(wanted)
    return covered / total if total else float("nan")


def first_right(found: Sequence[Boxes], objects: Sequence[Boxes], *, overlap: float = 0.5) -> float:
    """Give the share of pictures whose best box covers an object, any of them.

    Args:
        found: For each picture (N, 4) float32, N >= 0, best first; without a box it is not right.
        objects: For each picture (M, 4) float32; pictures without an object do not count.
        overlap: In (0, 1].

    Returns:
        In [0, 1]; NaN if no picture has an object.

    Raises:
        ValueError: If the lengths differ, or a number is out of range.
    """
    _check(found, objects, 1, overlap)
    right = [
        bool(iou(boxes[:1], wanted).max(initial=0) >= overlap)
        for boxes, wanted in zip(found, objects, strict=True)
        if len(wanted)
    ]
    return float(np.mean(right)) if right else float("nan")


def _check(
    found: Sequence[Boxes], objects: Sequence[Boxes], first: int | None, overlap: float
) -> None:
    if len(found) != len(objects):
        raise ValueError(
            f"found and objects must be of the same pictures, got {len(found)} and {len(objects)}"
        )
    if first is not None and first < 1:
        raise ValueError(f"first must be at least 1, or None for all, got {first}")
    if not 0 < overlap <= 1:
        raise ValueError(f"overlap must be in (0, 1], got {overlap}")
