"""Whitening against its equations, written out slowly, and against scikit-learn's shrinkage."""

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.features.whitening import (
    WhitenedEncoder,
    fit_whitening,
    load_whitening,
    shrinkage,
)


def sample(street=60, shop=25, length=8, seed=0):
    """Embeddings with axes of different lengths, and the two sides apart; some are negative."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(length, length)))[0]
    scale = 0.5 ** np.arange(length)
    rows = rng.normal(size=(street + shop, length)) * scale @ turn
    rows[:street] += 3
    rows[street:] -= 1
    return rows[:street].astype(np.float32), rows[street:].astype(np.float32)


def slow_covariance(street, shop):
    """Loops over rows: the shrunk covariance of embeddings less their own side's mean."""
    centred = [np.float64(x) - np.float64(street).mean(0) for x in street]
    centred += [np.float64(x) - np.float64(shop).mean(0) for x in shop]
    n, length = len(centred), len(centred[0])
    covariance = sum(np.outer(z, z) for z in centred) / n
    m = np.trace(covariance) / length
    d = ((covariance - m * np.eye(length)) ** 2).sum()
    b = sum(((np.outer(z, z) - covariance) ** 2).sum() for z in centred) / n**2
    share = min(b, d) / d
    return (1 - share) * covariance + share * m * np.eye(length), share


@pytest.mark.parametrize("power", [0.0, 0.3, 0.5])
@pytest.mark.parametrize("dimension", [1, 3, 8])
def test_is_what_the_equations_say(power, dimension):
    street, shop = sample()
    whitening = fit_whitening(street, shop, dimension=dimension, power=power)
    covariance, _ = slow_covariance(street, shop)
    # Power iteration and deflation: eigenvectors without an eigensolver.
    rest = covariance.copy()
    for axis in range(dimension):
        u = np.ones(8) / 8 + np.arange(8) * 0.01
        for _ in range(4000):
            u = rest @ u
            u /= np.linalg.norm(u)
        value = u @ covariance @ u
        rest -= value * np.outer(u, u)
        column = whitening.projection[:, axis]
        expected = u / value**power
        expected *= np.sign(expected @ column)
        np.testing.assert_allclose(column, expected, rtol=2e-3, atol=2e-4)
    for domain, rows in ((Domain.STREET, street), (Domain.SHOP, shop)):
        result = whitening.apply(rows, domain)
        expected = (rows - rows.mean(0)) @ whitening.projection
        expected /= np.linalg.norm(expected, axis=1, keepdims=True)
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, atol=1e-5)


def test_the_sides_have_their_own_mean():
    street, shop = sample()
    whitening = fit_whitening(street, shop, dimension=8)
    np.testing.assert_allclose(whitening.street_mean, street.mean(0), rtol=1e-5)
    np.testing.assert_allclose(whitening.shop_mean, shop.mean(0), rtol=1e-5)
    same = whitening.street_mean[None]
    assert np.linalg.norm(whitening.apply(same, Domain.STREET)) == 0
    assert np.linalg.norm(whitening.apply(same, Domain.SHOP)) == pytest.approx(1)


def test_all_axes_at_power_0_only_centre():
    street, shop = sample()
    whitening = fit_whitening(street, shop, dimension=8)
    plain = street - street.mean(0)
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    turned = whitening.apply(street, Domain.STREET)
    np.testing.assert_allclose(turned @ turned.T, plain @ plain.T, atol=1e-5)


def test_power_one_half_makes_axes_alike():
    street, shop = sample(20_000, 20_000)
    # The shortest axes are those that shrinkage lengthens.
    whitening = fit_whitening(street, shop, dimension=4, power=0.5)
    rows = (street - whitening.street_mean) @ whitening.projection
    np.testing.assert_allclose(np.cov(rows.T), np.eye(4), atol=0.05)


def test_shrinkage_is_that_of_scikit_learn():
    sklearn = pytest.importorskip("sklearn.covariance")
    rng = np.random.default_rng(3)
    for count, length in ((5, 30), (40, 40), (500, 12)):
        centred = rng.normal(size=(count, length)) * np.linspace(1, 3, length)
        centred -= centred.mean(0)
        expected = sklearn.ledoit_wolf(centred, assume_centered=True)[1]
        assert shrinkage(centred) == pytest.approx(expected, rel=1e-9)


def test_shrinkage_falls_with_more_samples():
    rng = np.random.default_rng(4)
    shares = []
    for count in (4, 40, 4000):
        centred = rng.normal(size=(count, 10)) * np.arange(1, 11)
        shares.append(shrinkage(centred - centred.mean(0)))
    assert 1 >= shares[0] > shares[1] > shares[2] > 0
    assert slow_covariance(*sample())[1] == pytest.approx(
        shrinkage(np.concatenate([x - np.float64(x).mean(0) for x in map(np.float64, sample())])),
        rel=1e-4,
    )


def test_fewer_samples_than_dimensions_can_be_whitened():
    street, shop = sample(4, 3, length=30)
    whitening = fit_whitening(street, shop, dimension=30, power=0.5)
    assert np.isfinite(whitening.projection).all()


def test_the_same_embeddings_give_the_same_whitening():
    one, two = (fit_whitening(*sample(), dimension=5) for _ in range(2))
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != fit_whitening(*sample(), dimension=4).fingerprint
    assert one.fingerprint != fit_whitening(*sample(seed=1), dimension=5).fingerprint
    assert one.fingerprint != fit_whitening(*sample(), dimension=5, power=0.1).fingerprint


STREET, SHOP = sample()
MISTAKES = {
    "no rows": ({"street": STREET[:0]}, "street must be .* at least 2"),
    "one row": ({"shop": SHOP[:1]}, "shop must be .* at least 2"),
    "one dimension": ({"shop": SHOP[0]}, "shop must be"),
    "not finite": ({"street": STREET * np.nan}, "finite"),
    "two lengths": ({"shop": SHOP[:, :5]}, "of one length, got 8, 5"),
    "no dimension": ({"dimension": 0}, r"dimension must be in \[1, 8\], got 0"),
    "too many": ({"dimension": 9}, r"dimension must be in \[1, 8\], got 9"),
    "negative": ({"power": -0.1}, r"power must be in \[0, 0.5\], got -0.1"),
    "too strong": ({"power": 0.6}, r"power must be in \[0, 0.5\], got 0.6"),
    "alike": (
        {"street": STREET * 0, "shop": SHOP * 0, "power": 0.5},
        "power must be 0 .* vary in fewer than 4",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(case):
    changes, message = MISTAKES[case]
    with pytest.raises(ValueError, match=message):
        fit_whitening(**{"street": STREET, "shop": SHOP, "dimension": 4, **changes})


class Fixed:
    """An encoder whose embedding is the mean colour and then some."""

    dimension = 8
    fingerprint = "fixed"

    def prepare(self, picture, domain):
        return picture[:2, :2]

    def encode(self, inputs, domain):
        rows = np.repeat(inputs.reshape(len(inputs), -1)[:, :4], 2, axis=1).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_an_encoder_is_whitened_for_each_side():
    whitening = fit_whitening(*sample(), dimension=3)
    encoder = WhitenedEncoder(Fixed(), whitening)
    picture = np.random.default_rng(0).integers(1, 256, (9, 9, 3), np.uint8)
    inputs = encoder.prepare(picture, Domain.SHOP)[None]
    assert encoder.dimension == 3
    for domain in Domain:
        expected = whitening.apply(Fixed().encode(inputs, domain), domain)
        assert np.array_equal(encoder.encode(inputs, domain), expected)
    assert not np.allclose(
        encoder.encode(inputs, Domain.STREET), encoder.encode(inputs, Domain.SHOP)
    )


def test_the_fingerprint_tells_encoder_and_whitening():
    one = WhitenedEncoder(Fixed(), fit_whitening(*sample(), dimension=3))
    other = WhitenedEncoder(Fixed(), fit_whitening(*sample(), dimension=2))
    named = Fixed()
    named.fingerprint = "named"
    third = WhitenedEncoder(named, one.whitening)
    assert len({one.fingerprint, other.fingerprint, third.fingerprint}) == 3


def test_a_whitening_for_another_length_is_refused():
    whitening = fit_whitening(*sample(length=5), dimension=3)
    with pytest.raises(ValueError, match="of length 8, got 5"):
        WhitenedEncoder(Fixed(), whitening)


class TestFile:
    @pytest.fixture
    def file(self, tmp_path):
        pytest.importorskip("safetensors")
        file = tmp_path / "whitening.safetensors"
        fit_whitening(*sample(), dimension=3).save(file, "fixed")
        return file

    def test_comes_back_as_it_was(self, file):
        back = load_whitening(file, "fixed")
        assert back.fingerprint == fit_whitening(*sample(), dimension=3).fingerprint

    def test_of_another_encoder(self, file):
        with pytest.raises(ModelError, match="fitted to another encoder"):
            load_whitening(file, "other")

    def test_missing(self, tmp_path):
        pytest.importorskip("safetensors")
        with pytest.raises(ModelError, match="no whitening at"):
            load_whitening(tmp_path / "none", "fixed")

    @pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 300])
    def test_broken(self, file, content):
        file.write_bytes(content)
        with pytest.raises(ModelError, match="cannot be read as safetensors"):
            load_whitening(file, "fixed")

    def test_cut(self, file):
        file.write_bytes(file.read_bytes()[:-5])
        with pytest.raises(ModelError, match="cannot be read as safetensors"):
            load_whitening(file, "fixed")

    @pytest.mark.parametrize(
        "changes",
        [
            {"projection": np.zeros((7, 3), np.float32)},
            {"projection": np.zeros((8, 9), np.float32)},
            {"projection": np.zeros(8, np.float32)},
            {"shop_mean": np.zeros((8, 1), np.float32)},
            {"shop_mean": np.zeros(8, np.float64)},
            {"shop_mean": np.full(8, np.inf, np.float32)},
            {"stray": np.zeros(1, np.float32)},
            {"street_mean": None},
        ],
    )
    def test_of_something_else(self, file, changes):
        from safetensors.numpy import load_file, save_file

        tensors = {**load_file(file), **changes}
        given = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        save_file(given, file, metadata={"encoder": "fixed"})
        with pytest.raises(ModelError, match="holds no whitening"):
            load_whitening(file, "fixed")
