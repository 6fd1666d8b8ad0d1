"""Euclidean distance against loops, and its gradient where it has no derivative."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import euclidean  # noqa: E402


def slow(a, b):
    return [
        math.sqrt(sum((x - y) ** 2 for x, y in zip(*rows, strict=True)))
        for rows in zip(a, b, strict=True)
    ]


def pair(rows=5, length=7, seed=0):
    rng = np.random.default_rng(seed)
    return (torch.from_numpy(rng.normal(size=(rows, length))) for _ in range(2))


def test_against_loops():
    a, b = pair()
    np.testing.assert_allclose(euclidean(a, b), slow(a.tolist(), b.tolist()), rtol=1e-12)
    assert euclidean(torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 4.0]])).tolist() == [5.0]


def test_gradient():
    a, b = (each.requires_grad_() for each in pair())
    assert torch.autograd.gradcheck(euclidean, (a, b))


def test_equal_rows_have_the_distance_and_the_gradient_zero():
    a = torch.tensor([[1.0, -2.0], [0.5, 3.0]], requires_grad=True)
    b = torch.tensor([[1.0, -2.0], [0.5, 2.0]], requires_grad=True)
    distances = euclidean(a, b)
    distances.sum().backward()
    assert distances.tolist() == [0.0, 1.0]
    assert a.grad.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert b.grad.tolist() == [[0.0, 0.0], [0.0, -1.0]]


def test_tiny_and_huge_distances_have_finite_gradients():
    for size in (1e-18, 1e15):
        a = torch.full((1, 4), size, requires_grad=True)
        euclidean(a, torch.zeros(1, 4)).sum().backward()
        torch.testing.assert_close(a.grad, torch.full((1, 4), 0.5))


def test_no_rows_have_no_distances():
    assert euclidean(torch.zeros(0, 3), torch.zeros(0, 3)).shape == (0,)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (torch.zeros(2, 3), torch.zeros(2, 4)),
        (torch.zeros(2, 3), torch.zeros(1, 3)),
        (torch.zeros(3), torch.zeros(3)),
        (torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.int64)),
        (torch.zeros(2, 3, 1), torch.zeros(2, 3, 1)),
    ],
)
def test_refuses_what_is_no_pair_of_embeddings(a, b):
    with pytest.raises(ValueError, match=r"(one shape \(T, D\)|must be floating)"):
        euclidean(a, b)
