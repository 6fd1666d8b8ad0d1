"""Key points by a network: kept, matched, verified. The networks have weights made here."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.keypoint_features import KeypointFeatures
from snapshelf.matching.local.keypoint_method import SIFT, KeypointMethod
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.reranker import Candidate

pytestmark = pytest.mark.torch
kornia = pytest.importorskip("kornia.feature", reason="needs kornia, of the extra `torch`")

import torch  # noqa: E402

from snapshelf.matching.local.learned_matching import (  # noqa: E402
    LearnedMethod,
    find_learned,
    match_learned,
)

SETTINGS = LocalSettings(query_side=304, shop_side=304, query_most=300, shop_most=300)


def nearest_matcher() -> torch.nn.Module:
    """Make a LightGlue whose layers change nothing, so that it matches what is nearest."""
    matcher = kornia.LightGlue(None, input_dim=128, n_layers=2, filter_threshold=0.5)
    with torch.no_grad():
        for tensor in matcher.parameters():
            tensor.zero_()
        matcher.input_proj.weight[:128] = 40 * torch.eye(128)
        for assignment in matcher.log_assignment:
            assignment.final_proj.weight += torch.eye(256)
            assignment.matchability.bias += 10
    return matcher.eval()


@pytest.fixture(scope="module")
def method() -> LearnedMethod:
    torch.manual_seed(0)
    return LearnedMethod(kornia.DISK(), nearest_matcher())


def some_keypoints(seed: int, count: int) -> KeypointFeatures:
    rng = np.random.default_rng(seed)
    descriptors = rng.normal(size=(count, 128))
    descriptors /= np.linalg.norm(descriptors, axis=1, keepdims=True)
    points = rng.uniform(0, (300, 200), (count, 2)).astype(np.float32)
    return KeypointFeatures((300, 200), points, np.rint(descriptors * 256 + 128).astype(np.uint8))


def unit(keypoints: KeypointFeatures) -> NDArray[np.float64]:
    signed = keypoints.descriptors.astype(np.float64) - 128
    return signed / np.linalg.norm(signed, axis=1, keepdims=True)


def test_descriptors_in_bytes_are_those_of_the_network(labels: list[NDArray[np.uint8]]) -> None:
    torch.manual_seed(0)
    finder = kornia.DISK().eval()
    kept = find_learned(finder, labels[0], side=304, most=50)
    scaled = cv2.resize(labels[0], (304, 304), interpolation=cv2.INTER_CUBIC)
    inputs = torch.from_numpy(scaled).permute(2, 0, 1)[None].float() / 255
    with torch.inference_mode():
        (found,) = finder(inputs, n=50)
    order = np.argsort(-found.detection_scores.numpy(), kind="stable")
    expected = found.descriptors.numpy()[order]
    assert (unit(kept) * expected).sum(axis=1).min() > 0.999
    np.testing.assert_array_equal(
        KeypointFeatures.from_bytes(kept.to_bytes()).descriptors, kept.descriptors
    )


def test_matches_are_those_of_the_network() -> None:
    query, other = some_keypoints(1, 40), some_keypoints(2, 30)
    noise = np.random.default_rng(3).integers(-5, 6, (10, 128))
    # The first ten of the query are the last ten of the candidate, somewhat changed.
    other.descriptors[20:] = (query.descriptors[:10] + noise).clip(0, 255)
    matches = match_learned(nearest_matcher(), query, other)
    # LightGlue, Eq. 7 and 8: what either side takes the other for, with sqrt(256) below the scales.
    logits = 40 * 40 / 16 * unit(query) @ unit(other).T
    one, two = np.exp(logits - 100), np.exp(logits - 100)
    assignment = one / one.sum(axis=1, keepdims=True) * two / two.sum(axis=0, keepdims=True)
    best = [
        (row, int(assignment[row].argmax()))
        for row in range(40)
        if assignment[row].max() > 0.5 and assignment[:, assignment[row].argmax()].argmax() == row
    ]
    assert list(zip(matches.query, matches.candidate, strict=True)) == best
    assert {(number, number + 20) for number in range(10)} <= set(best)
    difference = unit(query)[matches.query] - unit(other)[matches.candidate]
    np.testing.assert_allclose(matches.distance, np.linalg.norm(difference, axis=1), rtol=1e-5)


def test_none_has_no_match() -> None:
    for query, other in ((0, 5), (5, 0), (0, 0)):
        matches = match_learned(
            nearest_matcher(), some_keypoints(0, query), some_keypoints(1, other)
        )
        assert len(matches) == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 3)])
def test_a_tiny_picture_has_none(method: LearnedMethod, shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), np.uint8)
    assert len(method.find(picture, side=304, most=300, contrast=0)) == 0


def test_places_are_in_pixels_of_the_picture_itself(
    method: LearnedMethod, labels: list[NDArray[np.uint8]]
) -> None:
    found = method.find(labels[0], side=304, most=50, contrast=0)
    assert found.size == (300, 300)
    assert len(found) == 50
    twice = cv2.resize(labels[0], (600, 600), interpolation=cv2.INTER_LANCZOS4)
    larger = method.find(twice, side=304, most=50, contrast=0)
    assert found.points.min() >= 0
    assert found.points.max() <= 300
    apart = np.linalg.norm(larger.points[:, None] / 2 - found.points[None], axis=2).min(axis=1)
    assert np.median(apart) < 3


def test_the_surest_come_first(labels: list[NDArray[np.uint8]]) -> None:
    torch.manual_seed(0)
    finder = kornia.DISK().eval()
    few = find_learned(finder, labels[0], side=304, most=20)
    many = find_learned(finder, labels[0], side=304, most=100)
    np.testing.assert_array_equal(few.points, many.points[:20])


def test_the_label_that_is_shown_again_is_verified(
    method: LearnedMethod, labels: list[NDArray[np.uint8]]
) -> None:
    reranker = VerifiedReranker(SETTINGS, Fusion(weight=0.1, colour=0.05, chance=5), method=method)
    shown = np.full((304, 304, 3), 255, np.uint8)
    shown[16:256, 32:272] = labels[1][32:272, 16:256]
    query = reranker.describe(shown, Domain.STREET)
    shelf = [reranker.describe(label, Domain.SHOP) for label in labels[:3]]
    candidates = [*map(Candidate, (0.5, 0.4, 0.5), shelf)]
    judged = reranker.rerank(query, [*candidates, Candidate(0.1, None)])
    assert np.argmax([one.similarity for one in judged]) == 1
    assert judged[1].evidence["inliers"] > 40
    assert judged[1].evidence["colour"] > 0.9
    moved = np.array(judged[1].evidence["points"])
    np.testing.assert_allclose(np.median(moved[:, 2:] - moved[:, :2], axis=0), (-16, 16), atol=3)
    assert judged[3].evidence == {}
    assert reranker.rerank(query, []) == []


def test_the_first_look_decides_what_the_network_matches(
    method: LearnedMethod, labels: list[NDArray[np.uint8]]
) -> None:
    fusion = Fusion(weight=0.1, colour=0.05, chance=5)
    reranker = VerifiedReranker(replace(SETTINGS, verified=1), fusion, method=method)
    query = reranker.describe(labels[1], Domain.STREET)
    shelf = [reranker.describe(label, Domain.SHOP) for label in labels[:3]]
    judged = reranker.rerank(query, [Candidate(0.5, each) for each in shelf])
    assert [bool(one.evidence) for one in judged] == [False, True, False]
    every = VerifiedReranker(SETTINGS, fusion, method=method)
    assert judged[1] == every.rerank(query, [Candidate(0.5, each) for each in shelf])[1]


def test_the_fingerprint_is_of_the_networks_and_the_settings(method: LearnedMethod) -> None:
    fusion = Fusion(weight=0.1, colour=0.05, chance=5)

    def digests(used: KeypointMethod, **changed: float) -> tuple[str, str]:
        settings = LocalSettings(**changed)  # type: ignore[arg-type]
        reranker = VerifiedReranker(settings, fusion, method=used)
        return reranker.fingerprint, reranker.comparison

    torch.manual_seed(1)
    found_otherwise = LearnedMethod(kornia.DISK(), nearest_matcher())
    plain = digests(method)
    assert digests(method, query_side=500)[0] == plain[0] != digests(method, shop_side=500)[0]
    assert digests(method, query_side=500)[1] != plain[1]
    for other in (SIFT, found_otherwise):
        assert digests(other)[0] != plain[0]
        assert digests(other)[1] != plain[1]
    torch.manual_seed(0)
    matched_otherwise = LearnedMethod(kornia.DISK(), kornia.LightGlue(None, input_dim=128))
    assert digests(matched_otherwise)[0] == plain[0]
    assert digests(matched_otherwise)[1] != plain[1]
