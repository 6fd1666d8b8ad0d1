"""The hubness correction, against CSLS written out in loops."""

import numpy as np
import pytest

pytest.importorskip("safetensors")

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.features.hubness import (
    CorrectedEncoder,
    HubnessCorrection,
    hubness,
    load_correction,
)


def unit(rng, rows, length=16):
    vectors = rng.normal(size=(rows, length))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


class Pixels:
    """Pictures of one row of pixels are their own embeddings."""

    dimension = 6
    fingerprint = "pixels"

    def prepare(self, picture, domain):
        return picture

    def encode(self, inputs, domain):
        rows = inputs.reshape(len(inputs), -1).astype(np.float32) + 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def slow_hubness(gallery, bank, neighbours):
    result = []
    for one in gallery.astype(np.float64):
        similarities = sorted(float(one @ other) for other in bank.astype(np.float64))
        result.append(sum(similarities[-neighbours:]) / neighbours)
    return np.array(result)


@pytest.mark.parametrize("neighbours", [1, 3, 40])
def test_hubness_is_the_mean_over_the_nearest(neighbours):
    rng = np.random.default_rng(0)
    gallery, bank = unit(rng, 7), unit(rng, 40)
    expected = slow_hubness(gallery, bank, neighbours)
    np.testing.assert_allclose(hubness(gallery, bank, neighbours), expected, atol=1e-6)


def test_half_the_weight_ranks_as_csls_does():
    rng = np.random.default_rng(1)
    queries, gallery, bank = unit(rng, 50), unit(rng, 30), unit(rng, 200)
    correction = HubnessCorrection(bank, 10, 0.5)
    r = slow_hubness(gallery, bank, 10)
    street = correction.apply(queries, Domain.STREET)
    shop = correction.apply(gallery, Domain.SHOP)
    csls = 2 * queries.astype(np.float64) @ gallery.T.astype(np.float64) - r
    t = 0.5 * np.clip(r, 0, None)
    stated = (np.sqrt(1 - t**2) * (queries @ gallery.T) - t) / np.sqrt(2)
    np.testing.assert_allclose(street @ shop.T, stated, atol=1e-6)
    # Hubs are held back a little more than by CSLS itself, so only near ties may differ.
    best = csls.argmax(axis=1)
    lost = csls.max(axis=1) - csls[np.arange(50), (street @ shop.T).argmax(axis=1)]
    assert (best == (street @ shop.T).argmax(axis=1)).mean() > 0.9
    assert lost.max() < 0.05


def test_a_hub_gives_way_to_the_right_product():
    """Two products; the bank lies around the first, which also is nearer to the query."""
    query = np.array([[0.8, 0.6, 0]], np.float32)
    gallery = np.array([[1, 0, 0], [0.5, 0.6, 0.6245]], np.float32)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    bank = np.array([[1, 0, 0], [0.98, -0.199, 0], [0.98, 0, -0.199]], np.float32)
    assert (query @ gallery.T).argmax() == 0
    correction = HubnessCorrection(bank, 2, 0.5)
    corrected = correction.apply(query, Domain.STREET) @ correction.apply(gallery, Domain.SHOP).T
    assert corrected.argmax() == 1


@pytest.mark.parametrize("domain", Domain)
def test_embeddings_have_unit_length(domain):
    rng = np.random.default_rng(2)
    bank = np.concatenate([unit(rng, 5), -unit(rng, 5)])
    applied = HubnessCorrection(bank, 4, 0.9).apply(unit(rng, 20), domain)
    assert applied.dtype == np.float32
    assert applied.shape == (20, 17)
    np.testing.assert_allclose(np.linalg.norm(applied, axis=1), 1, atol=1e-6)


def test_no_weight_leaves_the_ranking_alone():
    rng = np.random.default_rng(3)
    queries, gallery = unit(rng, 9), unit(rng, 12)
    correction = HubnessCorrection(unit(rng, 8), 2, 0.0)
    applied = correction.apply(queries, Domain.STREET) @ correction.apply(gallery, Domain.SHOP).T
    np.testing.assert_allclose(applied * np.sqrt(2), queries @ gallery.T, atol=1e-6)


def test_a_gallery_away_from_the_bank_is_not_favoured():
    """r(g) below 0 counts as 0: no hub, nothing to hold back."""
    bank = np.array([[1, 0]], np.float32)
    gallery = np.array([[-1, 0], [0, 1]], np.float32)
    applied = HubnessCorrection(bank, 1, 0.5).apply(gallery, Domain.SHOP)
    np.testing.assert_array_equal(applied[:, -1], 0)


def test_the_encoder_applies_it_to_each_side():
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (5, 1, 2, 3), np.uint8)
    base = Pixels()
    bank = base.encode(rng.integers(0, 256, (9, 1, 2, 3), np.uint8), Domain.STREET)
    correction = HubnessCorrection(bank, 3, 0.5)
    encoder = CorrectedEncoder(base, correction)
    assert encoder.dimension == 7
    assert encoder.fingerprint not in (
        "pixels",
        CorrectedEncoder(base, HubnessCorrection(bank, 4, 0.5)).fingerprint,
    )
    for domain in Domain:
        expected = correction.apply(base.encode(pictures, domain), domain)
        np.testing.assert_array_equal(encoder.encode(pictures, domain), expected)
    with pytest.raises(ValueError, match="embeddings of length 6, got 2"):
        CorrectedEncoder(base, HubnessCorrection(np.eye(2, dtype=np.float32), 1, 0.5))


def test_is_read_back_as_it_was_written(tmp_path):
    bank = unit(np.random.default_rng(5), 30)
    HubnessCorrection(bank, 7, 0.25).save(tmp_path / "c.safetensors", "encoder-1")
    read = load_correction(tmp_path / "c.safetensors", "encoder-1")
    assert (read.neighbours, read.weight) == (7, 0.25)
    np.testing.assert_array_equal(read.bank, bank.astype(np.float16).astype(np.float32))
    again = load_correction(tmp_path / "c.safetensors", "encoder-1")
    assert read.fingerprint == again.fingerprint
    with pytest.raises(ModelError, match="made with another encoder"):
        load_correction(tmp_path / "c.safetensors", "encoder-2")


@pytest.mark.parametrize(
    ("change", "fragment"),
    [
        (lambda file: file.unlink(), "there is no hubness correction"),
        (lambda file: file.write_bytes(b""), "holds no hubness correction"),
        (lambda file: file.write_bytes(file.read_bytes()[:-5]), "holds no hubness correction"),
        (lambda file: _write(file, {"other": np.eye(3)}), "holds no hubness correction"),
        (lambda file: _write(file, {"bank": np.eye(3)}), "holds no hubness correction"),
        (
            lambda file: _write(file, {"bank": np.eye(3)}, neighbours="4", weight="0.5"),
            r"neighbours must be in \[1, 3\], got 4",
        ),
        (
            lambda file: _write(file, {"bank": np.eye(3)}, neighbours="1", weight="nan"),
            r"weight must be in \[0, 1\), got nan",
        ),
        (
            lambda file: _write(
                file, {"bank": np.full((2, 2), np.nan)}, neighbours="1", weight="0"
            ),
            "finite",
        ),
    ],
)
def test_a_damaged_file_is_refused(tmp_path, change, fragment):
    file = tmp_path / "c.safetensors"
    HubnessCorrection(unit(np.random.default_rng(6), 4), 1, 0.5).save(file, "e")
    change(file)
    with pytest.raises(ModelError, match=fragment):
        load_correction(file, "e")


def _write(file, tensors, **notes):
    from safetensors.numpy import save_file

    half = {name: tensor.astype(np.float16) for name, tensor in tensors.items()}
    save_file(half, file, metadata={"encoder": "e", **notes})


@pytest.mark.parametrize(
    ("bank", "neighbours", "weight", "fragment"),
    [
        (np.zeros(3, np.float32), 1, 0.5, "bank must be"),
        (np.zeros((3, 2)), 1, 0.5, "bank must be"),
        (np.full((3, 2), np.inf, np.float32), 1, 0.5, "finite"),
        (np.zeros((3, 2), np.float32), 0, 0.5, "neighbours must be"),
        (np.zeros((3, 2), np.float32), 4, 0.5, "neighbours must be"),
        (np.zeros((3, 2), np.float32), 1, 1.0, "weight must be"),
        (np.zeros((3, 2), np.float32), 1, -0.1, "weight must be"),
    ],
)
def test_what_cannot_be_used_is_refused(bank, neighbours, weight, fragment):
    with pytest.raises(ValueError, match=fragment):
        HubnessCorrection(bank, neighbours, weight)


def test_hubness_names_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(2, 4\)"):
        hubness(np.zeros((2, 3), np.float32), np.zeros((2, 4), np.float32), 1)
    with pytest.raises(ValueError, match=r"neighbours must be in \[1, 2\], got 3"):
        hubness(np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32), 3)
