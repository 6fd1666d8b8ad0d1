"""Linear weights that part examples by a margin: a support vector machine with bounds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra

__all__ = ["Prior", "fit_margin"]

MOST_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """What weights are without any example.

    Attributes:
        penalty: (D,) float32, not negative: how much each weight is held to `centre`.
        centre: (D,) float32.
        least: (D,) float32: how small each may become, -inf where it is free.
    """

    penalty: NDArray[np.float32]
    centre: NDArray[np.float32]
    least: NDArray[np.float32]


def fit_margin(
    examples: NDArray[np.float32],
    positive: NDArray[np.bool_],
    *,
    trade_off: float,
    start: NDArray[np.float32],
    prior: Prior,
) -> NDArray[np.float32]:
    """Minimise ``1/2 sum p (w - c)^2 + C sum max(0, 1 - y w.x)^2`` with ``w >= least``.

    The loss is the hinge's square (a published deformable part model uses the hinge itself), whose
    slope has no jump: L-BFGS-B finds the one minimum, with the bounds that deformations need.

    Args:
        examples: (N, D) float32, one x a row.
        positive: (N,) bool: whether y is 1 or -1.
        trade_off: C, positive.
        start: (D,) float32, where the search begins.
        prior: The penalties p, the centre c and the bounds.

    Returns:
        (D,) float32.

    Raises:
        ValueError: If all examples are of one kind, or there is none.
        ModelError: If scipy is not installed.
    """
    if not positive.any() or positive.all():
        raise ValueError(
            f"examples must be of both kinds, got {np.count_nonzero(positive)} positive ones "
            f"of {len(positive)}"
        )
    with torch_extra():
        from scipy.optimize import Bounds, minimize
    sign = np.where(positive, 1, -1).astype(np.float32)
    penalty, centre = prior.penalty.astype(np.float64), prior.centre.astype(np.float64)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        short = np.maximum(1 - sign * (examples @ weights.astype(np.float32)), 0)
        slope = (sign * short) @ examples
        away = weights - centre
        lost = float(np.square(short, dtype=np.float64).sum())
        value = 0.5 * float(penalty @ away**2) + trade_off * lost
        return value, penalty * away - 2 * trade_off * slope.astype(np.float64)

    found = minimize(
        loss,
        np.maximum(start, prior.least).astype(np.float64),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(prior.least.astype(np.float64), np.inf),
        options={"maxiter": MOST_STEPS},
    )
    fitted: NDArray[np.float32] = found.x.astype(np.float32)
    # Rounding to single precision must not cross a bound.
    return np.maximum(fitted, prior.least)
