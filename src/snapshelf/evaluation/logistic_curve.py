"""Fit a logistic curve that never falls, over one or a few numbers.

Lin, Lin, Weng: A Note on Platt's Probabilistic Outputs for Support Vector Machines, 2007: Newton
steps that are halved while they are too long.
"""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_rising_curve"]

RIDGE = 1e-9
"""Weight of the penalty on the squared slopes and intercept, on standardised numbers."""

MOST_STEPS = 100

FloatArray = NDArray[np.float64]


def fit_rising_curve(values: FloatArray, targets: FloatArray) -> tuple[FloatArray, float]:
    """Minimise the cross-entropy of a curve ``1 / (1 + exp(-(values @ slopes + intercept)))``.

    The optimum under the bound has some of the slopes at 0 and is that of the rest without a bound,
    so all choices of a rest are tried.

    Args:
        values: (N, K) float64, finite, N >= 1; K is small, as there are 2 ** K choices.
        targets: (N,) float64, in (0, 1).

    Returns:
        Slopes (K,) float64, none negative, and the intercept. The slope of a column that is
        constant is 0.
    """
    means, spreads = values.mean(axis=0), values.std(axis=0)
    varied = np.flatnonzero(spreads)
    share = float(targets.mean())
    best = np.array([np.log(share / (1 - share))])
    chosen: tuple[int, ...] = ()
    least = _loss(np.ones((len(values), 1)), targets, best)
    for count in range(1, len(varied) + 1):
        for columns in combinations(varied.tolist(), count):
            own = list(columns)
            design = np.column_stack(
                [(values[:, own] - means[own]) / spreads[own], np.ones(len(values))]
            )
            weights = _newton(design, targets)
            loss = _loss(design, targets, weights)
            if (weights[:-1] > 0).all() and loss < least:
                best, chosen, least = weights, columns, loss
    slopes = np.zeros(values.shape[1])
    slopes[list(chosen)] = best[:-1] / spreads[list(chosen)]
    return slopes, float(best[-1] - slopes @ means)


def _newton(design: FloatArray, targets: FloatArray) -> FloatArray:
    """Minimise the cross-entropy, each step halved while it is too long.

    Args:
        design: (N, W) float64: standardised numbers, and a column of ones.
        targets: (N,) float64, in (0, 1).

    Returns:
        (W,) float64.
    """
    weights = np.zeros(design.shape[1])
    loss = _loss(design, targets, weights)
    for _ in range(MOST_STEPS):
        confidence = 0.5 * (1 + np.tanh(0.5 * (design @ weights)))
        gradient = design.T @ (confidence - targets) + RIDGE * weights
        curvature = (design.T * (confidence * (1 - confidence))) @ design
        step = np.linalg.solve(curvature + RIDGE * np.eye(len(weights)), gradient)
        expected = float(gradient @ step)
        scale = 1.0
        while scale > 1e-10:
            shorter = weights - scale * step
            shorter_loss = _loss(design, targets, shorter)
            if shorter_loss <= loss - 1e-4 * scale * expected:
                break
            scale /= 2
        else:
            break
        weights, loss = shorter, shorter_loss
        if expected < 1e-12 * len(design):
            break
    return weights


def _loss(design: FloatArray, targets: FloatArray, weights: FloatArray) -> float:
    logits = design @ weights
    entropy = np.logaddexp(0, logits) - targets * logits
    return float(entropy.sum() + 0.5 * RIDGE * (weights @ weights))
