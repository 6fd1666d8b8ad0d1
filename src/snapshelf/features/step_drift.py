"""Trajectories that follow something else for a while, as where a tracker has lost its item."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["drifted_steps"]


def drifted_steps(
    trajectories: NDArray[np.float32],
    others: NDArray[np.float32],
    share: float,
    seed: int = 0,
) -> NDArray[np.float32]:
    """Replace a stretch of each trajectory by what another one shows at the same steps.

    Args:
        trajectories: Features of the steps, ``(N, T, D)`` float32.
        others: Of trajectories of something else, ``(M, T, D)`` float32, M >= 1; each is drawn
            with the same probability.
        share: Of the T steps, in [0, 1).
        seed: Decides where a stretch begins, and whose steps it has.

    Returns:
        ``(N, T, D)`` float32; the trajectories themselves where the share is less than half a step.

    Raises:
        ValueError: If the share is out of range, or the others have other steps or are none.
    """
    many, steps = trajectories.shape[:2]
    if not 0 <= share < 1:
        raise ValueError(f"share must be in [0, 1), got {share}")
    if not len(others) or others.shape[1:] != trajectories.shape[1:]:
        raise ValueError(
            f"others must be at least one of shape {trajectories.shape[1:]}, got {others.shape}"
        )
    replaced = round(share * steps)
    if not replaced:
        return trajectories
    rng = np.random.default_rng(seed)
    drifted = trajectories.copy()
    starts = rng.integers(0, steps - replaced, (many, 1), endpoint=True)
    shown = rng.integers(0, len(others), (many, 1))
    stretch = starts + np.arange(replaced)
    drifted[np.arange(many)[:, None], stretch] = others[shown, stretch]
    return drifted
