"""Of trajectories that follow one thing, only the best stays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.trajectory import Trajectory

__all__ = ["without_duplicates"]


def without_duplicates(
    trajectories: Sequence[Trajectory], *, overlap: float, share: float = 0.5
) -> tuple[Trajectory, ...]:
    """Leave out trajectories that go along with a better one.

    The better of two is that with the larger sum of confidences over its steps; of equal ones the
    earlier in the sequence.

    Args:
        trajectories: Of one clip.
        overlap: In [0, 1]. A duplicate's mean IoU with the better one, over the frames that both
            have, is at least this.
        share: In (0, 1]. At least this share of a duplicate's frames are the better one's too.

    Returns:
        Those that stay, in the order in which they came.

    Raises:
        ValueError: If `overlap` or `share` is out of range.
    """
    if not 0 <= overlap <= 1 or not 0 < share <= 1:
        raise ValueError(f"overlap and share must be in (0, 1], got {overlap} and {share}")
    places = [_Course(trajectory) for trajectory in trajectories]
    order = sorted(
        range(len(trajectories)),
        key=lambda index: -trajectories[index].confidence * len(trajectories[index]),
    )
    kept: list[int] = []
    for index in order:
        if not any(_goes_along(places[index], places[better], overlap, share) for better in kept):
            kept.append(index)
    return tuple(trajectories[index] for index in sorted(kept))


class _Course:
    """A trajectory as arrays: its frames, its boxes, and the box around all of them."""

    def __init__(self, trajectory: Trajectory) -> None:
        self.frames = np.array(trajectory.frames)
        self.boxes = np.array(trajectory.boxes, np.float64)
        self.around = (*self.boxes[:, :2].min(axis=0), *self.boxes[:, 2:].max(axis=0))


def _goes_along(one: _Course, better: _Course, overlap: float, share: float) -> bool:
    x0, y0, x1, y1 = one.around
    u0, v0, u1, v1 = better.around
    if overlap > 0 and (x0 >= u1 or u0 >= x1 or y0 >= v1 or v0 >= y1):
        return False
    _, mine, theirs = np.intersect1d(one.frames, better.frames, return_indices=True)
    if not len(mine) or len(mine) < share * len(one.frames):
        return False
    return bool(_paired_iou(one.boxes[mine], better.boxes[theirs]).mean() >= overlap)


def _paired_iou(boxes: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,): the IoU of each box with the one of the same row."""
    sides = np.minimum(boxes[:, 2:], others[:, 2:]) - np.maximum(boxes[:, :2], others[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    areas = [(each[:, 2:] - each[:, :2]).prod(axis=1) for each in (boxes, others)]
    found: NDArray[np.float64] = shared / np.maximum(areas[0] + areas[1] - shared, 1e-12)
    return found
