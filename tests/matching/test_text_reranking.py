import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.matching.local.fusion import Fusion
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.reranker import Candidate
from snapshelf.matching.text_reranking import TextReranker, split_description
from snapshelf.matching.word_similarity import compare_words
from snapshelf.media.picture import RGB

SHELF = [("arla", "vanilj"), ("arla", "naturell"), ()]
QUERY = ("vanilj", "yoghurt")


class KnownText:
    """A reader of pictures whose first pixel says which text they show."""

    fingerprint = "known"

    def read(self, picture: RGB) -> tuple[str, ...]:
        return (*SHELF, QUERY)[int(picture[0, 0, 0])]


def picture(number: int, size: int = 40) -> RGB:
    return np.full((size, size, 3), number, np.uint8)


VERIFIED = VerifiedReranker(LocalSettings(), Fusion(weight=0.1, colour=0.05, chance=5, text=0.3))
RERANKER = TextReranker(VERIFIED, KnownText())


def shown(number: int, domain: Domain = Domain.SHOP) -> bytes:
    return RERANKER.describe(picture(number), domain)


def test_what_the_text_says_is_added() -> None:
    query, shelf = shown(3, Domain.STREET), [shown(number) for number in range(3)]
    similarities = [0.2, 0.25, -0.1]
    judged = RERANKER.rerank(query, [*map(Candidate, similarities, shelf)])
    texts = [one.similarity for one in compare_words(QUERY, SHELF)]
    assert texts[0] > 0.5 > texts[1] == 0
    expected = np.array(similarities) + 0.3 * np.array(texts)
    np.testing.assert_allclose([one.similarity for one in judged], expected)
    np.testing.assert_allclose(RERANKER.text_similarities(query, shelf), texts)
    assert judged[0].evidence["words"] == ["vanilj"]
    assert json.loads(json.dumps(judged[0].evidence)) == judged[0].evidence


def test_it_is_added_to_what_the_key_points_say() -> None:
    drawn = np.random.default_rng(0).integers(0, 255, (2, 30, 30, 3)).astype(np.uint8)
    prints = [cv2.resize(each, (300, 300), interpolation=cv2.INTER_NEAREST) for each in drawn]
    for number, label in enumerate(prints):
        label[0, 0] = number
    query, *shelf = (RERANKER.describe(label, Domain.SHOP) for label in (prints[0], *prints))
    parts = [split_description(each)[1] for each in shelf]
    verified = VERIFIED.rerank(parts[0], [Candidate(0.5, part) for part in parts])
    assert verified[0].evidence["inliers"] > 20
    texts = RERANKER.text_similarities(query, shelf)
    assert texts[0] > texts[1] > 0
    judged = RERANKER.rerank(query, [Candidate(0.5, each) for each in shelf])
    for both, one, text in zip(judged, verified, texts, strict=True):
        assert both.similarity == one.similarity + 0.3 * text
        assert one.evidence.items() <= both.evidence.items()
    assert RERANKER.compare(query, shelf) == VERIFIED.compare(parts[0], parts)


def test_without_weight_or_description_nothing_changes() -> None:
    unheard = replace(VERIFIED.fusion, text=0)
    reranker = TextReranker(VerifiedReranker(LocalSettings(), unheard), KnownText())
    candidates = [Candidate(0.4, shown(0)), Candidate(-0.5, None)]
    judged = reranker.rerank(shown(3, Domain.STREET), candidates)
    assert [one.similarity for one in judged] == [0.4, -0.5]
    assert judged[1].evidence == {"text": 0, "words": []}
    assert list(RERANKER.rerank(shown(3, Domain.STREET), [])) == []


def test_other_descriptions_are_refused() -> None:
    query = shown(3, Domain.STREET)
    plain = VERIFIED.describe(picture(0), Domain.SHOP)
    for wrong in (b"", b"something else", plain, query[:6]):
        with pytest.raises(ModelError, match="index the shelf again"):
            RERANKER.rerank(query, [Candidate(0.5, wrong)])


def test_the_key_points_have_their_own_part() -> None:
    words, rest = split_description(shown(1))
    assert words == SHELF[1]
    assert rest == VERIFIED.describe(picture(1), Domain.SHOP)


def test_the_fingerprint_is_of_both() -> None:
    other = VerifiedReranker(LocalSettings(shop_side=300), VERIFIED.fusion)
    unheard = VerifiedReranker(LocalSettings(), replace(VERIFIED.fusion, text=0), depth=7)
    assert TextReranker(unheard, KnownText()).fingerprint == RERANKER.fingerprint
    assert TextReranker(unheard, KnownText()).depth == 7
    kinds = {each.fingerprint for each in (VERIFIED, RERANKER, TextReranker(other, KnownText()))}
    assert len(kinds) == 3
