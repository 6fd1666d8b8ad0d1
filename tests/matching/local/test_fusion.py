import numpy as np
import pytest

from snapshelf.errors import DatasetError
from snapshelf.matching.local.fusion import Fusion, Shortlisted, fit_fusion

pytestmark = pytest.mark.torch  # the fit needs scipy


def test_inliers_beyond_chance_add_to_the_similarity() -> None:
    fusion = Fusion(weight=0.1, colour=0.05, chance=4)
    deep, inliers = np.array([0.5, 0.5, -0.2, 0.9, 0.3]), np.array([0, 4, 5, 11, 11])
    agreement = np.array([1.0, 1.0, 0.0, 1.0, -0.8])
    np.testing.assert_allclose(
        fusion.similarity(deep, inliers, agreement),
        [0.5, 0.5, -0.2 + 0.1 * np.log(2), 0.9 + 0.15 * np.log(8), 0.3 + 0.06 * np.log(8)],
    )


def test_opposite_colours_take_no_more_than_points_gave() -> None:
    fusion = Fusion(weight=0.1, colour=0.5, chance=4)
    fused = fusion.similarity(np.array([0.5]), np.array([40]), np.array([-1.0]))
    assert fused.tolist() == [0.5]


def test_without_inliers_the_order_is_the_embeddings() -> None:
    rng = np.random.default_rng(0)
    deep, agreement = rng.uniform(-1, 1, (2, 50))
    fusion = Fusion(weight=5, colour=5, chance=0)
    fused = fusion.similarity(deep, np.zeros(50, np.int64), agreement)
    np.testing.assert_array_equal(fused, deep)


def simulated(count: int, scale: float, fusion: Fusion) -> list[Shortlisted]:
    """Draw shortlists, and what is right in each by the model itself."""
    rng = np.random.default_rng(0)
    queries = []
    for _ in range(count):
        deep = rng.normal(0.5, 0.1, 20)
        inliers = np.where(rng.random(20) < 0.3, rng.integers(5, 60, 20), rng.integers(0, 7, 20))
        agreement = rng.uniform(-1, 1, 20)
        # A Gumbel variable on top of the logit makes the largest one a draw from the softmax.
        words = np.where(rng.random(20) < 0.3, rng.uniform(0, 3, 20), 0) if fusion.text else None
        logits = scale * fusion.similarity(deep, inliers, agreement)
        if words is not None:
            logits += scale * fusion.text * words
        right = np.zeros(20, np.bool_)
        right[np.argmax(logits + rng.gumbel(size=20))] = True
        queries.append(Shortlisted(deep, inliers, agreement, right, words))
    return queries


@pytest.mark.parametrize(("weight", "colour", "chance"), [(0.15, 0.1, 6.0), (0.05, 0.02, 4.0)])
def test_the_fit_finds_what_the_choices_were_made_with(
    weight: float, colour: float, chance: float
) -> None:
    fusion = fit_fusion(simulated(1000, 20, Fusion(weight, colour, chance)))
    assert fusion.chance == chance
    assert fusion.weight == pytest.approx(weight, rel=0.2)
    assert fusion.colour == pytest.approx(colour, rel=0.3)


def test_text_is_fitted_beside_the_others() -> None:
    fusion = Fusion(weight=0.1, colour=0.05, chance=6, text=0.2)
    fitted = fit_fusion(simulated(500, 20, fusion))
    assert fitted.text == pytest.approx(0.2, rel=0.2)
    assert fitted.weight == pytest.approx(0.1, rel=0.3)


def test_without_text_nothing_is_fitted_of_it() -> None:
    assert fit_fusion(simulated(200, 20, Fusion(0.1, 0.05, 6))).text == 0


def test_what_says_nothing_gets_next_to_no_weight() -> None:
    fusion = fit_fusion(simulated(1000, 20, Fusion(0, 0, 0)))
    assert fusion.weight < 0.005
    assert fusion.colour < 0.005


def test_an_impossible_choice_does_not_end_the_fit() -> None:
    absurd = Shortlisted(
        np.array([1.0, -1.0]), np.array([900, 0]), np.zeros(2), np.array([False, True])
    )
    assert np.isfinite(fit_fusion([absurd]).weight)


def test_no_query_is_an_error() -> None:
    with pytest.raises(DatasetError, match="no training photo has its product"):
        fit_fusion([])


@pytest.mark.parametrize(
    "wrong",
    [{"weight": -1}, {"colour": -1}, {"chance": -1}, {"text": -1}, {"weight": float("nan")}],
)
def test_numbers_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be a number of at least 0"):
        Fusion(**{"weight": 0.1, "colour": 0.1, "chance": 4, **wrong})
