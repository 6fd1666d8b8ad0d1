"""Confidence of the first match, and of those behind it."""

from itertools import pairwise, product

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
    assert found == pytest.approx(expected, abs=1e-9)
    assert sum(found) <= 1 + 1e-9
    assert found[:1] == own[:1]


@given(similarities=st.lists(st.floats(-1, 1), max_size=9))
def test_confidence_falls_with_similarity(similarities):
    ordered = sorted(similarities, reverse=True)
    found = Calibration(14.0, -5.0).confidences((value, 0.0) for value in ordered)
    assert all(after <= before + 1e-12 for before, after in pairwise(found))
