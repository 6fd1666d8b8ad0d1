"""Which region of a key frame is which thing that has been followed to it."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.assignment import best_pairs
from snapshelf.locating.boxes import iou

__all__ = ["Courses", "associate", "course_overlaps", "joined_course"]

Courses = NDArray[np.float64]
"""(N, S, 4) float64: where N things are in S frames, as `Box`; NaN where one is not known."""


def course_overlaps(courses: Courses, others: Courses) -> NDArray[np.float64]:
    """Give how much the courses of things cover each other.

    Args:
        courses: (N, S, 4), N >= 0.
        others: (M, S, 4), in the same frames.

    Returns:
        (N, M) float64, [0, 1]: the mean IoU over the frames in which both are known, 0 where there
        is none.
    """
    total = np.zeros((len(courses), len(others)))
    common = np.zeros_like(total)
    for step in range(courses.shape[1]):
        here, there = courses[:, step], others[:, step]
        both = np.outer(np.isfinite(here).all(axis=1), np.isfinite(there).all(axis=1))
        overlaps = iou(np.nan_to_num(here), np.nan_to_num(there))
        total += np.where(both, overlaps, 0)
        common += both
    return np.divide(total, common, out=np.zeros_like(total), where=common > 0)


def associate(
    overlaps: NDArray[np.float64],
    likeness: NDArray[np.float64],
    *,
    least_overlap: float,
    least_likeness: float,
    weight: float,
) -> tuple[tuple[int, int], ...]:
    """Pair followed things with regions, each with one at most, so that the pairs fit best.

    Args:
        overlaps: (N, M) float, [0, 1], as `course_overlaps` gives them.
        likeness: (N, M) float: how alike they look, at most 1.
        least_overlap: Pairs that overlap less are not made.
        least_likeness: Pairs that are less alike are not made.
        weight: In [0, 1]: of the likeness in a pair's fit; the rest is that of the overlap.

    Returns:
        Pairs of a followed thing and a region whose sum of fits is the largest.
    """
    allowed = (overlaps >= least_overlap) & (likeness >= least_likeness)
    fit = (1 - weight) * overlaps + weight * likeness
    return best_pairs(np.where(allowed, fit, 0))


def joined_course(forward: NDArray[np.float64], backward: NDArray[np.float64]) -> Courses:
    """Join the course from the first key frame on with that from the last one back.

    Near a key frame its own course counts more, so that boxes grow and shrink evenly from one
    region's size to the other's.

    Args:
        forward: (S, 4) float64, S >= 2, known in the first frame; NaN where it is lost.
        backward: (S, 4) float64, known in the last frame.

    Returns:
        (S, 4) float64, known everywhere: where both are lost, straight between the known ones.
    """
    steps = np.arange(len(forward))
    share = (steps / steps[-1])[:, None]
    there, back = np.isfinite(forward), np.isfinite(backward)
    both = (1 - share) * forward + share * backward
    course = np.where(there & back, both, np.where(there, forward, backward))
    for side in range(4):
        known = np.isfinite(course[:, side])
        course[:, side] = np.interp(steps, steps[known], course[known, side])
    return course
