"""Where Studio2Shop begins: copied and regressed features, and a match that is a distance."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from snapshelf.features.attribute_network import AttributeNetwork  # noqa: E402
from snapshelf.features.backbones import create_backbone, feature_map  # noqa: E402
from snapshelf.features.network_encoder import NetworkEncoder  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.features.query_network import QueryNetwork  # noqa: E402
from snapshelf.features.whitening import WhitenedEncoder, Whitening  # noqa: E402
from snapshelf.matching.studio_matcher import StudioMatcher  # noqa: E402
from snapshelf.training.studio_start import (  # noqa: E402
    centre_dots,
    copy_fashion_dna,
    mean_features,
    pooled_map,
    start_as_distance,
    start_by_regression,
)
from snapshelf.training.training_error import TrainingError  # noqa: E402

SIZE = (48, 32)
SPEC = Preprocessing(size=SIZE, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))
LENGTH = 5


def query_network(hidden=24, grid=(2, 1), seed=1):
    torch.manual_seed(seed)
    return QueryNetwork(
        create_backbone("test_resnet", {}),
        size=SIZE,
        grid=grid,
        hidden=hidden,
        dropout=0.5,
        dimension=LENGTH,
    ).eval()


def fashion_dna(fc1=16, grid=(2, 1)):
    torch.manual_seed(7)
    network = AttributeNetwork(
        create_backbone("test_resnet", {}), size=SIZE, grid=grid, fc1=fc1, branch=4, attributes=(3,)
    )
    projection = np.random.default_rng(0).normal(size=(fc1, LENGTH)).astype(np.float32)
    zeros = np.zeros(fc1, np.float32)
    encoder = NetworkEncoder(network, preprocessing=SPEC, fingerprint="f")
    return WhitenedEncoder(encoder, Whitening(zeros, zeros, projection))


def some_inputs(count=6):
    return torch.randn(count, 3, *SIZE, generator=torch.Generator().manual_seed(0))


def state(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


# --- copied ---------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [16, 24])
def test_a_copy_gives_what_fashion_dna_gives_before_its_norm(hidden):
    network, encoder = query_network(hidden), fashion_dna()
    assert copy_fashion_dna(network, encoder)
    inputs = some_inputs()
    with torch.no_grad():
        activation = encoder.encoder.network(inputs).numpy()
        found = network(inputs).numpy()
    np.testing.assert_allclose(
        found, activation @ encoder.whitening.projection, rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize(
    ("network", "articles"),
    [
        (query_network(hidden=15), fashion_dna()),  # shorter than fDNA
        (query_network(hidden=9), fashion_dna(fc1=8)),  # no room for both signs
        (query_network(grid=(1, 1)), fashion_dna()),
        (query_network(), fashion_dna().encoder),
        (query_network(), object()),
    ],
)
def test_what_does_not_fit_is_left_as_it_is(network, articles):
    before = state(network)
    assert not copy_fashion_dna(network, articles)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name


# --- regressed ------------------------------------------------------------------------------


def test_a_regression_finds_a_linear_relation():
    network = query_network(grid=(2, 1))
    inputs = some_inputs(64)
    with torch.no_grad():
        pooled = pooled_map(network, inputs).numpy()
        map_ = feature_map(network.backbone, inputs)
    np.testing.assert_allclose(pooled, map_.numpy().mean((2, 3)), rtol=1e-4, atol=1e-6)
    weight = np.random.default_rng(1).normal(size=(pooled.shape[1], LENGTH))
    wanted = (pooled @ weight + 3).astype(np.float32)
    start_by_regression(network, pooled, wanted)
    with torch.no_grad():
        found = network(inputs).numpy()
    unexplained = ((found - wanted) ** 2).sum() / ((wanted - wanted.mean(0)) ** 2).sum()
    assert unexplained < 0.05
    # As large as a layer's weights are by default, so that it learns as fast as one.
    first = network.layers[0]
    used = first.weight.detach()
    assert float(used.square().mean().sqrt()) == pytest.approx(
        (3 * first.in_features) ** -0.5, rel=0.2
    )


def test_a_regression_of_noise_keeps_to_the_mean():
    network = query_network()
    rng = np.random.default_rng(0)
    pooled = rng.normal(size=(20, pooled_map(network, some_inputs(1)).shape[1]))
    wanted = rng.normal(size=(20, LENGTH)) + 4
    start_by_regression(network, pooled.astype(np.float32), wanted.astype(np.float32))
    found = network(some_inputs()).detach().numpy()
    np.testing.assert_allclose(found, np.broadcast_to(wanted.mean(0), found.shape), atol=1)


def test_short_layers_bring_through_what_photos_differ_in_most():
    network = query_network(hidden=5)
    inputs = some_inputs(64)
    with torch.no_grad():
        pooled = pooled_map(network, inputs).numpy()
        wanted = np.zeros((64, LENGTH), np.float32)
        wanted[:, 1] = pooled[:, 0] - pooled[:, 1]
        wanted[:, 4] = 3 * (pooled[:, 2] + pooled[:, 5]) + 1
        start_by_regression(network, pooled, wanted)
        found = network(inputs).numpy()
    assert np.corrcoef(found[:, 4], wanted[:, 4])[0, 1] > 0.98
    assert np.corrcoef(found[:, 1], wanted[:, 1])[0, 1] > 0.9


def test_a_regression_of_one_photo_says_what_to_do():
    with pytest.raises(TrainingError, match="start = 'random'"):
        start_by_regression(query_network(), np.ones((1, 8), np.float32), np.ones((1, LENGTH)))


def test_a_photo_of_several_articles_wants_their_mean():
    features = np.arange(12, dtype=np.float32).reshape(4, 3)
    found = mean_features(features, [(0, 2), (3,)])
    np.testing.assert_array_equal(found, [[3, 4, 5], [9, 10, 11]])


# --- centred --------------------------------------------------------------------------------


@pytest.mark.parametrize("matched", [True, False])
def test_photos_are_centred_and_get_a_length(matched):
    network = query_network()
    inputs = some_inputs(32)
    features = np.random.default_rng(3).normal(size=(40, LENGTH)).astype(np.float32)
    with torch.no_grad():
        before = network(inputs).numpy()
        centre_dots(network, before, None if matched else features)
        found = network(inputs).numpy()
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-4)
    centred = before - before.mean(0)
    ratio = found[0, 0] / centred[0, 0]
    np.testing.assert_allclose(found, centred * ratio, rtol=1e-2, atol=1e-4)
    assert ratio > 0
    length = np.linalg.norm(found, axis=1).mean() if matched else (found @ features.T).std()
    assert length == pytest.approx(1, rel=1e-3)


# --- matched --------------------------------------------------------------------------------


def test_a_match_begins_as_a_distance():
    rng = np.random.default_rng(5)
    photos = (3 * rng.normal(size=(30, LENGTH)) + 2).astype(np.float32)
    articles = rng.normal(size=(50, LENGTH)).astype(np.float32) - 1
    torch.manual_seed(0)
    matcher = StudioMatcher(LENGTH, 2 * LENGTH + 3)
    start_as_distance(matcher, photos, articles, 0.1)
    assert matcher.training
    with torch.no_grad():
        odds = matcher.eval()(
            torch.from_numpy(photos), torch.from_numpy(articles)[None].expand(30, -1, -1)
        ).numpy()
    sides = [side - side.mean(0) for side in (photos, articles)]
    own, theirs = (side / np.linalg.norm(side, axis=1).mean() for side in sides)
    distance = np.abs(own[:, None] - theirs[None]).sum(2)
    assert np.corrcoef(odds.ravel(), distance.ravel())[0, 1] == pytest.approx(-1, abs=1e-5)
    assert odds.std() == pytest.approx(1, rel=1e-2)
    assert odds.mean() == pytest.approx(np.log(0.1 / 0.9), abs=1e-3)


def test_a_short_match_compares_the_first_coordinates():
    rng = np.random.default_rng(5)
    photos, articles = (rng.normal(size=(20, LENGTH)).astype(np.float32) for _ in range(2))
    matcher = StudioMatcher(LENGTH, 4)
    start_as_distance(matcher, photos, articles, 0.5)
    changed = articles.copy()
    changed[:, 2:] = 9
    with torch.no_grad():
        matcher.eval()
        found, other = (
            matcher(torch.from_numpy(photos), torch.from_numpy(each)[None].expand(20, -1, -1))
            for each in (articles, changed)
        )
    torch.testing.assert_close(found, other)


def test_features_that_are_all_alike_give_no_infinity():
    same = np.ones((4, LENGTH), np.float32)
    matcher = StudioMatcher(LENGTH, 10)
    start_as_distance(matcher, same, same, 0.5)
    with torch.no_grad():
        odds = matcher.eval()(
            torch.from_numpy(same), torch.from_numpy(same)[None].expand(4, -1, -1)
        )
    assert torch.isfinite(odds).all()
