"""Averaged weights: the mean by shares, and what has none is refused."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.weight_average import average_weights  # noqa: E402


def states(count, dtype=torch.float32):
    generator = torch.Generator().manual_seed(count)
    return [
        {"a": torch.randn(3, 4, generator=generator).to(dtype), "b": torch.randn(2).to(dtype)}
        for _ in range(count)
    ]


@pytest.mark.parametrize("shares", [(1, 1, 1), (0.2, 0.4, 0.4), (0, 3, 1)])
def test_is_the_weighted_mean(shares):
    given = states(3)
    result = average_weights(given, shares)
    for name in ("a", "b"):
        expected = np.average([s[name].numpy().astype(np.float64) for s in given], 0, shares)
        np.testing.assert_allclose(result[name].numpy(), expected, atol=1e-7)


def test_one_network_is_left_as_it_is_bit_by_bit():
    (given,) = states(1)
    for dtype in (torch.float32, torch.bfloat16):
        state = {name: value.to(dtype) for name, value in given.items()}
        result = average_weights([state], [0.3])
        assert all(torch.equal(result[name], state[name]) for name in state)
        assert all(value.dtype == dtype for value in result.values())


@pytest.mark.parametrize(
    ("count", "shares", "message"),
    [
        (0, [], "a share for each state, got 0 and 0"),
        (2, [1], "a share for each state, got 2 and 1"),
        (2, [1, -1], "shares must be at least 0"),
        (2, [0, 0], "not all 0"),
    ],
)
def test_shares_that_cannot_be_used(count, shares, message):
    with pytest.raises(ValueError, match=message):
        average_weights(states(count), shares)


def test_counts_have_no_average():
    state = {"number": torch.tensor(3)}
    with pytest.raises(ValueError, match=r"number holds torch\.int64"):
        average_weights([state, state], [1, 1])
