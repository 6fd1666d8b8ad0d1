"""The three levels: which patch goes where, against a slow reference, and levels left out."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.features.attribute_network import AttributeNetwork, LevelFeatures  # noqa: E402
from snapshelf.features.backbones import create_backbone  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.first_layer import fill_first_layer  # noqa: E402
from snapshelf.features.level_weights import LevelWeights  # noqa: E402
from snapshelf.features.network_encoder import NetworkEncoder  # noqa: E402
from snapshelf.features.pipeline import crop  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare  # noqa: E402
from snapshelf.features.principal_projection import fit_projection  # noqa: E402
from snapshelf.features.three_level_encoder import ThreeLevelEncoder, join_levels  # noqa: E402
from snapshelf.locating import GridParts, Region, WholePicture  # noqa: E402

SPEC = Preprocessing(size=(32, 32), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))
GRID = GridParts(1, 2, share=0.5)


class Left:
    """Takes the left half first, then the right one."""

    fingerprint = "left"

    def locate(self, picture):
        height, width = picture.shape[:2]
        middle = width / 2
        return (Region((0, 0, middle, height)), Region((middle, 0, width, height)))


@pytest.fixture(scope="module")
def sides():
    made = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        backbone = create_backbone("test_resnet", {})
        network = AttributeNetwork(backbone, size=(32, 32))
        fill_first_layer(network.first, "test_resnet", None)
        features = LevelFeatures(network)
        made.append(NetworkEncoder(features, preprocessing=SPEC, fingerprint=str(seed)))
    return made


def encoder(sides, locator=None, **changes):
    given = {"parts": GRID, "weights": LevelWeights(), "fingerprint": "f"}
    given["pyramid"] = sides[0].network.pyramid_length
    return ThreeLevelEncoder(*sides, locator=locator or Left(), **given | changes)


def pictures(count=3, height=40, width=64):
    return np.random.default_rng(5).integers(0, 256, (count, height, width, 3), np.uint8)


def unit(vector):
    return vector / np.linalg.norm(vector)


def slow_levels(side, picture, domain, conv5=True):
    """The levels of one picture, patch by patch."""

    def described(part):
        inputs = normalise(prepare(part, SPEC)[None], SPEC)
        with torch.inference_mode():
            return side.network(torch.from_numpy(inputs)).numpy()[0]

    length = side.network.pyramid_length
    whole = described(picture)
    left = crop(picture, (0, 0, 32, 40))
    region = whole if domain is Domain.SHOP else described(left)
    parts = np.concatenate([unit(described(crop(left, b))[length:]) for b in GRID(left)])
    if not conv5:
        whole, region = whole[length:], region[length:]
    return unit(whole), unit(region), unit(parts)


@pytest.mark.parametrize("domain", list(Domain))
@pytest.mark.parametrize("conv5", [True, False])
def test_each_level_is_its_patches_features(sides, domain, conv5):
    weights = LevelWeights(whole=1.0, region=2.0, parts=0.5, conv5=conv5)
    made = encoder(sides, weights=weights)
    given = pictures()
    found = made.encode(np.stack([made.prepare(each, domain) for each in given]), domain)
    side = sides[list(Domain).index(domain)]
    for row, picture in zip(found, given, strict=True):
        levels = slow_levels(side, picture, domain, conv5)
        shares = np.sqrt(np.array([1.0, 2.0, 0.5]) / 3.5)
        expected = np.concatenate([s * level for s, level in zip(shares, levels, strict=True)])
        np.testing.assert_allclose(row, expected, atol=2e-5)
    assert found.shape[1] == made.dimension
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_a_similarity_is_the_weighted_mean_of_the_levels():
    rng = np.random.default_rng(1)
    blocks = [rng.normal(size=(2, n)) for n in (4, 5, 7)]
    levels = [(b / np.linalg.norm(b, axis=1, keepdims=True)).astype(np.float32) for b in blocks]
    weights = LevelWeights(whole=1.0, region=3.0, parts=0.5)
    joined = join_levels(*levels, weights)
    cosines = [float(level[0] @ level[1]) for level in levels]
    expected = (1.0 * cosines[0] + 3.0 * cosines[1] + 0.5 * cosines[2]) / 4.5
    assert float(joined[0] @ joined[1]) == pytest.approx(expected, abs=1e-6)
    with pytest.raises(ValueError, match=r"got none of \['parts'\]"):
        join_levels(levels[0], levels[1], None, weights)


@pytest.mark.parametrize("left_out", ["whole", "region", "parts"])
@pytest.mark.parametrize("domain", list(Domain))
def test_a_level_of_weight_0_is_left_out(sides, left_out, domain):
    made = encoder(sides, weights=LevelWeights(**{left_out: 0.0}))
    picture = pictures(1)[0]
    inputs = made.prepare(picture, Domain.STREET)
    patches = {"whole": 4, "region": 3, "parts": 2}[left_out]  # the whole one is always there
    assert inputs.shape == (patches * 32, 32, 3)
    found = made.encode(inputs[None], domain)[0]
    levels = dict(
        zip(
            ("whole", "region", "parts"),
            slow_levels(sides[list(Domain).index(domain)], picture, domain),
            strict=True,
        )
    )
    del levels[left_out]
    expected = np.concatenate(list(levels.values())) / np.sqrt(2)
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_the_whole_picture_as_region_is_computed_once(sides, monkeypatch):
    made = encoder(sides, WholePicture(), weights=LevelWeights(parts=0.0))
    calls = []
    run = NetworkEncoder.encode
    monkeypatch.setattr(
        NetworkEncoder, "encode", lambda *given: (calls.append(len(given[1])), run(*given))[1]
    )
    inputs = np.stack([made.prepare(each, Domain.STREET) for each in pictures()])
    found = made.encode(inputs, Domain.STREET)
    assert calls == [3]
    half = found.shape[1] // 2
    assert np.array_equal(found[:, :half], found[:, half:])


def test_projections_shorten_level_3_and_then_all(sides):
    plain = encoder(sides)
    given = pictures(12)
    inputs = np.stack([plain.prepare(each, Domain.STREET) for each in given])
    blocks = {domain: plain.levels(inputs, domain) for domain in Domain}
    street, shop = blocks[Domain.STREET], blocks[Domain.SHOP]
    short = fit_projection(street.parts, shop.parts, dimension=5)
    joined = [
        join_levels(b.whole, b.region, short.apply(b.parts, domain), plain.weights)
        for domain, b in blocks.items()
    ]
    whole = fit_projection(*joined, dimension=7)
    made = encoder(sides, parts_projection=short, projection=whole)
    assert made.dimension == 7
    for (domain, _), rows in zip(blocks.items(), joined, strict=True):
        np.testing.assert_allclose(
            made.encode(inputs, domain), whole.apply(rows, domain), atol=1e-5
        )


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1)])
def test_odd_pictures(sides, size):
    made = encoder(sides)
    blank = np.full((*size, 3), 255, np.uint8)
    for domain in Domain:
        found = made.encode(made.prepare(blank, domain)[None], domain)
        assert np.isfinite(found).all()


def test_sides_of_different_lengths_are_refused(sides):
    torch.manual_seed(0)
    network = AttributeNetwork(create_backbone("test_resnet", {}), size=(32, 32), fc1=5)
    other = NetworkEncoder(LevelFeatures(network), preprocessing=SPEC, fingerprint="o")
    with pytest.raises(ValueError, match="must be of one length"):
        encoder([sides[0], other])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"whole": -1.0}, "whole must be finite and at least 0"),
        ({"parts": float("inf")}, "parts must be finite"),
        ({"region": float("nan")}, "region must be finite"),
        ({"whole": 0.0, "region": 0.0, "parts": 0.0}, "must be above 0, got 0 for each"),
    ],
)
def test_weights_out_of_range(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(LevelWeights(), **changes)
