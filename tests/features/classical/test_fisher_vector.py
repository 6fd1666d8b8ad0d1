"""The Fisher vector and its mixture, against loops written from the equations."""

import math

import numpy as np
import pytest

from snapshelf.features.classical.descriptors import power_normalise
from snapshelf.features.classical.fisher_vector import fisher_vector
from snapshelf.features.classical.gaussian_mixture import (
    GaussianMixture,
    learn_mixture,
    posteriors,
)


def mixture(components=4, length=3, *, seed=0, offset=0.0):
    random = np.random.default_rng(seed)
    weights = random.uniform(0.2, 1, components)
    return GaussianMixture(
        (weights / weights.sum()).astype(np.float32),
        (random.normal(0, 2, (components, length)) + offset).astype(np.float32),
        random.uniform(0.3, 2, (components, length)).astype(np.float32),
    )


def drawn(count, length=3, *, seed=1, offset=0.0):
    return np.random.default_rng(seed).normal(0, 2, (count, length)) + offset


def density(x, weight, mean, variance):
    product = float(weight)
    for value, m, v in zip(x, mean, variance, strict=True):
        product *= math.exp(-((value - float(m)) ** 2) / (2 * float(v)))
        product /= math.sqrt(2 * math.pi * float(v))
    return product


def slow_posteriors(descriptors, model):
    """Eq. 15."""
    rows = []
    for x in descriptors.tolist():
        likely = [
            density(x, *part)
            for part in zip(model.weights, model.means, model.variances, strict=True)
        ]
        rows.append([one / sum(likely) for one in likely])
    return np.array(rows)


def slow_fisher(descriptors, model):
    """Eq. 17 and 18, over the number of descriptors."""
    gamma = slow_posteriors(descriptors, model)
    by_mean, by_deviation = [], []
    for k, weight in enumerate(model.weights.tolist()):
        for d in range(model.means.shape[1]):
            mean = float(model.means[k, d])
            sigma = math.sqrt(float(model.variances[k, d]))
            first = second = 0.0
            for t, x in enumerate(descriptors.tolist()):
                z = (x[d] - mean) / sigma
                first += gamma[t, k] * z
                second += gamma[t, k] * (z * z - 1) / math.sqrt(2)
            by_mean.append(first / math.sqrt(weight) / len(descriptors))
            by_deviation.append(second / math.sqrt(weight) / len(descriptors))
    return np.array(by_mean + by_deviation)


@pytest.mark.parametrize("offset", [0.0, 50.0])
@pytest.mark.parametrize("count", [1, 7, 40])
def test_posteriors_and_vector_are_those_of_the_equations(count, offset):
    model, descriptors = mixture(offset=offset), drawn(count, offset=offset)
    likely = posteriors(descriptors, model)
    np.testing.assert_allclose(likely, slow_posteriors(descriptors, model), rtol=1e-6, atol=1e-12)
    vector = fisher_vector(descriptors, model)
    assert vector.dtype == np.float32
    assert vector.shape == (2 * 4 * 3,)
    np.testing.assert_allclose(vector, slow_fisher(descriptors, model), rtol=1e-4, atol=1e-5)


def test_it_is_the_gradient_of_the_likelihood_in_units_of_the_fisher_information():
    """Eq. 17 and 18 are derivatives (eq. 13, 14) times sigma / sqrt(w), sigma / sqrt(2 w)."""
    model, descriptors = mixture(), drawn(25)
    vector = fisher_vector(descriptors, model).reshape(2, 4, 3)

    def likelihood(means, deviations):
        parts = list(zip(model.weights, means, deviations**2, strict=True))
        return sum(
            math.log(sum(density(x, *part) for part in parts)) for x in descriptors.tolist()
        ) / len(descriptors)

    means = model.means.astype(np.float64)
    deviations = np.sqrt(model.variances.astype(np.float64))
    step = 1e-5
    for k in range(4):
        for d in range(3):
            change = np.zeros_like(means)
            change[k, d] = step
            by_mean = likelihood(means + change, deviations) - likelihood(
                means - change, deviations
            )
            by_sigma = likelihood(means, deviations + change) - likelihood(
                means, deviations - change
            )
            unit = deviations[k, d] / math.sqrt(model.weights[k]) / (2 * step)
            assert vector[0, k, d] == pytest.approx(by_mean * unit, abs=1e-5)
            assert vector[1, k, d] == pytest.approx(by_sigma * unit / math.sqrt(2), abs=1e-5)


def test_descriptors_drawn_from_the_mixture_itself_give_next_to_nothing():
    model = mixture(3, 2)
    random = np.random.default_rng(0)
    which = random.choice(3, 200_000, p=model.weights.astype(float) / model.weights.sum())
    noise = random.normal(size=(200_000, 2))
    own = model.means[which] + np.sqrt(model.variances[which]) * noise
    assert np.abs(fisher_vector(own, model)).max() < 0.01
    assert np.abs(fisher_vector(own + 0.3, model)).max() > 0.1


def test_repeating_every_descriptor_changes_nothing():
    model, descriptors = mixture(), drawn(9)
    np.testing.assert_allclose(
        fisher_vector(np.repeat(descriptors, 3, axis=0), model),
        fisher_vector(descriptors, model),
        atol=1e-6,
    )


def test_no_descriptor_gives_zeros():
    vector = fisher_vector(np.empty((0, 3), np.float32), mixture())
    assert vector.shape == (24,)
    assert not vector.any()


def test_a_descriptor_far_from_everything_still_belongs_somewhere():
    far = np.full((1, 3), 1e6)
    likely = posteriors(far, mixture())
    assert likely.sum() == pytest.approx(1)
    assert np.isfinite(fisher_vector(far, mixture())).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((4, 2)), r"descriptors must be \(N, 3\), got \(4, 2\)"),
        (np.zeros(3), r"descriptors must be \(N, 3\), got \(3,\)"),
        (np.full((2, 3), np.nan), "must be finite"),
        (np.full((2, 3), np.inf), "must be finite"),
    ],
)
def test_descriptors_of_another_form_are_refused(bad, message):
    with pytest.raises(ValueError, match=message):
        fisher_vector(bad, mixture())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": np.array([0.5, 0.6])}, "weights must sum to 1"),
        ({"weights": np.array([1.0, 0.0])}, "must be above 0"),
        ({"weights": np.array([1.0])}, r"weights must be \(2,\), got \(1,\)"),
        ({"variances": np.zeros((2, 3))}, "must be above 0"),
        ({"variances": np.ones((2, 2))}, r"variances \(K, d\), got"),
        ({"means": np.full((2, 3), np.nan)}, "must be finite"),
        ({"means": np.zeros((0, 3)), "variances": np.zeros((0, 3))}, r"means \(K, d\)"),
        ({"means": np.zeros(3), "variances": np.zeros(3)}, r"means \(K, d\)"),
    ],
)
def test_what_is_no_mixture_is_refused(changes, message):
    parts = {
        "weights": np.array([0.5, 0.5]),
        "means": np.zeros((2, 3)),
        "variances": np.ones((2, 3)),
    }
    with pytest.raises(ValueError, match=message):
        GaussianMixture(
            **{name: value.astype(np.float32) for name, value in (parts | changes).items()}
        )


class TestPowerNormalise:
    @pytest.mark.parametrize("power", [0.2, 0.5, 1.0])
    def test_it_is_the_signed_power_over_its_length(self, power):
        values = drawn(1, 20)[0]
        slow = [math.copysign(abs(value) ** power, value) for value in values.tolist()]
        length = math.sqrt(sum(value**2 for value in slow))
        result = power_normalise(values, power)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, np.array(slow) / length, atol=1e-6)

    def test_zeros_stay(self):
        assert not power_normalise(np.zeros(5)).any()

    @pytest.mark.parametrize("power", [0, -0.5, 1.1, float("nan")])
    def test_a_power_out_of_range_is_refused(self, power):
        with pytest.raises(ValueError, match="power must be in"):
            power_normalise(np.ones(3), power)


class TestLearnMixture:
    @pytest.fixture(autouse=True)
    def _scikit_learn(self):
        pytest.importorskip("sklearn")

    def test_it_finds_the_mixture_that_made_the_descriptors(self):
        random = np.random.default_rng(0)
        centres = np.array([[0.0, 0.0], [4.0, 1.0], [-3.0, 5.0]])
        spreads = np.array([[0.5, 0.3], [0.2, 0.6], [0.4, 0.4]])
        which = random.choice(3, 6000, p=[0.5, 0.3, 0.2])
        values = centres[which] + spreads[which] * random.normal(size=(6000, 2))
        # Far away and tiny: neither matters.
        for scale, offset in ((1.0, 0.0), (1e-4, 3.0)):
            model = learn_mixture(values * scale + offset, 3, seed=0)
            order = np.argsort(-model.weights)
            np.testing.assert_allclose(model.weights[order], [0.5, 0.3, 0.2], atol=0.03)
            np.testing.assert_allclose(
                (model.means[order] - offset) / scale, centres, atol=0.1 if scale == 1 else 0.2
            )
            np.testing.assert_allclose(np.sqrt(model.variances[order]) / scale, spreads, atol=0.08)

    def test_the_same_seed_gives_the_same_mixture(self):
        values = drawn(300, 4)
        one, two = (learn_mixture(values, 5, seed=3) for _ in range(2))
        np.testing.assert_array_equal(one.means, two.means)
        np.testing.assert_array_equal(one.variances, two.variances)

    @pytest.mark.parametrize("count", [4, 30])
    def test_equal_descriptors_give_a_mixture_all_the_same(self, count):
        model = learn_mixture(np.full((count, 3), 7.0), 4, seed=0)
        assert np.isfinite(fisher_vector(np.full((2, 3), 7.0), model)).all()

    @pytest.mark.parametrize("components", [0, 6])
    def test_more_components_than_descriptors_are_refused(self, components):
        with pytest.raises(ValueError, match=r"components must be in \[1, 5\], the number of"):
            learn_mixture(drawn(5), components, seed=0)

    def test_descriptors_that_are_not_finite_are_refused(self):
        with pytest.raises(ValueError, match="must be finite"):
            learn_mixture(np.full((9, 3), np.nan), 2, seed=0)
