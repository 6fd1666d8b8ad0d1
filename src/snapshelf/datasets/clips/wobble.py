"""Smooth, irregular movement in time: what a hand, and automatic exposure, cannot help."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Wobble"]

SWAY = (0.25, 0.9)
TREMOR = (2.5, 6.0)
"""Hertz."""

TREMBLING = 0.06
"""The tremor's share of the amplitude."""


@dataclass(frozen=True, slots=True, eq=False)
class Wobble:
    """Several functions of time, each a sum of sines that has no period.

    ``f_c(t) = sum_k a_k sin(2 pi (h_ck t + p_ck))``: two slow ones and a faint fast one.

    Attributes:
        hertz: (C, 3) float64, h.
        phases: (C, 3) float64, p, in periods.
    """

    hertz: NDArray[np.float64]
    phases: NDArray[np.float64]

    @classmethod
    def draw(cls, channels: int, rng: np.random.Generator) -> Self:
        """Draw so many functions."""
        hertz = np.column_stack(
            [rng.uniform(*SWAY, (channels, 2)), rng.uniform(*TREMOR, (channels, 1))]
        )
        return cls(hertz, rng.uniform(0, 1, (channels, 3)))

    def at(self, times: ArrayLike) -> NDArray[np.float64]:
        """Give the values at some times.

        Args:
            times: (N,), in seconds.

        Returns:
            (N, C) float64 in [-1, 1].
        """
        turns = np.asarray(times, np.float64)[:, None, None] * self.hertz + self.phases
        weights = np.array([1, 1, 2 * TREMBLING]) / (2 + 2 * TREMBLING)
        result: NDArray[np.float64] = np.sin(2 * np.pi * turns) @ weights
        return result
