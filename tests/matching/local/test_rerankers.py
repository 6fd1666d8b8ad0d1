import json
from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.keypoint_features import find_keypoints
from snapshelf.matching.local.published_reranking import PublishedReranker, flann_matches
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.reranker import Candidate, Reranker

Picture = NDArray[np.uint8]
BLANK = np.full((200, 200, 3), 200, np.uint8)

RERANKERS: list[Reranker] = [
    PublishedReranker(),
    VerifiedReranker(LocalSettings(), Fusion(weight=0.1, colour=0.05, chance=5)),
]


def candidates_of(
    reranker: Reranker, pictures: Sequence[Picture], similarities: Sequence[float]
) -> list[Candidate]:
    return [
        Candidate(similarity, reranker.describe(picture, Domain.SHOP))
        for picture, similarity in zip(pictures, similarities, strict=True)
    ]


@pytest.mark.parametrize("reranker", RERANKERS, ids=lambda each: type(each).__name__)
class TestEveryReranker:
    def test_the_label_in_the_photo_is_found(
        self, reranker: Reranker, labels: list[Picture], photo: Picture
    ) -> None:
        query = reranker.describe(photo, Domain.STREET)
        shortlist = candidates_of(reranker, labels, [0.6, 0.58, 0.55, 0.5, 0.45, 0.4])
        judged = reranker.rerank(query, shortlist)
        similarities = [one.similarity for one in judged]
        assert int(np.argmax(similarities)) == 4
        assert judged[4].evidence["matches"] >= 10
        assert json.loads(json.dumps(judged[4].evidence)) == judged[4].evidence

    def test_a_blank_query_says_nothing(self, reranker: Reranker, labels: list[Picture]) -> None:
        query = reranker.describe(BLANK, Domain.STREET)
        shortlist = candidates_of(reranker, labels[:2], [0.3, 0.2])
        assert [one.evidence["matches"] for one in reranker.rerank(query, shortlist)] == [0, 0]

    def test_candidates_without_key_points_or_description_have_no_match(
        self, reranker: Reranker, photo: Picture
    ) -> None:
        query = reranker.describe(photo, Domain.STREET)
        pixel = np.zeros((1, 1, 3), np.uint8)
        shortlist = [*candidates_of(reranker, [BLANK, pixel], [0.3, 0.2]), Candidate(0.1, None)]
        judged = reranker.rerank(query, shortlist)
        assert [one.evidence.get("matches", 0) for one in judged] == [0, 0, 0]

    def test_no_candidates_give_nothing(self, reranker: Reranker, photo: Picture) -> None:
        assert list(reranker.rerank(reranker.describe(photo, Domain.STREET), [])) == []

    def test_another_re_rankers_description_is_refused(
        self, reranker: Reranker, photo: Picture
    ) -> None:
        query = reranker.describe(photo, Domain.STREET)
        with pytest.raises(ModelError, match="index the shelf again"):
            reranker.rerank(query, [Candidate(0.5, b"something else")])


def test_verified_points_lie_where_the_label_is_seen(labels: list[Picture], photo: Picture) -> None:
    reranker = RERANKERS[1]
    query = reranker.describe(photo, Domain.STREET)
    (judged,) = reranker.rerank(query, candidates_of(reranker, [labels[4]], [0.5]))
    points = np.array(judged.evidence["points"])
    assert len(points) == min(60, judged.evidence["inliers"])
    # The corners that `photograph` gives the label: (0, 0) to (90, 60), (300, 300) to (310, 330).
    assert (points[:, 0] > 60).all()
    assert (points[:, 0] < 340).all()
    middle = np.abs(points[:, 2:] - 150).max(axis=1) < 40
    assert middle.any()
    assert np.abs(points[middle, :2] - (200, 195)).max() < 60


def test_what_the_embeddings_say_stays_where_key_points_are_silent(photo: Picture) -> None:
    reranker = RERANKERS[1]
    query = reranker.describe(photo, Domain.STREET)
    judged = reranker.rerank(query, candidates_of(reranker, [BLANK] * 3, [0.7, -0.1, 0.2]))
    assert [one.similarity for one in judged] == [0.7, -0.1, 0.2]


def test_of_two_varieties_the_one_in_the_right_colours_comes_first(
    labels: list[Picture], photo: Picture
) -> None:
    reranker = RERANKERS[1]
    variety = np.ascontiguousarray(labels[4][:, :, ::-1])  # red for blue, the same in grey
    luma = cv2.cvtColor(labels[4], cv2.COLOR_RGB2GRAY).astype(int)
    other = cv2.cvtColor(variety, cv2.COLOR_RGB2GRAY).astype(int)
    variety = (variety + (luma - other)[..., np.newaxis]).clip(0, 255).astype(np.uint8)
    query = reranker.describe(photo, Domain.STREET)
    judged = reranker.rerank(query, candidates_of(reranker, [variety, labels[4]], [0.5, 0.5]))
    assert judged[0].evidence["inliers"] > 10
    assert judged[0].evidence["colour"] < 0.6 < judged[1].evidence["colour"]
    assert judged[1].similarity > judged[0].similarity


def test_only_the_candidates_with_most_of_the_strongest_matches_are_looked_at_closely(
    labels: list[Picture], photo: Picture
) -> None:
    settings = LocalSettings(verified=1, query_first=60, shop_first=40)
    reranker = VerifiedReranker(settings, Fusion(weight=0.1, colour=0.05, chance=5))
    query = reranker.describe(photo, Domain.STREET)
    shown_twice = candidates_of(reranker, [*labels[:4], labels[4], labels[4]], [0.5] * 6)
    judged = reranker.rerank(query, shown_twice)
    assert [number for number, one in enumerate(judged) if one.evidence] == [4]
    every = VerifiedReranker(LocalSettings(), reranker.fusion)
    assert judged[4] == every.rerank(query, shown_twice)[4]
    assert [one.similarity for one in judged[:4]] == [0.5] * 4


def test_the_published_similarity_counts_matches_and_breaks_ties_by_distance(
    labels: list[Picture], photo: Picture
) -> None:
    reranker = RERANKERS[0]
    query = reranker.describe(photo, Domain.STREET)
    (judged,) = reranker.rerank(query, candidates_of(reranker, [labels[4]], [0.5]))
    count, nearness = divmod(judged.similarity, 1)
    assert count == judged.evidence["matches"]
    assert 0 < nearness < 1


def test_flann_finds_what_comparing_all_finds(labels: list[Picture]) -> None:
    one = find_keypoints(labels[1], side=None, root=False)
    other = find_keypoints(np.roll(labels[1], 3, axis=1), side=None, root=False)
    distances = np.linalg.norm(
        one.descriptors[:, None].astype(float) - other.descriptors[None].astype(float), axis=2
    )
    ordered = np.sort(distances, axis=1)
    expected = int((ordered[:, 0] <= 0.8 * ordered[:, 1]).sum())
    assert len(flann_matches(one, other)) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"shop_side": 300}, False),
        ({"shop_most": 100}, False),
        ({"contrast": 0.05}, False),
        ({"query_side": 300}, True),
        ({"ratio": 0.7}, True),
        ({"query_first": 50, "shop_first": 50}, True),
        ({"verified": 5}, True),
    ],
)
def test_the_fingerprint_covers_what_a_shelf_holds(changed: dict[str, float], same: bool) -> None:
    fusion = Fusion(weight=0.1, colour=0.05, chance=5)
    plain = VerifiedReranker(LocalSettings(), fusion).fingerprint
    other = VerifiedReranker(LocalSettings(**changed), fusion).fingerprint  # type: ignore[arg-type]
    assert (plain == other) is same
    assert plain != PublishedReranker().fingerprint


@pytest.mark.parametrize(
    "wrong",
    [
        {"query_side": 15},
        {"shop_side": 5000},
        {"query_most": 0},
        {"shop_most": 70_000},
        {"query_first": 0},
        {"shop_first": 70_000},
        {"verified": -1},
        {"contrast": -0.1},
        {"ratio": 0},
        {"threshold": 0},
        {"model": "translation"},
    ],
)
def test_settings_out_of_range_are_named(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        LocalSettings(**wrong)  # type: ignore[arg-type]


def test_a_depth_of_none_is_refused() -> None:
    fusion = Fusion(weight=0.1, colour=0.05, chance=5)
    for make in (
        PublishedReranker,
        lambda depth: VerifiedReranker(LocalSettings(), fusion, depth=depth),
    ):
        with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
            make(0)
