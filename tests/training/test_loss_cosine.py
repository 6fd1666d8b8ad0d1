"""Cosine similarities against loops."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import cosine_similarities, unit_rows  # noqa: E402


def rows(count, seed):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, 6)))


def cosine(x, y):
    return sum(p * q for p, q in zip(x, y, strict=True)) / (math.hypot(*x) * math.hypot(*y))


def test_against_loops():
    a, b = rows(3, 0), rows(4, 1)
    expected = [[cosine(x, y) for y in b.tolist()] for x in a.tolist()]
    similarities = cosine_similarities(a, b)
    np.testing.assert_allclose(similarities, expected, rtol=1e-12)
    assert (similarities < 0).any()


def test_gradient():
    parts = [rows(3, 0).requires_grad_(), rows(2, 1).requires_grad_()]
    assert torch.autograd.gradcheck(cosine_similarities, parts)


def test_a_row_of_zeros_is_like_nothing_and_its_gradient_stays_small():
    zero = torch.zeros(1, 6, dtype=torch.float64, requires_grad=True)
    similarities = cosine_similarities(zero, rows(4, 1))
    similarities.sum().backward()
    assert (similarities == 0).all()
    assert zero.grad.abs().max() <= 4


def test_unit_rows_of_any_size_have_length_one():
    lengths = unit_rows(rows(3, 0).float() * torch.tensor([[1e-12], [1.0], [1e12]])).norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(3))
