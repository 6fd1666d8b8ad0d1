"""Trajectories of one length, by a sliding window.

Cheng, Wu, Liu, Hua: Video2Shop, Section 6.1: "a sliding window is used to unify the length of
clothing trajectories into 32". How far it slides is not told, nor what becomes of shorter ones.
"""

from dataclasses import replace

import numpy as np

from snapshelf.locating.trajectory import Trajectory

__all__ = ["STEPS", "trajectory_windows", "window_steps"]

STEPS = 32
"""Of a window, by the paper."""


def trajectory_windows(
    trajectory: Trajectory, *, steps: int = STEPS, stride: int = STEPS // 2
) -> tuple[Trajectory, ...]:
    """Cut a trajectory into windows of one length.

    Args:
        trajectory: Of any length. A shorter one is stretched: its steps are repeated evenly.
        steps: Of each window, at least 1.
        stride: Steps from one window to the next, at least 1. The last window ends where the
            trajectory does, so it may be nearer to the one before.

    Returns:
        At least one; the number, label and confidence are those of the whole.

    Raises:
        ValueError: If `steps` or `stride` is below 1.

    Example:
        >>> course = Trajectory(1, (0, 1, 2), (0.0, 0.1, 0.2), ((0.0, 0.0, 9.0, 9.0),) * 3)
        >>> [window.frames for window in trajectory_windows(course, steps=2, stride=2)]
        [(0, 1), (1, 2)]
        >>> [window.frames for window in trajectory_windows(course, steps=5)]
        [(0, 0, 1, 2, 2)]
    """
    return tuple(
        replace(
            trajectory,
            frames=tuple(trajectory.frames[step] for step in picked),
            times=tuple(trajectory.times[step] for step in picked),
            boxes=tuple(trajectory.boxes[step] for step in picked),
        )
        for picked in window_steps(len(trajectory), steps=steps, stride=stride)
    )


def window_steps(
    length: int, *, steps: int = STEPS, stride: int = STEPS // 2
) -> tuple[tuple[int, ...], ...]:
    """Give which steps each window takes: what has been computed for a step once, serves all.

    Args:
        length: Steps of the trajectory, at least 1.
        steps: As `trajectory_windows` takes it.
        stride: Likewise.

    Returns:
        For each window its steps, ascending, in [0, length).

    Raises:
        ValueError: If a number is below 1.
    """
    if min(length, steps, stride) < 1:
        raise ValueError(
            f"length, steps and stride must be at least 1, got {length}, {steps} and {stride}"
        )
    if length <= steps:
        return (tuple(np.linspace(0, length - 1, steps).round().astype(int).tolist()),)
    starts = [*range(0, length - steps, stride), length - steps]
    return tuple(tuple(range(start, start + steps)) for start in starts)
