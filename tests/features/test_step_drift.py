"""Trajectories that follow something else for a while."""

import numpy as np
import pytest

from snapshelf.features.step_drift import drifted_steps


def trajectories(many, first=0, steps=8):
    """Each step tells which of the trajectories it is of, and its own place."""
    return np.array(
        [[[first + number, step] for step in range(steps)] for number in range(many)], np.float32
    )


@pytest.mark.parametrize(("share", "replaced"), [(0.25, 2), (0.5, 4), (0.9, 7)])
def test_one_stretch_shows_one_of_the_others_at_the_same_steps(share, replaced):
    given, others = trajectories(50), trajectories(5, first=100)
    kept = given.copy()
    found = drifted_steps(given, others, share, seed=3)
    assert (given == kept).all()
    begun, shown = set(), set()
    for own, steps in enumerate(found):
        assert steps[:, 1].tolist() == list(range(8))
        elsewhere = np.flatnonzero(steps[:, 0] != own)
        assert elsewhere.tolist() == list(range(elsewhere[0], elsewhere[0] + replaced))
        (other,) = set(steps[elsewhere, 0].tolist())
        begun.add(int(elsewhere[0]))
        shown.add(other)
    assert begun == set(range(8 - replaced + 1))
    assert shown == {100, 101, 102, 103, 104}
    assert (found == drifted_steps(given, others, share, seed=3)).all()
    assert (found != drifted_steps(given, others, share, seed=4)).any()


def test_what_stays_as_it_is():
    given = trajectories(7)
    assert drifted_steps(given, given, 0.0) is given
    assert drifted_steps(given, given, 0.06) is given
    assert drifted_steps(given[:0], given, 0.5).shape == (0, 8, 2)


def test_what_is_refused():
    given = trajectories(7)
    for share in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match=r"share must be in \[0, 1\)"):
            drifted_steps(given, given, share)
    for others in (given[:0], given[:, :5], given[:, :, :1]):
        with pytest.raises(ValueError, match=r"at least one of shape \(8, 2\), got"):
            drifted_steps(given, others, 0.5)
