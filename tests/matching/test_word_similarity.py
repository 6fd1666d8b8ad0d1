import itertools
import math
import random

import numpy as np
import pytest

from snapshelf.matching.word_similarity import alike_words, compare_words


def pairs(word: str) -> set[str]:
    return {one + two for one, two in itertools.pairwise(f" {word} ")}


def dice(one: str, two: str) -> float:
    a, b = pairs(one), pairs(two)
    value = 2 * len(a & b) / (len(a) + len(b))
    return value if value >= 0.5 else 0.0


def slow(query: list[str], candidates: list[list[str]]) -> list[float]:
    """Follow the docstring, one word at a time."""
    found = []
    for words in candidates:
        above = total = 0.0
        for word in set(words):
            having = sum(any(dice(word, other) > 0 for other in each) for each in candidates)
            weight = math.log(1 + len(candidates) / having) * math.sqrt(len(word))
            above += weight * max((dice(word, own) for own in query), default=0.0)
            total += weight
        found.append(above / math.sqrt(total) if total else 0.0)
    return found


def test_is_what_the_equation_says() -> None:
    rng = random.Random(0)
    stems = ["yoghurt", "vanilj", "naturell", "mellanmjolk", "eko", "arla", "graddfil", "fett"]

    def misread(word: str) -> str:
        place = rng.randrange(len(word))
        return word[:place] + rng.choice("abcdefg") + word[place + rng.randrange(2) :]

    def some(most: int) -> list[str]:
        return [misread(rng.choice(stems)) for _ in range(rng.randrange(most))]

    for _ in range(20):
        query, candidates = some(12), [some(6) for _ in range(15)]
        got = [one.similarity for one in compare_words(query, candidates)]
        np.testing.assert_allclose(got, slow(query, candidates), rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("yoghurt", "yoghurt", True),
        ("yoghurt", "voghurt", True),
        ("mellanmjolk", "mellanmiolk", True),
        ("vanilj", "vanil", True),
        ("vanilj", "naturell", False),
        ("eko", "arla", False),
    ],
)
def test_misread_words_are_alike_and_others_are_not(one: str, two: str, alike: bool) -> None:
    assert bool(alike_words([one], [two])[0, 0] > 0) is alike


def test_what_all_candidates_say_counts_less_than_what_one_says() -> None:
    shelf = [["arla", "yoghurt", "vanilj"], ["arla", "yoghurt", "naturell"], ["arla", "yoghurt"]]
    found = compare_words(["yoghurt", "vanilj"], shelf)
    assert found[0].words == ("vanilj", "yoghurt")
    assert found[0].similarity > found[1].similarity
    common = compare_words(["arla"], shelf)[0].similarity
    rare = compare_words(["vanilj"], shelf)[0].similarity
    assert rare > 1.5 * common


def test_text_of_neighbours_is_not_held_against_a_candidate() -> None:
    shelf = [["bravo", "apelsin"], ["tropicana", "smooth"]]
    alone = compare_words(["bravo", "apelsin"], shelf)
    crowded = compare_words(["bravo", "apelsin", "kaffe", "socker", "mjolk"], shelf)
    assert alone == crowded


def test_no_text_says_nothing() -> None:
    assert compare_words([], []) == []
    for query, candidates in (([], [["eko"]]), (["eko"], [[], []]), (["eko"], [])):
        found = compare_words(query, candidates)
        assert [(one.similarity, one.words) for one in found] == [(0.0, ())] * len(candidates)


def test_the_order_and_repetition_of_words_make_no_difference() -> None:
    shelf = [["bravo", "apelsin"], ["tropicana"]]
    other = [["apelsin", "bravo", "apelsin"], ["tropicana"]]
    query = ["apelsin", "bravo"]
    assert compare_words(query, shelf)[0].similarity == pytest.approx(
        compare_words(query[::-1], other)[0].similarity
    )
