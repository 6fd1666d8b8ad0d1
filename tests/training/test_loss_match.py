"""Studio2Shop's losses against their equations in loops."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import match_cross_entropy, sigmoid_triplets  # noqa: E402


def batch(queries=4, articles=6, *, ones=False, seed=0):
    rng = np.random.default_rng(seed)
    odds = torch.from_numpy(2 * rng.normal(size=(queries, articles)))
    right = rng.random((queries, articles)) < 0.4
    if ones:
        right[:] = False
        right[np.arange(queries), rng.integers(0, articles, queries)] = True
    return odds, torch.from_numpy(right)


def probability(odds):
    return 1 / (1 + math.exp(-odds))


def test_cross_entropy_is_equation_2():
    odds, right = batch()
    expected = [
        -sum(
            math.log(probability(x)) if y else math.log(1 - probability(x))
            for x, y in zip(row, truth, strict=True)
        )
        for row, truth in zip(odds.tolist(), right.tolist(), strict=True)
    ]
    np.testing.assert_allclose(match_cross_entropy(odds, right), expected, rtol=1e-9)


def test_triplets_are_equation_3():
    odds, right = batch(ones=True)
    expected = []
    for row, truth in zip(odds.tolist(), right.tolist(), strict=True):
        own = row[truth.index(True)]
        expected.append(sum(probability(x - own) for x, y in zip(row, truth, strict=True) if not y))
    np.testing.assert_allclose(sigmoid_triplets(odds, right), expected, rtol=1e-9)


@pytest.mark.parametrize(("loss", "ones"), [(match_cross_entropy, False), (sigmoid_triplets, True)])
def test_gradients_half_precision_and_large_odds(loss, ones):
    odds, right = batch(ones=ones)
    assert torch.autograd.gradcheck(lambda x: loss(x, right), (odds.requires_grad_(),))
    half = loss(odds.detach().half(), right)
    assert half.dtype == torch.float32
    np.testing.assert_allclose(half, loss(odds.detach(), right), rtol=1e-2)
    sure = torch.where(right, 1e4, -1e4).requires_grad_()
    value = loss(sure, right)
    value.sum().backward()
    assert value.tolist() == [0.0] * len(odds)
    assert torch.isfinite(sure.grad).all()
    assert torch.isfinite(loss(-sure.detach(), right)).all()
    assert torch.isnan(loss(torch.full_like(odds, math.nan), right)).all()


def test_inputs_that_do_not_fit():
    odds, right = batch(ones=True)
    for loss in (match_cross_entropy, sigmoid_triplets):
        with pytest.raises(ValueError, match="right must be bool of the odds' shape"):
            loss(odds, right.float())
        with pytest.raises(ValueError, match="right must be bool of the odds' shape"):
            loss(odds, right[:, 1:])
        with pytest.raises(ValueError, match="odds must be floating and of 2 dimensions"):
            loss(odds[0], right[0])
    both = right.clone()
    both[0, :3] = torch.tensor([True, True, False])
    both[0, 3:] = False
    with pytest.raises(ValueError, match=r"one article in each row, got \[1, 2\]"):
        sigmoid_triplets(odds, both)
    with pytest.raises(ValueError, match="M >= 1"):
        match_cross_entropy(odds[:, :0], right[:, :0])
