"""Re-ranking by AsymNet against its networks as they are trained, one step at a time."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.video_feature_network import VideoFeatureNetwork  # noqa: E402
from snapshelf.matching.asymnet_reranking import AsymNetReranker, windows  # noqa: E402
from snapshelf.matching.fusion_tree import FusionTree  # noqa: E402
from snapshelf.matching.reranker import Candidate, rerank_shortlist  # noqa: E402
from snapshelf.matching.similarity_network import SimilarityNetwork  # noqa: E402
from snapshelf.matching.trajectory_reranker import TrajectoryReranker  # noqa: E402

D = 5


class Means:
    """Embeds a picture by the means of its channels, a number of its side, and its height."""

    dimension = D
    fingerprint = "means"

    def prepare(self, picture, domain):
        mean = picture.reshape(-1, 3).mean(0)
        side = 200 if domain is Domain.SHOP else 50
        return np.array([[[*mean], [side, len(picture) % 256, 9]]], np.uint8)

    def encode(self, inputs, domain):
        rows = inputs.reshape(len(inputs), -1)[:, :D].astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def made(depth=10, tree="2-2"):
    torch.manual_seed(3)
    video = VideoFeatureNetwork(D, 4)
    similarity = SimilarityNetwork(4, D, hidden=6, tree=FusionTree.from_text(tree))
    with torch.no_grad():
        similarity.gates.normal_()
        similarity.second.weight.mul_(5)
    return AsymNetReranker(Means(), video, similarity.fold(), depth=depth), video, similarity


def pictures(count, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (1 + n, 7, 3)).astype(np.uint8) for n in range(count)]


def features(shown, domain):
    encoder = Means()
    rows = [encoder.encode(encoder.prepare(each, domain)[None], domain)[0] for each in shown]
    return torch.from_numpy(np.stack(rows)) * D**0.5


def reference(video, similarity, shown, gallery):
    """The mean of the log-odds of windows, by the networks as they are trained."""
    steps, shop = features(shown, Domain.STREET), features(gallery, Domain.SHOP)
    total = []
    with torch.no_grad():
        for places in windows(len(shown), 4):
            states = video(steps[torch.from_numpy(places)][None])
            total.append(similarity(states, shop[None])[0])
    return torch.stack(total).mean(0).numpy()


@pytest.mark.parametrize("count", [1, 3, 4, 5, 11])
def test_similarities_are_those_of_the_networks(count):
    reranker, video, similarity = made()
    assert isinstance(reranker, TrajectoryReranker)
    shown, gallery = pictures(count), pictures(6, seed=1)
    query = reranker.describe_trajectory(shown)
    candidates = [Candidate(0.5, reranker.describe(each, Domain.SHOP)) for each in gallery]
    judged = reranker.rerank(query, candidates)
    expected = reference(video, similarity, shown, gallery)
    np.testing.assert_allclose([60 * each.similarity for each in judged], expected, atol=1e-4)
    told = [each.evidence["probability"] for each in judged]
    np.testing.assert_allclose(told, 1 / (1 + np.exp(-expected)), atol=1e-5)
    assert len(set(np.round(expected, 4))) == len(gallery)
    order = [place.candidate for place in rerank_shortlist(reranker, query, candidates)]
    assert order == np.argsort(-expected).tolist()


def test_a_photo_is_a_trajectory_of_one_step():
    reranker, _, _ = made()
    (one,) = pictures(1)
    assert reranker.describe(one, Domain.STREET) == reranker.describe_trajectory([one])
    assert len(reranker.describe(one, Domain.SHOP)) == 4 * 6


def test_windows_hold_every_picture():
    for count in range(1, 50):
        for steps in (1, 2, 4, 32):
            places = windows(count, steps)
            assert places.shape[1] == steps
            assert set(places.ravel().tolist()) == set(range(count))
            assert len(places) == max(1, -(-count // steps))
            assert (np.diff(places, axis=1) <= 1).all()


def test_what_lacks_or_has_another_description():
    reranker, _, _ = made()
    query = reranker.describe_trajectory(pictures(2))
    right = reranker.describe(pictures(1)[0], Domain.SHOP)
    judged = reranker.rerank(query, [Candidate(0.9, None), Candidate(0.1, right)])
    assert judged[0].similarity == -1.0
    assert judged[1].similarity > -1.0
    assert reranker.rerank(query, [Candidate(0.9, None)])[0].evidence == {}
    assert list(reranker.rerank(query, [])) == []
    for wrong in (b"", right[:-1], right + right):
        with pytest.raises(ModelError, match="index the shelf anew"):
            reranker.rerank(query, [Candidate(0.9, wrong)])
    with pytest.raises(ModelError, match="index the shelf anew"):
        reranker.rerank(query[:-4], [Candidate(0.9, right)])
    with pytest.raises(ValueError, match="pictures must be at least one"):
        reranker.describe_trajectory([])


def test_networks_that_do_not_fit_are_refused():
    _, video, similarity = made()
    with pytest.raises(ValueError, match="the video network takes 7"):
        AsymNetReranker(Means(), VideoFeatureNetwork(7, 4), similarity.fold(), depth=1)
    with pytest.raises(ValueError, match="depth must be at least 1"):
        AsymNetReranker(Means(), video, similarity.fold(), depth=0)


def test_the_fingerprint_follows_the_weights():
    one, other, third = made()[0], made()[0], made(tree="4")[0]
    assert one.fingerprint == other.fingerprint
    assert one.fingerprint != third.fingerprint
    _, video, similarity = made()
    before = AsymNetReranker(Means(), video, similarity.fold(), depth=1).fingerprint
    with torch.no_grad():
        video.lstm.bias_hh_l1[0] += 1
    assert AsymNetReranker(Means(), video, similarity.fold(), depth=1).fingerprint != before
