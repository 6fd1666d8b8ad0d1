"""Confidence of the first match, and of those behind it."""

from itertools import accumulate, pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshelf.matching.confidence import Calibration

MATCHES = st.lists(st.tuples(st.floats(-1, 2), st.floats(0, 1)), max_size=6)


@given(matches=MATCHES, added_slope=st.none() | st.floats(0, 5))
def test_a_later_match_counts_where_those_before_it_are_wrong(matches, added_slope):
    curve = Calibration(6.0, -3.0, 0.5, added_slope)
    own = [curve.confidence(*match) for match in matches]
    expected = [0.0] * len(matches)
    # Every way in which the curve may be right or wrong of each match: the first right one counts.
    for outcome in product((True, False), repeat=len(matches)):
        likely = 1.0
        for is_right, chance in zip(outcome, own, strict=True):
            likely *= chance if is_right else 1 - chance
        if True in outcome:
            expected[outcome.index(True)] += likely
    found = curve.confidences(matches)
    assert found == pytest.approx(list(accumulate(expected, min)), abs=1e-9)
    assert sum(found) <= 1 + 1e-9
    assert found[:1] == own[:1]


def test_no_match_is_surer_than_one_before_it():
    # Re-ranking has put first what its own evidence speaks for; the curve hardly believes that.
    curve = Calibration(12.8, -4.9, 0.1, 1.5)
    matches = [(0.9, 0.75), (0.5, 0.0), (0.1, 0.0)]
    likely = [curve.confidence(*match) for match in matches]
    assert likely[1] * (1 - likely[0]) > likely[0]
    first, second, third = curve.confidences(matches)
    assert first == second == likely[0]
    assert third < second
    assert curve.confidences(matches[:1]) == [first]


@given(similarities=st.lists(st.floats(-1, 1), max_size=9))
def test_confidence_falls_with_similarity(similarities):
    ordered = sorted(similarities, reverse=True)
    found = Calibration(14.0, -5.0).confidences((value, 0.0) for value in ordered)
    assert all(after <= before + 1e-12 for before, after in pairwise(found))
