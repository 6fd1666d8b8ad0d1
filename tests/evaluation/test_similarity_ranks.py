"""Ranks of given similarities, against counting."""

import numpy as np
import pytest

from snapshelf.evaluation.similarity_ranks import similarity_ranks


def test_ranks_are_counted_with_ties_against_the_system():
    rng = np.random.default_rng(0)
    products = np.array([2, 0, 1, 1, 3, 4, 4, 4])
    similarities = rng.integers(-3, 4, (40, 8)).astype(np.float32)
    right = [sorted(rng.permutation(5)[: 1 + n % 3].tolist()) for n in range(40)]
    found = similarity_ranks(similarities.copy(), products, right)
    for query, own in enumerate(right):
        best = [similarities[query][products == product].max() for product in range(5)]
        wrong = [best[product] for product in range(5) if product not in own]
        values = sorted((best[product] for product in own), reverse=True)
        expected = [
            1 + place + sum(each >= value for each in wrong) for place, value in enumerate(values)
        ]
        assert found.ranks[found.starts[query] : found.starts[query + 1]].tolist() == expected
    assert found.found.shape == (40, 5)
    assert (np.diff(found.similarities, axis=1) <= 0).all()


@pytest.mark.parametrize("bad", [np.zeros((2, 3), np.float32), np.full((1, 3), np.nan, np.float32)])
def test_what_does_not_fit_is_refused(bad):
    with pytest.raises(ValueError, match="similarities must be finite, of shape"):
        similarity_ranks(bad, np.array([0, 1, 2]), [[0]])
