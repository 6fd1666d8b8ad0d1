"""Fit the curve from similarity to confidence, and see how far it can be trusted.

Platt: Probabilistic Outputs for Support Vector Machines, 1999, with the smoothed targets and
the safeguarded Newton steps of Lin, Lin, Weng: A Note on Platt's Probabilistic Outputs, 2007.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snapshelf.evaluation.evaluation import Evaluation
from snapshelf.matching.confidence import Calibration

__all__ = [
    "Reliability",
    "collect_pairs",
    "fit_calibration",
    "fit_confidence",
    "presence_threshold",
    "reliability",
]

RIDGE = 1e-9
"""Weight of the penalty on the squared slope and intercept, on standardised similarities."""

MOST_STEPS = 100


@dataclass(frozen=True, eq=False, slots=True)
class Reliability:
    """How confidences compare with how often they were right.

    Attributes:
        error: Expected calibration error in [0, 1]: the mean over all matches of
            ``|mean confidence - share right|`` of the match's bin.
        counts: (B,) int64, the matches in each bin; bin b holds the confidences in
            (b / B, (b + 1) / B], the first also 0.
        confidence: (B,) float64, the mean confidence of each bin, NaN in an empty one.
        right: (B,) float64, the share of right matches of each bin, NaN in an empty one.
    """

    error: float
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    right: NDArray[np.float64]


def collect_pairs(evaluation: Evaluation) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Collect what a calibration is fitted on: first places, and whether they were right.

    Each query counts twice: once as it is, with its best match and whether that is right, and
    once as if the shop did not sell its right products, with the best of the wrong ones. The
    second teaches the confidence to say "not in this catalogue".

    Args:
        evaluation: Of queries that the system was not trained on.

    Returns:
        (N,) float64 similarities and (N,) bool whether right; N is twice the number of
        queries, less those to which every product is right.
    """
    first = [(outcome.found[0].similarity, outcome.rank == 1) for outcome in evaluation.outcomes]
    absent = [(o.wrong, False) for o in evaluation.outcomes if o.wrong is not None]
    pairs = first + absent
    return (
        np.array([similarity for similarity, _ in pairs], np.float64),
        np.array([right for _, right in pairs], np.bool_),
    )


def fit_calibration(
    similarities: ArrayLike, correct: ArrayLike, *, threshold: float = 0.5
) -> Calibration:
    """Fit a logistic curve to matches that are known to be right or wrong.

    Minimises the cross-entropy between the confidence and Platt's smoothed targets,
    ``(R + 1) / (R + 2)`` for the R right matches and ``1 / (W + 2)`` for the W wrong ones, so
    that even perfectly separated matches give a finite slope. Where right matches are less
    alike than wrong ones the slope is 0: a larger similarity never lowers the confidence.

    Args:
        similarities: (N,) finite.
        correct: (N,) bool, at least one right and one wrong.
        threshold: The confidence in [0, 1] from which a match counts as in the catalogue.

    Returns:
        The fitted calibration.

    Raises:
        ValueError: If the shapes disagree, a similarity is not finite, all matches are right
            or all are wrong, or `threshold` is out of range.
    """
    values, right = _pairs("similarities", similarities, correct)
    if right.all() or not right.any():
        raise ValueError(
            f"correct must hold right and wrong matches, got {int(right.sum())} right ones of "
            f"{len(right)}"
        )
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be in [0, 1], got {threshold}")
    rights, wrongs = int(right.sum()), int((~right).sum())
    targets = np.where(right, (rights + 1) / (rights + 2), 1 / (wrongs + 2))

    mean, spread = float(values.mean()), float(values.std())
    slope, shift = _newton((values - mean) / (spread or 1.0), targets)
    slope /= spread or 1.0
    if slope <= 0:
        share = float(targets.mean())
        return Calibration(0.0, float(np.log(share / (1 - share))), threshold)
    return Calibration(slope, shift - slope * mean, threshold)


def presence_threshold(present: ArrayLike, *, refused: float = 0.1) -> float:
    """Find the similarity from which a best match speaks for the product being sold here.

    A shop loses more by sending away somebody who holds one of its products than by showing
    look-alikes of one it does not sell, so the cut is set by the first: it is the largest
    similarity below which at most a share `refused` of the searches for products that are sold
    here would fall.

    Args:
        present: (P,) similarities of first places where the right product was in the gallery.
        refused: The share, in [0, 1).

    Returns:
        The cut, one of the similarities given.

    Raises:
        ValueError: If there is no similarity or `refused` is out of range.
    """
    similarities = np.sort(np.asarray(present, np.float64))
    if not len(similarities):
        raise ValueError("present must hold at least one similarity, got none")
    if not 0 <= refused < 1:
        raise ValueError(f"refused must be in [0, 1), got {refused}")
    return float(similarities[int(refused * len(similarities))])


def fit_confidence(evaluation: Evaluation) -> Calibration:
    """Fit the whole calibration of a system: the curve, and when a product is sold here.

    Args:
        evaluation: Of queries that the system was not trained on, and that it is not going to
            be measured on.

    Raises:
        ValueError: If no first place is right, or all are.
    """
    fitted = fit_calibration(*collect_pairs(evaluation))
    cut = presence_threshold([outcome.found[0].similarity for outcome in evaluation.outcomes])
    return replace(fitted, threshold=fitted.confidence(cut))


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = 10) -> Reliability:
    """Compare confidences with how often they were right, in bins of equal width.

    Args:
        confidence: (N,) in [0, 1], N >= 1.
        correct: (N,) bool, whether each match was right.
        bins: Number of bins, at least 1.

    Returns:
        The expected calibration error and what it is made of.

    Raises:
        ValueError: If the shapes disagree, there is no match, a confidence is not in [0, 1],
            or `bins` is below 1.
    """
    values, right = _pairs("confidence", confidence, correct)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(f"confidence must be in [0, 1], got {values.min():g} to {values.max():g}")
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    edges = np.linspace(0, 1, bins + 1)
    index = np.searchsorted(edges[1:-1], values)
    counts = np.bincount(index, minlength=bins)
    filled = np.where(counts, counts, np.nan)
    means = np.bincount(index, values, bins) / filled
    shares = np.bincount(index, right, bins) / filled
    error = float(np.nansum(np.abs(means - shares) * counts) / len(values))
    return Reliability(error, counts.astype(np.int64), means, shares)


def _newton(values: NDArray[np.float64], targets: NDArray[np.float64]) -> tuple[float, float]:
    """Minimise the cross-entropy of a logistic curve by Newton steps, halved while too long.

    Args:
        values: (N,) float64, standardised.
        targets: (N,) float64, in (0, 1).

    Returns:
        Slope and intercept.
    """
    design = np.stack([values, np.ones_like(values)], axis=1)
    weights = np.zeros(2)
    loss = _loss(design, targets, weights)
    for _ in range(MOST_STEPS):
        confidence = 0.5 * (1 + np.tanh(0.5 * (design @ weights)))
        gradient = design.T @ (confidence - targets) + RIDGE * weights
        curvature = (design.T * (confidence * (1 - confidence))) @ design + RIDGE * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
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
        if expected < 1e-12 * len(values):
            break
    return float(weights[0]), float(weights[1])


def _loss(
    design: NDArray[np.float64], targets: NDArray[np.float64], weights: NDArray[np.float64]
) -> float:
    logits = design @ weights
    entropy = np.logaddexp(0, logits) - targets * logits
    return float(entropy.sum() + 0.5 * RIDGE * (weights @ weights))


def _pairs(
    name: str, values: ArrayLike, correct: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Check and convert one number and one bool for each match."""
    numbers, right = np.asarray(values, np.float64), np.asarray(correct)
    if numbers.ndim != 1 or not len(numbers) or numbers.shape != right.shape:
        raise ValueError(
            f"{name} and correct must have the same shape (N,) with N >= 1, "
            f"got {numbers.shape} and {right.shape}"
        )
    if right.dtype != np.bool_:
        raise ValueError(f"correct must be bool, got {right.dtype}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} must be finite, got {numbers[~np.isfinite(numbers)][0]:g}")
    return numbers, right
