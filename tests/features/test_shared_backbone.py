"""One backbone for several poolings, and embeddings that are worked out once."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

import timm  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from snapshelf.features.backbone_encoder import backbone_encoder  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.remembering_encoder import RememberingEncoder  # noqa: E402
from snapshelf.features.shared_backbone import PartEncoder, pool_in_several_ways  # noqa: E402
from snapshelf.remembered import Remembered  # noqa: E402

POOLINGS = ("mac", "r-mac", "ra-mac", "spoc")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(3)
    file = tmp_path_factory.mktemp("weights") / "weights.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), file)
    return file


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (70 + 9 * n, 90, 3), np.uint8) for n in range(5)]


def embed(encoder, pictures, domain=Domain.SHOP):
    return encoder.encode(np.stack([encoder.prepare(each, domain) for each in pictures]), domain)


def parts(whole):
    return [PartEncoder(whole, number, len(POOLINGS)) for number in range(len(POOLINGS))]


def test_each_part_is_the_encoder_of_that_pooling(weights, pictures):
    whole = pool_in_several_ways(backbone_encoder("test_resnet", weights=weights), POOLINGS)
    for pooling, part in zip(POOLINGS, parts(whole), strict=True):
        alone = backbone_encoder("test_resnet", weights=weights, pooling=pooling)
        assert part.dimension == alone.dimension
        np.testing.assert_allclose(embed(part, pictures), embed(alone, pictures), atol=2e-6)
        assert embed(part, pictures).dtype == np.float32


def test_fingerprints_tell_poolings_and_weights_apart(weights, tmp_path):
    plain = backbone_encoder("test_resnet", weights=weights)
    one, other = (
        pool_in_several_ways(plain, names) for names in (POOLINGS, tuple(reversed(POOLINGS)))
    )
    prints = [each.fingerprint for whole in (one, other) for each in (whole, *parts(whole))]
    assert len(set(prints)) == 10
    file = tmp_path / "others.safetensors"
    save_file(timm.create_model("test_resnet").state_dict(), file)
    changed = pool_in_several_ways(backbone_encoder("test_resnet", weights=file), POOLINGS)
    assert changed.fingerprint != one.fingerprint


class Counting:
    """Embeds a picture as its first bytes, of which one can be zeros."""

    dimension = 4
    fingerprint = "counting"

    def __init__(self):
        self.inputs = []

    def prepare(self, picture, domain):
        return picture[:1, :2]

    def encode(self, inputs, domain):
        self.inputs.append((len(inputs), domain))
        return inputs[:, 0, :, :2].reshape(-1, 4).astype(np.float32)


def flat(*values):
    """Make an input that `Counting` embeds as the values."""
    return np.array([[[*values[:2], 0], [*values[2:], 0]]], np.uint8)


def test_parts_are_normalised_and_zeros_stay_zeros():
    one, other = (PartEncoder(Counting(), number, 2) for number in range(2))
    inputs = np.stack([flat(3, 4, 0, 0), flat(0, 0, 0, 2)])
    assert one.encode(inputs, Domain.SHOP).tolist() == [
        [pytest.approx(0.6), pytest.approx(0.8)],
        [0, 0],
    ]
    assert other.encode(inputs, Domain.SHOP).tolist() == [[0, 0], [0, 1]]


def test_a_picture_is_embedded_once_for_each_side_and_encoder(tmp_path):
    with Remembered(tmp_path / "r.sqlite") as remembered:
        inner = Counting()
        encoder = RememberingEncoder(inner, remembered)
        assert (encoder.dimension, encoder.fingerprint) == (4, "counting")
        first = encoder.encode(np.stack([flat(1, 2, 3, 4), flat(5, 6, 7, 8)]), Domain.SHOP)
        assert first.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
        mixed = np.stack([flat(5, 6, 7, 8), flat(9, 9, 9, 9), flat(1, 2, 3, 4)])
        assert encoder.encode(mixed, Domain.SHOP).tolist() == [[5, 6, 7, 8], [9] * 4, [1, 2, 3, 4]]
        assert inner.inputs == [(2, Domain.SHOP), (1, Domain.SHOP)]
        encoder.encode(mixed[:1], Domain.STREET)
        assert inner.inputs[-1] == (1, Domain.STREET)
        inner.fingerprint = "another"
        encoder.encode(mixed, Domain.SHOP)
        assert inner.inputs[-1] == (3, Domain.SHOP)
    with Remembered(tmp_path / "r.sqlite") as remembered:
        later = Counting()
        again = RememberingEncoder(later, remembered).encode(mixed, Domain.SHOP)
        assert again.tolist() == [[5, 6, 7, 8], [9] * 4, [1, 2, 3, 4]]
        again[0] = 0  # it is the caller's own
        assert later.inputs == []


def test_remembered_embeddings_are_the_same_to_the_bit(weights, pictures, tmp_path):
    with Remembered(tmp_path / "r.sqlite") as remembered:
        plain = backbone_encoder("test_resnet", weights=weights)
        encoder = RememberingEncoder(plain, remembered)
        first, again = embed(encoder, pictures), embed(encoder, pictures[::-1])[::-1]
        np.testing.assert_array_equal(first, again)
        np.testing.assert_allclose(first, embed(plain, pictures), atol=1e-6)
