"""Fit the curve from similarity to confidence, and see how far it can be trusted.

Platt: Probabilistic Outputs for Support Vector Machines, 1999, with the smoothed targets of Lin,
Lin, Weng: A Note on Platt's Probabilistic Outputs, 2007.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snapshelf.evaluation.evaluation import Evaluation
from snapshelf.evaluation.logistic_curve import fit_rising_curve
from snapshelf.matching.confidence import Calibration

__all__ = [
    "FirstPlaces",
    "Reliability",
    "collect_first_places",
    "fit_calibration",
    "fit_confidence",
    "presence_threshold",
    "reliability",
]


@dataclass(frozen=True, eq=False, slots=True)
class FirstPlaces:
    """What a calibration is fitted on: first places of searches, and whether they are right.

    Attributes:
        similarities: (N,) float64.
        added: (N,) float64, what of them re-ranking has added to those of the embeddings.
        right: (N,) bool.
        sold: (N,) bool, whether the product searched for is in the gallery.
    """

    similarities: NDArray[np.float64]
    added: NDArray[np.float64]
    right: NDArray[np.bool_]
    sold: NDArray[np.bool_]

    def confidences(self, calibration: Calibration) -> NDArray[np.float64]:
        """Give the confidence of each, (N,) float64."""
        pairs = zip(self.similarities.tolist(), self.added.tolist(), strict=True)
        return np.array([calibration.confidence(*pair) for pair in pairs], np.float64)


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


def collect_first_places(evaluation: Evaluation) -> FirstPlaces:
    """Collect the first places of an evaluation.

    Each query counts twice: once as it is, with its best match and whether that is right, and
    once as if the shop did not sell its right products, with the best of the wrong ones. The
    second teaches the confidence to say "not in this catalogue".

    Args:
        evaluation: Of queries that the system was not trained on.

    Returns:
        First those of all Q queries as they are, then the others; fewer than Q where every product
        is right.
    """
    places = [
        (outcome.found[0].similarity, outcome.found[0].added, outcome.rank == 1, True)
        for outcome in evaluation.outcomes
    ] + [
        (outcome.wrong, outcome.wrong_added, False, False)
        for outcome in evaluation.outcomes
        if outcome.wrong is not None
    ]
    similarities, added, right, sold = zip(*places, strict=True)
    return FirstPlaces(
        np.array(similarities, np.float64),
        np.array(added, np.float64),
        np.array(right, np.bool_),
        np.array(sold, np.bool_),
    )


def fit_calibration(
    similarities: ArrayLike,
    correct: ArrayLike,
    *,
    added: ArrayLike | None = None,
    threshold: float = 0.5,
) -> Calibration:
    """Fit a logistic curve to matches that are known to be right or wrong.

    Minimises the cross-entropy between the confidence and Platt's smoothed targets,
    ``(R + 1) / (R + 2)`` for the R right matches and ``1 / (W + 2)`` for the W wrong ones, so
    that even perfectly separated matches give a finite slope. Where right matches are less
    alike than wrong ones the slope is 0: a larger similarity never lowers the confidence.

    Args:
        similarities: (N,) finite.
        correct: (N,) bool, at least one right and one wrong.
        added: (N,) finite: what of the similarities re-ranking has added. It has a slope of its
            own then. None, or all 0: there was no re-ranking.
        threshold: The confidence in [0, 1] from which a match counts as in the catalogue.

    Returns:
        The fitted calibration.

    Raises:
        ValueError: If the shapes disagree, a number is not finite, all matches are right
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
    gains = np.zeros_like(values) if added is None else _pairs("added", added, correct)[0]
    if not gains.any():
        slopes, intercept = fit_rising_curve(values[:, np.newaxis], targets)
        return Calibration(float(slopes[0]), intercept, threshold)
    slopes, intercept = fit_rising_curve(np.column_stack([values - gains, gains]), targets)
    return Calibration(float(slopes[0]), intercept, threshold, float(slopes[1]))


def presence_threshold(present: ArrayLike, *, refused: float = 0.1) -> float:
    """Find the confidence from which a best match speaks for the product being sold here.

    A shop loses more by sending away somebody who holds one of its products than by showing
    look-alikes of one it does not sell, so the cut is set by the first: it is the largest
    confidence below which at most a share `refused` of the searches for products that are sold
    here would fall.

    Args:
        present: (P,) confidences of first places where the right product was in the gallery.
        refused: The share, in [0, 1).

    Returns:
        The cut, one of the confidences given.

    Raises:
        ValueError: If there is no confidence or `refused` is out of range.
    """
    confidences = np.sort(np.asarray(present, np.float64))
    if not len(confidences):
        raise ValueError("present must hold at least one confidence, got none")
    if not 0 <= refused < 1:
        raise ValueError(f"refused must be in [0, 1), got {refused}")
    return float(confidences[int(refused * len(confidences))])


def fit_confidence(places: FirstPlaces) -> Calibration:
    """Fit the whole calibration of a system: the curve, and when a product is sold here.

    Args:
        places: Of queries that the system was not trained on, and that it is not going to be
            measured on.

    Raises:
        ValueError: If no first place is right, or all are, or no product is sold.
    """
    fitted = fit_calibration(places.similarities, places.right, added=places.added)
    return replace(fitted, threshold=presence_threshold(places.confidences(fitted)[places.sold]))


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
