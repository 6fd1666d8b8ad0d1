"""When a best match speaks for the product being sold here."""

import numpy as np
import pytest

from snapshelf.evaluation import presence_threshold


def slow(present: list[float], absent: list[float]) -> float:
    best, chosen = -1.0, 0.0
    for cut in sorted({*present, *absent}):
        kept = sum(s >= cut for s in present) / len(present)
        refused = sum(s < cut for s in absent) / len(absent)
        if kept + refused > best + 1e-12:
            best, chosen = kept + refused, cut
    return chosen


def test_it_separates_what_can_be_separated() -> None:
    assert presence_threshold([0.8, 0.9], [-0.2, 0.5]) == 0.8


@pytest.mark.parametrize("seed", range(20))
def test_it_agrees_with_trying_every_cut(seed: int) -> None:
    rng = np.random.default_rng(seed)
    present = rng.normal(0.3, 0.4, 37).round(1).tolist()
    absent = rng.normal(0.0, 0.4, 23).round(1).tolist()
    assert presence_threshold(present, absent) == slow(present, absent)


@pytest.mark.parametrize(("present", "absent"), [([], [0.1]), ([0.1], [])])
def test_it_needs_both(present: list[float], absent: list[float]) -> None:
    with pytest.raises(ValueError, match="must hold similarities"):
        presence_threshold(present, absent)
