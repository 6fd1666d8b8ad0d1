"""Studio2Shop's re-ranker: its order, its descriptions, and what does not fit."""

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.assortment import Assortment
from snapshelf.matching.folded_matcher import FoldedMatcher
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
    (found,) = Assortment(matcher(), features, precision="float32").best(asked, 6)
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
