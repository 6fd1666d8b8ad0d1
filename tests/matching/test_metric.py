"""The metric network: two layers against loops, its pairs, and its shortlists."""

import math

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.metric_network import MetricNetwork
from snapshelf.matching.metric_reranking import MetricReranker
from snapshelf.matching.reranker import Candidate, rerank_shortlist


def network(length=4, hidden=3, seed=1):
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return rng.normal(size=shape).astype(np.float32)

    return MetricNetwork(
        draw(length, hidden), draw(length, hidden), draw(hidden), draw(hidden), draw(1)
    )


class Means:
    """The mean of each channel and a 1 as a feature."""

    dimension = 4
    fingerprint = "means"

    def prepare(self, picture, domain):
        return picture[:1, :1]

    def encode(self, inputs, domain):
        return np.concatenate([inputs.mean((1, 2)) / 255, np.ones((len(inputs), 1))], 1).astype(
            np.float32
        )


def slow(net, street, shop):
    """Two layers over the pair, unit by unit."""
    pair = [*street, *shop]
    weight = np.concatenate([net.street, net.shop])
    odds = float(net.offset[0])
    for unit in range(net.hidden):
        total = float(net.bias[unit]) + sum(
            x * w for x, w in zip(pair, weight[:, unit], strict=True)
        )
        odds += max(total, 0.0) * float(net.output[unit])
    return 1 / (1 + math.exp(-odds))


def test_a_probability_is_two_layers_over_the_pair():
    net = network()
    rng = np.random.default_rng(2)
    street = rng.normal(size=4).astype(np.float32)
    shop = rng.normal(size=(5, 4)).astype(np.float32)
    found = net.probabilities(net.street_part(street), net.shop_part(shop))
    expected = [slow(net, street, each) for each in shop]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert net.probabilities(net.street_part(street), net.shop_part(shop[:0])).shape == (0,)


@pytest.mark.parametrize("offset", [-1e4, 1e4])
def test_odds_of_any_size(offset):
    net = network()
    sure = MetricNetwork(net.street, net.shop, net.bias, net.output, np.float32([offset]))
    zeros = np.zeros((1, 4), np.float32)
    found = sure.probabilities(sure.street_part(zeros[0]), sure.shop_part(zeros))
    assert found.tolist() == [float(offset > 0)]


def test_weights_are_written_and_read():
    net = network()
    again = MetricNetwork.from_tensors(net.tensors())
    assert again.fingerprint == net.fingerprint != network(seed=2).fingerprint
    tensors = net.tensors()
    with pytest.raises(ValueError, match="expected the tensors street, shop, bias"):
        MetricNetwork.from_tensors({"street": tensors["street"]})
    with pytest.raises(ValueError, match="street and shop must be"):
        MetricNetwork.from_tensors(tensors | {"bias": tensors["bias"][:2]})
    with pytest.raises(ValueError, match="must be finite"):
        MetricNetwork.from_tensors(tensors | {"offset": np.float32([np.nan])})


def test_a_shortlist_is_put_in_order_and_its_tail_stays():
    net = network()
    reranker = MetricReranker(Means(), net, depth=3)
    rng = np.random.default_rng(3)
    pictures = rng.integers(0, 256, (5, 2, 2, 3), np.uint8)
    query = reranker.describe(pictures[0], Domain.STREET)
    described = [reranker.describe(each, Domain.SHOP) for each in pictures[1:]]
    candidates = [Candidate(1.0 - n / 10, each) for n, each in enumerate(described)]
    judged = reranker.rerank(query, candidates)
    street, *shop = (Means().encode(each[None, :1, :1], Domain.SHOP)[0] for each in pictures)
    expected = [slow(net, street, each) for each in shop]
    assert [one.similarity for one in judged] == pytest.approx(expected, rel=1e-5)
    assert judged[0].evidence == {"probability": judged[0].similarity}
    places = rerank_shortlist(reranker, query, candidates)
    assert [place.candidate for place in places[:3]] == np.argsort(expected[:3])[::-1].tolist()
    assert places[3].candidate == 3
    similarities = [place.similarity for place in places]
    assert similarities == sorted(similarities, reverse=True)


def test_a_candidate_without_a_description_and_one_of_another_reranker():
    reranker = MetricReranker(Means(), network(), depth=2)
    query = reranker.describe(np.zeros((1, 1, 3), np.uint8), Domain.STREET)
    assert reranker.rerank(query, [Candidate(0.5, None)])[0].similarity == 0.0
    assert list(reranker.rerank(query, [])) == []
    with pytest.raises(ModelError, match="expected a description of 12 bytes, got 5"):
        reranker.rerank(query, [Candidate(0.5, b"other")])


def test_networks_that_do_not_fit():
    with pytest.raises(ValueError, match="for features of length 4, got 5"):
        MetricReranker(Means(), network(length=5), depth=1)
    with pytest.raises(ValueError, match="depth must be at least 1"):
        MetricReranker(Means(), network(), depth=0)
    assert MetricReranker(Means(), network(), depth=1).fingerprint != (
        MetricReranker(Means(), network(seed=2), depth=1).fingerprint
    )
