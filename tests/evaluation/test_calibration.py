"""Calibration against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.calibration import _sigmoid_calibration, calibration_curve

from snapshelf.evaluation import (
    FirstPlaces,
    collect_first_places,
    evaluate,
    fit_calibration,
    fit_confidence,
    reliability,
)
from snapshelf.matching import Calibration


def overlapping(seed, count=400, middle=0.85, width=0.03):
    rng = np.random.default_rng(seed)
    similarities = rng.normal(middle, width, count)
    correct = rng.random(count) < 1 / (1 + np.exp(-(similarities - middle) / width))
    return similarities, correct


@pytest.mark.parametrize(
    ("middle", "width", "count"),
    [(0.85, 0.03, 400), (-0.5, 0.2, 50), (0.0, 1.0, 5000), (0.99, 1e-4, 200)],
)
def test_the_fit_is_that_of_scikit_learn(middle, width, count):
    similarities, correct = overlapping(count, count, middle, width)
    fitted = fit_calibration(similarities, correct)
    # Standardised for scikit-learn, whose optimiser is not invariant to scale.
    mean, spread = similarities.mean(), similarities.std()
    slope, intercept = _sigmoid_calibration((similarities - mean) / spread, correct)
    for value in np.quantile(similarities, [0, 0.1, 0.5, 0.9, 1]):
        expected = 1 / (1 + np.exp(slope * (value - mean) / spread + intercept))
        assert fitted.confidence(value) == pytest.approx(expected, abs=2e-4)
    assert fitted.threshold == 0.5


def loss(slope, intercept, similarities, correct):
    rights, wrongs = correct.sum(), (~correct).sum()
    targets = np.where(correct, (rights + 1) / (rights + 2), 1 / (wrongs + 2))
    logits = slope * similarities + intercept
    return float(np.sum(np.logaddexp(0, logits) - targets * logits))


# Similarities are float32: two that differ in float64's last bit would ask for a slope of 1e16.
PAIR = st.tuples(st.floats(-1, 1, allow_subnormal=False, width=32), st.booleans())


@given(pairs=st.lists(PAIR, min_size=2, max_size=40).filter(lambda p: len({r for _, r in p}) == 2))
@settings(max_examples=200, deadline=None)
def test_no_other_rising_curve_fits_better(pairs):
    similarities = np.array([value for value, _ in pairs])
    correct = np.array([right for _, right in pairs])
    fitted = fit_calibration(similarities, correct)
    assert fitted.slope >= 0
    assert np.isfinite([fitted.slope, fitted.intercept]).all()
    least = loss(fitted.slope, fitted.intercept, similarities, correct)
    for slope in (0.0, 0.5, 0.9, 0.99, 1.01, 1.1, 2.0):
        for shift in (-0.3, -0.01, 0.0, 0.01, 0.3):
            pivot = similarities.mean()
            other = slope * (fitted.slope or 1.0)
            intercept = fitted.intercept + (fitted.slope - other) * pivot + shift
            assert least <= loss(other, intercept, similarities, correct) + 1e-6


def test_separated_matches_give_a_finite_steep_curve():
    fitted = fit_calibration([0.1, 0.2, 0.8, 0.9] * 50, [False, False, True, True] * 50)
    assert 5 < fitted.slope < 1000
    assert fitted.confidence(0.2) < 0.02
    assert fitted.confidence(0.8) > 0.98


def test_a_falling_curve_is_refused_and_becomes_flat():
    fitted = fit_calibration([0.9, 0.8, 0.2, 0.1], [False, False, False, True])
    assert fitted.slope == 0
    assert fitted.confidence(-1) == pytest.approx(((2 / 3) + 3 / 5) / 4)
    assert fit_calibration([0.5, 0.5], [True, False]).slope == 0


def test_reliability_is_that_of_scikit_learn():
    similarities, correct = overlapping(3, 1000)
    fitted = fit_calibration(similarities, correct)
    confidence = np.array([fitted.confidence(value) for value in similarities])
    confidence[:3] = 0.0, 0.2, 1.0  # on the bins' edges
    shares, means = calibration_curve(correct, confidence, n_bins=5)
    result = reliability(confidence, correct, bins=5)
    assert result.right == pytest.approx(shares)
    assert result.confidence == pytest.approx(means)
    assert result.error == pytest.approx(
        sum(abs(s - m) * c for s, m, c in zip(shares, means, result.counts, strict=True)) / 1000
    )
    assert result.error < 0.05
    assert reliability(1 - confidence, correct, bins=5).error > 0.2


def test_empty_bins_count_nothing():
    result = reliability([0.95, 0.95, 0.05], [True, False, False], bins=10)
    assert result.counts.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert np.isnan(result.right[1:9]).all()
    assert result.error == pytest.approx((0.05 + 2 * 0.45) / 3)
    assert reliability([1.0, 1.0], [True, True]).error == 0


def test_first_places_are_those_of_each_query_with_and_without_its_right_products(paints, eye):
    evaluation = evaluate(eye, paints)
    places = collect_first_places(evaluation)
    assert len(places.similarities) == len(places.right) == 10
    assert places.right[:5].tolist() == [outcome.rank == 1 for outcome in evaluation.outcomes]
    assert places.sold.tolist() == [True] * 5 + [False] * 5
    assert not places.right[5:].any()
    assert not places.added.any()
    for outcome, similarity in zip(evaluation.outcomes, places.similarities[5:], strict=True):
        assert similarity == pytest.approx(
            max(f.similarity for f in outcome.found if f.product not in outcome.query.products)
        )
    fitted = fit_confidence(places)
    assert fitted.slope > 0
    assert fitted.added_slope is None


def reranked(seed, embedded_slope, added_slope, count=2000):
    """Draw what re-ranking adds, and what is right, by the very model that is fitted."""
    rng = np.random.default_rng(seed)
    embedded = rng.normal(0.4, 0.15, count)
    added = np.where(rng.random(count) < 0.4, rng.exponential(0.5, count), 0)
    logits = embedded_slope * (embedded - 0.4) + added_slope * (added - 0.2)
    return embedded + added, added, rng.random(count) < 1 / (1 + np.exp(-logits))


def test_what_reranking_adds_has_a_slope_of_its_own():
    similarities, added, correct = reranked(0, 12, 2)
    fitted = fit_calibration(similarities, correct, added=added)
    assert fitted.slope == pytest.approx(12, rel=0.15)
    assert fitted.added_slope == pytest.approx(2, rel=0.15)
    shared = fit_calibration(similarities, correct)
    errors = [
        reliability(
            [c.confidence(*pair) for pair in zip(similarities, added, strict=True)], correct
        )
        for c in (fitted, shared)
    ]
    assert errors[0].error < 0.03
    assert errors[1].error > 2 * errors[0].error, "else one slope would do"


@pytest.mark.parametrize(
    ("slopes", "flat"), [((8, 3), ""), ((8, -3), "added"), ((-8, 3), "own"), ((-8, -3), "both")]
)
@pytest.mark.parametrize("count", [12, 300])
def test_no_slopes_that_are_not_negative_fit_better(slopes, flat, count):
    similarities, added, correct = reranked(5, *slopes, count)
    fitted = fit_calibration(similarities, correct, added=added)
    rights, wrongs = correct.sum(), (~correct).sum()
    targets = np.where(correct, (rights + 1) / (rights + 2), 1 / (wrongs + 2))

    def surprise(weights):
        logits = weights[0] * (similarities - added) + weights[1] * added + weights[2]
        return float(np.sum(np.logaddexp(0, logits) - targets * logits))

    bounds = [(0, None), (0, None), (None, None)]
    best = min(
        minimize(surprise, start, bounds=bounds).fun
        for start in ((0, 0, 0), (5, 0, -2), (0, 2, -1), (5, 2, -3))
    )
    assert surprise((fitted.slope, fitted.added_slope, fitted.intercept)) <= best + 1e-4
    assert min(fitted.slope, fitted.added_slope) >= 0
    if count == 300:
        assert (fitted.slope == 0) is (flat in ("own", "both"))
        assert (fitted.added_slope == 0) is (flat in ("added", "both"))


def test_where_nothing_is_added_there_is_one_slope():
    similarities, correct = overlapping(1)
    plain = fit_calibration(similarities, correct)
    assert fit_calibration(similarities, correct, added=np.zeros(400)) == plain
    assert plain.added_slope is None


def test_the_threshold_lets_nine_of_ten_pass_that_are_sold():
    similarities, added, correct = reranked(3, 12, 2, 200)
    sold = np.arange(200) < 100
    fitted = fit_confidence(FirstPlaces(similarities, added, correct & sold, sold))
    confidences = [fitted.confidence(*pair) for pair in zip(similarities, added, strict=True)]
    assert np.mean(np.array(confidences)[sold] >= fitted.threshold) == 0.9
    assert fitted.threshold in confidences


def test_confidence_of_a_match_that_was_reranked():
    own = Calibration(10.0, -6.0, 0.5, 2.0)
    expected = 1 / (1 + np.exp(-(10 * 0.5 + 2 * 0.3 - 6)))
    assert own.confidence(0.8, 0.3) == pytest.approx(expected)
    assert own.confidence(0.5) == own.confidence(0.5, 0.0) == pytest.approx(1 / (1 + np.exp(1)))
    assert Calibration(10.0, -6.0).confidence(0.8, 0.3) == Calibration(10.0, -6.0).confidence(0.8)
    assert Calibration(9.0, 0.0, 0.5, 9.0).confidence(-80, -1) == pytest.approx(0)


BAD_FITS = [
    ([0.1], [True, False], r"the same shape \(N,\) with N >= 1, got \(1,\) and \(2,\)"),
    ([], [], "N >= 1"),
    ([[0.1, 0.2]], [[True, False]], "the same shape"),
    ([0.1, np.nan], [True, False], "similarities must be finite, got nan"),
    ([0.1, 0.2], [1, 0], "correct must be bool, got int64"),
    ([0.1, 0.2], [True, True], "got 2 right ones of 2"),
    ([0.1, 0.2], [False, False], "got 0 right ones of 2"),
]


@pytest.mark.parametrize(("similarities", "correct", "message"), BAD_FITS)
def test_bad_matches_are_named(similarities, correct, message):
    with pytest.raises(ValueError, match=message):
        fit_calibration(similarities, correct)


def test_bad_gains_are_named():
    with pytest.raises(ValueError, match="added must be finite, got inf"):
        fit_calibration([0.1, 0.2], [True, False], added=[0, np.inf])
    with pytest.raises(ValueError, match="added and correct must have the same shape"):
        fit_calibration([0.1, 0.2], [True, False], added=[0.1])


def test_bad_options_are_named():
    with pytest.raises(ValueError, match=r"threshold must be in \[0, 1\], got 1.5"):
        fit_calibration([0.1, 0.2], [True, False], threshold=1.5)
    with pytest.raises(ValueError, match=r"confidence must be in \[0, 1\], got 0.1 to 1.2"):
        reliability([0.1, 1.2], [True, False])
    with pytest.raises(ValueError, match="bins must be at least 1, got 0"):
        reliability([0.1], [True], bins=0)
