"""How much of a candidate's text a query shows, rare words counting most.

Words are compared by their pairs of letters, as a reader takes one letter for another, and photos
cut words off. How rare a word is, the shortlist itself tells: what all its products say tells none
of them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["SharedText", "alike_words", "compare_words"]

LEAST = 0.5
"""Words are alike from this Dice coefficient on."""


@dataclass(frozen=True, slots=True)
class SharedText:
    """What a query and a candidate both say.

    Attributes:
        similarity: At least 0; of the order of 1 for a word that few candidates have.
        words: Words of the candidate that the query shows, those that count most first.
    """

    similarity: float
    words: tuple[str, ...]


def alike_words(words: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Compare words by their letters.

    The Dice coefficient ``2 |a & b| / (|a| + |b|)`` of two words' sets of pairs of neighbouring
    letters, where a word's beginning and end count as letters (Dice: Measures of the Amount of
    Ecologic Association Between Species, Ecology 1945). Below `LEAST` it is 0.

    Args:
        words: N.
        others: M.

    Returns:
        (N, M) float64, in [0, 1]; 1 for words of the same pairs.
    """
    pairs = [_pairs(word) for word in (*words, *others)]
    numbers = {pair: number for number, pair in enumerate(sorted(set().union(*pairs)))}
    has = np.zeros((len(pairs), len(numbers)), np.float32)
    for row, own in zip(has, pairs, strict=True):
        row[[numbers[pair] for pair in own]] = 1
    sizes = has.sum(axis=1).astype(np.float64)
    one, two = has[: len(words)], has[len(words) :]
    both = (one @ two.T).astype(np.float64)
    dice = 2 * both / (sizes[: len(words), np.newaxis] + sizes[len(words) :])
    return np.where(dice >= LEAST, dice, 0.0)


def compare_words(query: Sequence[str], candidates: Sequence[Sequence[str]]) -> list[SharedText]:
    """Compare a query's words with those of each candidate of its shortlist.

    A word counts by its weight ``v = log(1 + K / k) sqrt(n)``, where k of the K candidates have a
    word alike and n is its length. A candidate's similarity is

        ``sum(v m) / sqrt(sum v)``

    over its words, with m the likeness to the query's likeliest word. Of vectors with the
    coordinates ``sqrt(v)`` this is the cosine, but for the query's length: a photo shows its
    neighbours' text too, so how much a query says is not held against the candidates.

    Args:
        query: Words, each once, as `snapshelf.text.words.words_of` gives them.
        candidates: The same of each candidate; none is no text.

    Returns:
        One for each candidate, 0 without text.
    """
    known = sorted(set().union(*candidates))
    if not query or not known:
        return [SharedText(0.0, ()) for _ in candidates]
    place = {word: number for number, word in enumerate(known)}
    own = [[place[word] for word in dict.fromkeys(words)] for words in candidates]
    has = np.zeros((len(known), len(candidates)), np.float32)
    for number, words in enumerate(own):
        has[words, number] = 1
    frequency = ((alike_words(known, known) > 0).astype(np.float32) @ has > 0).sum(axis=1)
    lengths = np.sqrt([len(word) for word in known])
    weight = np.log1p(len(candidates) / frequency) * lengths
    counted = weight * alike_words(known, query).max(axis=1)
    return [_shared(known, words, weight, counted) for words in own]


def _shared(
    known: Sequence[str],
    words: Sequence[int],
    weight: NDArray[np.float64],
    counted: NDArray[np.float64],
) -> SharedText:
    """Sum up a candidate's words, which are given by number."""
    total = float(weight[words].sum())
    similarity = float(counted[words].sum()) / total**0.5 if total else 0.0
    shown = sorted((number for number in words if counted[number]), key=lambda n: -counted[n])
    return SharedText(similarity, tuple(known[number] for number in shown))


def _pairs(word: str) -> set[str]:
    """Give the pairs of neighbouring letters; a space stands before and behind the word."""
    ended = f" {word} "
    return {ended[at : at + 2] for at in range(len(ended) - 1)}
