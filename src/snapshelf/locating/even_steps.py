"""A trajectory with no more steps than are looked at."""

from dataclasses import replace

import numpy as np

from snapshelf.locating.trajectory import Trajectory

__all__ = ["even_steps"]


def even_steps(trajectory: Trajectory, most: int) -> Trajectory:
    """Leave steps of a trajectory out, evenly.

    Args:
        trajectory: Of any length.
        most: Steps that stay at most, at least 2; the first and the last are always among them.

    Returns:
        The same trajectory where it is no longer than that.

    Raises:
        ValueError: If `most` is below 2.

    Example:
        >>> course = Trajectory(1, (0, 1, 2, 3, 4), (0.0, 0.1, 0.2, 0.3, 0.4), ((0, 0, 9, 9),) * 5)
        >>> even_steps(course, 3).frames
        (0, 2, 4)
    """
    if most < 2:
        raise ValueError(f"most must be at least 2, got {most}")
    if len(trajectory) <= most:
        return trajectory
    picked = np.linspace(0, len(trajectory) - 1, most).round().astype(int).tolist()
    return replace(
        trajectory,
        frames=tuple(trajectory.frames[step] for step in picked),
        times=tuple(trajectory.times[step] for step in picked),
        boxes=tuple(trajectory.boxes[step] for step in picked),
    )
