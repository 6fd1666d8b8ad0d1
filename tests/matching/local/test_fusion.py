import numpy as np
import pytest

from snapshelf.errors import DatasetError
from snapshelf.matching.local.fusion import Fusion, Shortlisted, fit_fusion

pytestmark = pytest.mark.torch  # the fit needs scipy


def test_inliers_beyond_chance_add_to_the_similarity() -> None:
    fusion = Fusion(weight=0.1, chance=4)
    deep, inliers = np.array([0.5, 0.5, -0.2, 0.9]), np.array([0, 4, 5, 11])
    np.testing.assert_allclose(
        fusion.similarity(deep, inliers),
        [0.5, 0.5, -0.2 + 0.1 * np.log(2), 0.9 + 0.1 * np.log(8)],
    )


def test_without_inliers_the_order_is_the_embeddings() -> None:
    deep = np.random.default_rng(0).uniform(-1, 1, 50)
    similarity = Fusion(weight=5, chance=0).similarity(deep, np.zeros(50, np.int64))
    np.testing.assert_array_equal(similarity, deep)


def simulated(count: int, *, scale: float, weight: float, chance: float) -> list[Shortlisted]:
    """Draw shortlists, and what is right in each by the model itself."""
    rng = np.random.default_rng(0)
    queries = []
    for _ in range(count):
        deep = rng.normal(0.5, 0.1, 20)
        inliers = np.where(rng.random(20) < 0.3, rng.integers(5, 60, 20), rng.integers(0, 7, 20))
        # A Gumbel variable on top of the logit makes the largest one a draw from the softmax.
        logits = scale * Fusion(weight, chance).similarity(deep, inliers)
        right = np.zeros(20, np.bool_)
        right[np.argmax(logits + rng.gumbel(size=20))] = True
        queries.append(Shortlisted(deep, inliers, right))
    return queries


@pytest.mark.parametrize(("weight", "chance"), [(0.15, 6.0), (0.05, 4.0)])
def test_the_fit_finds_what_the_choices_were_made_with(weight: float, chance: float) -> None:
    fusion = fit_fusion(simulated(1500, scale=20, weight=weight, chance=chance))
    assert fusion.chance == chance
    assert fusion.weight == pytest.approx(weight, rel=0.2)


def test_inliers_that_say_nothing_get_next_to_no_weight() -> None:
    fusion = fit_fusion(simulated(1500, scale=20, weight=0, chance=0))
    assert fusion.weight < 0.005


def test_no_query_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no training photo has its product"):
        fit_fusion([])


@pytest.mark.parametrize("wrong", [{"weight": -1}, {"chance": -1}, {"weight": float("nan")}])
def test_numbers_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be a number of at least 0"):
        Fusion(**{"weight": 0.1, "chance": 4, **wrong})
