"""Trajectories that follow something else for a while, as where a tracker has lost its item."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["drifted_steps"]


def drifted_steps(
    trajectories: NDArray[np.float32], owners: Sequence[int], share: float, seed: int = 0
) -> NDArray[np.float32]:
    """Replace a stretch of each trajectory by what one of another product shows at the same steps.

    Args:
        trajectories: Features of the steps, ``(N, T, D)`` float32.
        owners: The product of each, N.
        share: Of the T steps, in [0, 1).
        seed: Decides where a stretch begins, and whose steps it has.

    Returns:
        ``(N, T, D)`` float32; the trajectories as they are where the share is less than half a
        step, or all are of one product.

    Raises:
        ValueError: If the share is out of range, or there are not as many owners.
    """
    many, steps = trajectories.shape[:2]
    if not 0 <= share < 1:
        raise ValueError(f"share must be in [0, 1), got {share}")
    if len(owners) != many:
        raise ValueError(f"expected the owners of {many} trajectories, got {len(owners)}")
    replaced = round(share * steps)
    if not replaced or len(set(owners)) < 2:
        return trajectories
    rng = np.random.default_rng(seed)
    own = np.asarray(owners)
    drifted = trajectories.copy()
    for row, start in enumerate(rng.integers(0, steps - replaced, many, endpoint=True)):
        other = row
        while own[other] == own[row]:
            other = int(rng.integers(many))
        drifted[row, start : start + replaced] = trajectories[other, start : start + replaced]
    return drifted
