"""Trajectories that follow something else for a while."""

import numpy as np
import pytest

from snapshelf.features.step_drift import drifted_steps

OWNERS = [0, 0, 1, 2, 1, 0, 2]


def trajectories(steps=8):
    """Each step tells whose it is, which of its clips it is from, and its own place."""
    return np.array(
        [[[owner, clip, step] for step in range(steps)] for clip, owner in enumerate(OWNERS)],
        np.float32,
    )


@pytest.mark.parametrize(("share", "replaced"), [(0.25, 2), (0.5, 4), (0.9, 7)])
def test_one_stretch_shows_one_clip_of_another_product_at_the_same_steps(share, replaced):
    given = trajectories()
    kept = given.copy()
    found = drifted_steps(given, OWNERS, share, seed=3)
    assert (given == kept).all()
    for own, (owner, steps) in enumerate(zip(OWNERS, found, strict=True)):
        assert steps[:, 2].tolist() == list(range(8))
        elsewhere = np.flatnonzero(steps[:, 1] != own)
        assert elsewhere.tolist() == list(range(elsewhere[0], elsewhere[0] + replaced))
        assert len(set(steps[elsewhere, 1])) == 1
        assert owner not in steps[elsewhere, 0]
    assert (found == drifted_steps(given, OWNERS, share, seed=3)).all()
    assert (found != drifted_steps(given, OWNERS, share, seed=4)).any()


def test_stretches_begin_anywhere():
    given, owners = trajectories(4)[[0, 2] * 200], [0, 1] * 200
    found = drifted_steps(given, owners, 0.5)
    begun = {int(np.flatnonzero(np.diff(each[:, 0], prepend=owner))[0])
             for each, owner in zip(found, owners, strict=True)}  # fmt: skip
    assert begun == {0, 1, 2}


def test_what_stays_as_it_is():
    given = trajectories()
    assert drifted_steps(given, OWNERS, 0.0) is given
    assert drifted_steps(given, OWNERS, 0.06) is given
    assert drifted_steps(given, [4] * 7, 0.5) is given
    assert drifted_steps(given[:0], [], 0.5).shape == (0, 8, 3)


def test_what_is_refused():
    for share in (-0.1, 1.0, float("nan")):
        with pytest.raises(ValueError, match=r"share must be in \[0, 1\)"):
            drifted_steps(trajectories(), OWNERS, share)
    with pytest.raises(ValueError, match="owners of 7 trajectories, got 6"):
        drifted_steps(trajectories(), OWNERS[:6], 0.5)
