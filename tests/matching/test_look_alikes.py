"""Which items look the same, against plain loops over all pairs."""

import itertools

import numpy as np
import pytest

from snapshelf.matching import look_alikes
from snapshelf.matching.look_alikes import find_look_alikes


def unit(vectors):
    vectors = np.asarray(vectors, np.float64)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def similarity(one, other, distance):
    one, other = one.astype(np.float64), other.astype(np.float64)
    if distance == "l1":
        return 1 - np.abs(one - other).sum() / len(one) ** 0.5
    return float(one @ other)


def reference(vectors, owners, distance, least):
    """For each owner its best similarity (None without), and the sets of owners joined."""
    best, joined = {}, []
    for a, b in itertools.combinations(range(len(vectors)), 2):
        value = similarity(vectors[a], vectors[b], distance)
        if owners[a] == owners[b] or value < least:
            continue
        for one in (owners[a], owners[b]):
            best[one] = max(best.get(one, -9), value)
        joined.append({owners[a], owners[b]})
    merged = []
    for pair in joined:
        touching = [each for each in merged if each & pair]
        merged = [each for each in merged if not each & pair] + [pair.union(*touching)]
    return best, {frozenset(each) for each in merged}


def groups(found):
    by_name = {}
    for owner, name in enumerate(found.group.tolist()):
        by_name.setdefault(name, set()).add(owner)
    return {frozenset(each) for each in by_name.values() if len(each) > 1}


@pytest.mark.parametrize("distance", ["cosine", "l2", "l1"])
@pytest.mark.parametrize("coarse", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_it_finds_what_plain_loops_find(monkeypatch, distance, coarse, seed):
    monkeypatch.setattr(look_alikes, "BLOCK", 7)
    rng = np.random.default_rng(seed)
    if coarse:  # many equal rows, and many ties
        vectors = unit(rng.integers(-1, 2, (60, 4)) + np.array([0, 0, 0, 1e-9]))
    else:
        vectors = unit(rng.standard_normal((60, 4)))
    owners = rng.permutation(np.concatenate([np.arange(40), rng.integers(0, 40, 20)]))
    # No pair may lie so near the bound that rounding decides.
    values = [similarity(a, b, distance) for a, b in itertools.combinations(vectors, 2)]
    least = float(np.quantile(values, 0.98))
    while np.abs(np.array(values) - least).min() < 1e-5:
        least -= 1e-4
    steps = []
    found = find_look_alikes(
        vectors,
        owners,
        [str(row) for row in range(60)],
        distance=distance,
        least=least,
        on_progress=lambda done, total: steps.append((done, total)),
    )
    best, joined = reference(vectors, owners.tolist(), distance, least)
    assert best, "nothing to find"
    assert groups(found) == joined
    assert set(np.flatnonzero(found.row >= 0).tolist()) == set(best)
    for owner, value in best.items():
        row, other = int(found.row[owner]), int(found.other[owner])
        assert owners[row] == owner != owners[other]
        assert found.similarity[owner] == pytest.approx(value, abs=2e-6)
        assert similarity(vectors[row], vectors[other], distance) == pytest.approx(value, abs=2e-6)
    assert steps == [(n, steps[-1][1]) for n in range(1, steps[-1][1] + 1)]


def test_nothing_and_one():
    for count in (0, 1):
        found = find_look_alikes(
            np.ones((count, 1), np.float32),
            np.arange(count),
            "a" * count,
            distance="cosine",
            least=-1,
        )
        assert found.row.tolist() == [-1] * count
        assert found.group.tolist() == list(range(count))


def test_rows_of_one_owner_are_not_compared():
    vectors = unit([[1, 0], [1, 0], [1, 0.01], [0, 1]])
    found = find_look_alikes(vectors, np.array([0, 0, 0, 1]), "aabc", distance="cosine", least=0.5)
    assert found.row.tolist() == [-1, -1]
    assert groups(found) == set()


def test_of_equal_rows_one_of_the_same_picture_is_named():
    vectors = unit([[1, 0]] * 4)
    found = find_look_alikes(vectors, np.arange(4), "abab", distance="cosine", least=0.95)
    assert found.other.tolist() == [2, 3, 0, 1]
    assert found.similarity.tolist() == [1] * 4
    assert groups(found) == {frozenset(range(4))}


def test_a_stand_in_picture_of_many_is_one_group_at_once():
    vectors = unit(np.random.default_rng(0).standard_normal((20_000, 8)))
    vectors[:19_000] = vectors[0]
    found = find_look_alikes(
        vectors, np.arange(20_000), [0] * 19_000 + list(range(1, 1001)), distance="cosine",
        least=0.9999,
    )  # fmt: skip
    assert max(map(len, groups(found))) >= 19_000
    assert (found.similarity[:19_000] == 1).all()


def test_look_alikes_by_way_of_others_are_a_group():
    angles = np.radians([0, 10, 20, 30, 90])
    vectors = unit(np.stack([np.cos(angles), np.sin(angles)], 1))
    found = find_look_alikes(vectors, np.arange(5), "abcde", distance="cosine", least=0.98)
    assert groups(found) == {frozenset({0, 1, 2, 3})}
    assert found.similarity.max() <= 1


@pytest.mark.parametrize("least", [1.01, -1.01, float("nan")])
def test_a_similarity_out_of_range(least):
    with pytest.raises(ValueError, match="least must be a similarity"):
        find_look_alikes(unit([[1, 0]]), np.zeros(1, np.int64), "a", distance="cosine", least=least)
