"""Studio2Shop's re-ranker: its order, its descriptions, and what does not fit."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.assortment import Assortment
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.kept_parts import KeptParts
from snapshelf.matching.reranker import Candidate, rerank_shortlist
from snapshelf.matching.studio_reranking import StudioReranker


class Means:
    """The mean of each channel, in a size and on a scale of its own."""

    dimension = 3

    def __init__(self, scale):
        self.scale, self.fingerprint = scale, f"means {scale}"

    def prepare(self, picture, domain):
        return picture[: int(self.scale), :1]

    def encode(self, inputs, domain):
        return (self.scale * inputs.mean((1, 2)) / 255).astype(np.float32)


def matcher(seed=1, length=3):
    rng = np.random.default_rng(seed)
    shapes = [(length, 6), (length, 6), (6,), (6, 4), (4,), (4,), (1,)]
    return FoldedMatcher(*(rng.normal(size=shape).astype(np.float32) for shape in shapes))


def reranker(depth=10, **changes):
    given = {"query": Means(3.0), "articles": Means(1.0), "matcher": matcher()} | changes
    return StudioReranker(**given, depth=depth)


def pictures(count):
    return np.random.default_rng(2).integers(0, 256, (count, 3, 2, 3), np.uint8)


def test_each_side_has_its_encoder_and_the_order_is_that_of_the_whole_assortment():
    own = reranker(depth=4)
    photo, *shown = pictures(7)
    query = own.describe(photo, Domain.STREET)
    candidates = [
        Candidate(1 - n / 10, own.describe(each, Domain.SHOP)) for n, each in enumerate(shown)
    ]
    features = np.stack([Means(1.0).encode(each[None, :1, :1], Domain.SHOP)[0] for each in shown])
    asked = Means(3.0).encode(photo[None, :3, :1], Domain.STREET)
    net = matcher()
    shop = Assortment(net, net.shop_parts(features), precision="float32")
    (found,) = shop.best(net.street_parts(asked), 6)
    judged = own.rerank(query, candidates)
    probabilities = [one.similarity for one in judged]
    np.testing.assert_allclose(np.array(probabilities)[found.rows], found.probabilities, atol=1e-6)
    assert judged[0].evidence == {"probability": probabilities[0]}
    places = rerank_shortlist(own, query, candidates)
    head = np.argsort(-np.array(probabilities[:4]), kind="stable").tolist()
    assert [place.candidate for place in places] == [*head, 4, 5]


def test_candidates_without_a_description_and_of_another_reranker():
    own = reranker()
    query = own.describe(pictures(1)[0], Domain.STREET)
    assert [one.similarity for one in own.rerank(query, [Candidate(0.5, None)])] == [0.0]
    assert list(own.rerank(query, [])) == []
    for wrong in (b"", b"other"):
        with pytest.raises(ModelError, match="expected a description of 24 bytes"):
            own.rerank(query, [Candidate(0.5, wrong)])
        with pytest.raises(ModelError, match="index the shelf anew"):
            own.rerank(wrong, [])


def test_descriptions_that_are_not_finite_are_told():
    own = reranker()
    query = own.describe(pictures(1)[0], Domain.STREET)
    broken = np.float32([np.nan, *[0] * 5]).tobytes()
    with pytest.raises(ModelError, match="finite numbers, got NaN or infinity: it is damaged"):
        own.rerank(query, [Candidate(0.5, broken)])


class Shelved:
    """Descriptions by number, and how often each was read."""

    def __init__(self, bodies):
        self.bodies, self.read = bodies, Counter()

    def descriptions(self, numbers):
        self.read.update(numbers)
        return {number: self.bodies[number] for number in numbers if number in self.bodies}


def shelved(own, numbers):
    shown = pictures(len(numbers) + 3)[3:]
    bodies = [own.describe(each, Domain.SHOP) for each in shown]
    return Shelved(dict(zip(numbers, bodies, strict=True)))


def check_ranked(own, shelf, queries, shortlists, most):
    """What is ranked is what `rerank` finds of the same candidates, one query at a time."""
    numbers = [np.array(each, np.int64) for each in shortlists]
    found = own.rank(shelf, queries, numbers, most)
    for query, listed, ranked in zip(queries, shortlists, found, strict=True):
        judged = own.rerank(query, [Candidate(0, shelf.bodies.get(each)) for each in listed])
        similarities = np.array([each.similarity for each in judged])
        order = np.argsort(-similarities, kind="stable")[:most]
        assert ranked.candidates.tolist() == order.tolist()
        np.testing.assert_allclose(ranked.similarities, similarities[order], atol=1e-6)
        told = [own.evidence(each) for each in ranked.similarities.tolist()[:1]]
        assert told == [{"probability": each} for each in ranked.similarities.tolist()[:1]]


@pytest.mark.parametrize("most", [1, 4, None])
def test_a_shelf_is_ranked_for_several_queries_as_candidates_are(most):
    own = reranker()
    shelf = shelved(own, [7, 2**40, 3, 10, 55, 12, 11])
    queries = [own.describe(each, Domain.STREET) for each in pictures(3)]
    shortlists = [[10, 3, 2**40, 7], [55, 99, 3], []]
    check_ranked(own, shelf, queries, shortlists, most)
    # Kept: nothing is read again but what is not there.
    check_ranked(own, shelf, queries[::-1], shortlists, most)
    assert {number: times for number, times in shelf.read.items() if times > 1}.keys() <= {99}
    check_ranked(own, shelf, queries, [[12, 10], [11, 12], [55]], most)
    assert max(times for number, times in shelf.read.items() if number != 99) == 1
    assert own.rank(shelf, [], [], most) == []


def test_each_shelf_has_its_own_numbers():
    own = reranker()
    query = own.describe(pictures(1)[0], Domain.STREET)
    one, other = shelved(own, [1, 2, 3]), shelved(own, [3, 1, 2])
    for shelf in (one, other, one):
        check_ranked(own, shelf, [query], [[1, 2, 3]], None)


def test_no_more_is_kept_than_there_is_room_for():
    own = reranker()
    net = matcher()
    shelf = shelved(own, range(9))
    wanted = np.float32([[np.frombuffer(body, "<f4") for body in shelf.bodies.values()]])[0]
    kept = KeptParts(net, own._parts, held_bytes=5 * 6 * 4)

    def check(numbers, reads):
        before = shelf.read.total()
        shop, (rows,) = kept.hold(shelf, [np.array(numbers, np.int64)])
        query = net.street_parts(np.float32([[0.1, 0.2, 0.3]]))
        np.testing.assert_allclose(
            shop.odds(query)[0][rows], net.odds(query[0], wanted[numbers]), atol=0.05
        )
        assert shelf.read.total() - before == reads

    check([0, 1, 2], 3)
    check([3, 1, 4], 2)
    check([4, 2, 0], 0)
    # Full: what this search wants stays, the rest goes.
    check([5, 4], 1)
    check([5, 4], 0)
    check([0], 1)
    # More than there is room for is read for one search, and takes the place of nothing bigger.
    check([8, 7, 6, 5, 4, 3], 4)
    check([8, 7, 6, 5, 4, 3], 6)
    check([8], 1)


def test_searches_at_once_read_a_shelf_once():
    own = reranker()
    shelf = shelved(own, range(64))
    query = own.describe(pictures(1)[0], Domain.STREET)
    numbers = np.arange(64)
    expected = own.rank(shelved(own, range(64)), [query], [numbers], None)[0]
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(own.rank, shelf, [query], [numbers], None) for _ in range(32)]
        for each in asked:
            assert each.result()[0].candidates.tolist() == expected.candidates.tolist()
    assert max(shelf.read.values()) == 1


def test_parts_that_do_not_fit_and_fingerprints():
    with pytest.raises(ValueError, match="length 4, got 3 of photos and 3 of articles"):
        reranker(matcher=matcher(length=4))
    with pytest.raises(ValueError, match="depth must be at least 1"):
        reranker(depth=0)
    prints = {
        reranker().fingerprint,
        reranker(query=Means(2.0)).fingerprint,
        reranker(articles=Means(2.0)).fingerprint,
        reranker(matcher=matcher(seed=2)).fingerprint,
    }
    assert len(prints) == 4
    # The depth decides no description.
    assert reranker(depth=1).fingerprint == reranker(depth=2).fingerprint


@pytest.mark.torch
def test_query_features_are_the_networks_own():
    torch = pytest.importorskip("torch")
    from snapshelf.features.backbones import create_backbone
    from snapshelf.features.preprocessing import Preprocessing
    from snapshelf.features.query_encoder import QueryEncoder
    from snapshelf.features.query_network import QueryNetwork

    torch.manual_seed(0)
    size = (48, 32)
    network = QueryNetwork(create_backbone("test_resnet", {}), size=size, hidden=6, dimension=3)
    spec = Preprocessing(size=size, mean=(0.5,) * 3, std=(0.25,) * 3)
    encoder = QueryEncoder(network, preprocessing=spec, fingerprint="own")
    inputs = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    scaled = torch.from_numpy(((inputs / 255 - 0.5) / 0.25).transpose(0, 3, 1, 2)).float()
    with torch.no_grad():
        expected = network(scaled).numpy()
    found = encoder.encode(inputs, Domain.STREET)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-3)
    for picture in (np.full((300, 100, 3), 255, np.uint8), np.zeros((1, 1, 3), np.uint8)):
        tiny = encoder.encode(encoder.prepare(picture, Domain.STREET)[None], Domain.STREET)
        assert np.isfinite(tiny).all()
