"""When a best match speaks for the product being sold here."""

import numpy as np
import pytest

from snapshelf.evaluation import presence_threshold


def test_it_turns_away_no_more_than_it_may() -> None:
    assert presence_threshold([0.9, 0.1, 0.5, 0.7], refused=0.25) == 0.5
    assert presence_threshold([0.9, 0.1, 0.5, 0.7], refused=0.24) == 0.1
    assert presence_threshold([-0.3], refused=0.99) == -0.3


@pytest.mark.parametrize("seed", range(20))
def test_no_higher_cut_would_do(seed: int) -> None:
    similarities = np.random.default_rng(seed).normal(0.3, 0.4, 37).round(1)
    cut = presence_threshold(similarities, refused=0.1)
    assert (similarities < cut).mean() <= 0.1
    higher = similarities[similarities > cut]
    assert all((similarities < other).mean() > 0.1 for other in higher)


@pytest.mark.parametrize(
    ("present", "refused", "message"),
    [
        ([], 0.1, "at least one confidence"),
        ([0.5], 1.0, r"refused must be in \[0, 1\)"),
        ([0.5], -0.1, r"refused must be in \[0, 1\)"),
    ],
)
def test_bad_arguments(present: list[float], refused: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        presence_threshold(present, refused=refused)
