import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from snapshelf.matching.local import keypoint_matching
from snapshelf.matching.local.keypoint_matching import match_keypoints

Descriptors = NDArray[np.uint8]


def slow_matches(
    query: Descriptors, candidate: Descriptors, ratio: float, mutual: bool
) -> list[tuple[int, int]]:
    """Lowe's ratio test, one pair at a time, in whole numbers."""
    if len(candidate) < 2:
        return []

    def squared(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> int:
        return sum((int(x) - int(y)) ** 2 for x, y in zip(a, b, strict=True))

    found = []
    for row, own in enumerate(query):
        distances = [squared(own, other) for other in candidate]
        best = min(range(len(distances)), key=distances.__getitem__)
        second = min(d for place, d in enumerate(distances) if place != best)
        if not distances[best] < ratio**2 * second:
            continue
        if mutual and any(squared(other, candidate[best]) < distances[best] for other in query):
            continue
        found.append((row, best))
    return found


def drawn(rng: np.random.Generator, count: int) -> Descriptors:
    return rng.integers(0, 120, (count, 128)).astype(np.uint8)


@given(
    seed=st.integers(0, 2**32 - 1),
    queries=st.integers(0, 7),
    sizes=st.lists(st.integers(0, 6), min_size=1, max_size=5),
    ratio=st.sampled_from([0.5, 0.8, 0.95, 1.0]),
    mutual=st.booleans(),
)
def test_against_pair_by_pair(
    seed: int, queries: int, sizes: list[int], ratio: float, mutual: bool
) -> None:
    rng = np.random.default_rng(seed)
    query = drawn(rng, queries)
    candidates = []
    for size in sizes:
        candidate = drawn(rng, size)
        if size and queries:  # some are copies, blurred a little
            copied = query[rng.integers(0, queries)].astype(int) + rng.integers(-9, 10, 128)
            candidate[0] = copied.clip(0, 255)
        candidates.append(candidate)
    found = match_keypoints(query, candidates, ratio=ratio, mutual=mutual)
    for candidate, matches in zip(candidates, found, strict=True):
        pairs = list(zip(matches.query.tolist(), matches.candidate.tolist(), strict=True))
        assert pairs == slow_matches(query, candidate, ratio, mutual)
        differences = query[matches.query].astype(float) - candidate[matches.candidate]
        expected = np.linalg.norm(differences, axis=1) / 512
        np.testing.assert_allclose(matches.distance, expected, rtol=1e-6)


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    query = drawn(rng, 40)
    candidates = [
        np.concatenate([query[: size // 3] // 2 + 3, drawn(rng, size)]) for size in (90, 3, 0, 41)
    ]
    whole = match_keypoints(query, candidates, ratio=0.9, mutual=True)
    for block in (1, 4000, 2**40):
        monkeypatch.setattr(keypoint_matching, "BLOCK", block)
        cut = match_keypoints(query, candidates, ratio=0.9, mutual=True)
        for one, other in zip(whole, cut, strict=True):
            np.testing.assert_array_equal(one.query, other.query)
            np.testing.assert_array_equal(one.candidate, other.candidate)
            np.testing.assert_array_equal(one.distance, other.distance)


def test_two_equally_near_ones_are_no_match() -> None:
    query = np.full((1, 128), 50, np.uint8)
    twice = np.repeat(query, 2, axis=0)
    (matches,) = match_keypoints(query, [twice], ratio=0.8, mutual=False)
    assert len(matches) == 0, "0 is not smaller than 0.8 times 0"


def test_the_largest_descriptors_are_counted_exactly() -> None:
    query = np.full((1, 128), 255, np.uint8)
    candidate = np.stack([np.zeros(128, np.uint8), np.full(128, 254, np.uint8)])
    (matches,) = match_keypoints(query, [candidate], ratio=0.8, mutual=True)
    assert matches.candidate.tolist() == [1]
    assert matches.distance.tolist() == pytest.approx([np.sqrt(128) / 512])


def test_nothing_matches_nothing() -> None:
    none = np.empty((0, 128), np.uint8)
    some = drawn(np.random.default_rng(0), 5)
    assert match_keypoints(some, [], ratio=0.8, mutual=True) == []
    for query, candidate in ((none, some), (some, none), (none, none), (some, some[:1])):
        (matches,) = match_keypoints(query, [candidate], ratio=0.8, mutual=True)
        assert len(matches) == 0


@pytest.mark.parametrize("ratio", [0, -1, 1.1])
def test_a_ratio_out_of_range_is_named(ratio: float) -> None:
    with pytest.raises(ValueError, match=rf"ratio must be in \(0, 1\], got {ratio}"):
        match_keypoints(np.empty((0, 128), np.uint8), [], ratio=ratio, mutual=True)
