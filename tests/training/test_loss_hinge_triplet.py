"""The triplet loss with a margin against loops."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import hinge_triplet  # noqa: E402


def triplet(rows=40, length=3, seed=0):
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.normal(size=(rows, length))) for _ in range(3)]


def test_against_loops():
    anchor, positive, negative = parts = triplet()
    expected = [
        max(0.0, 0.3 + math.dist(a, p) - math.dist(a, n))
        for a, p, n in zip(*(part.tolist() for part in (anchor, positive, negative)), strict=True)
    ]
    assert 0.0 in expected
    np.testing.assert_allclose(hinge_triplet(*parts, margin=0.3), expected, rtol=1e-12, atol=1e-15)


def test_gradient():
    parts = [part.requires_grad_() for part in triplet(6)]
    assert torch.autograd.gradcheck(lambda *args: hinge_triplet(*args, margin=0.5), parts)


def test_distances_are_not_squared():
    anchor, positive, negative = torch.zeros(1, 1), torch.full((1, 1), 3.0), torch.ones(1, 1)
    assert hinge_triplet(anchor, positive, negative, margin=0.5).tolist() == [2.5]


def test_equal_points_have_the_margin_as_loss_and_a_finite_gradient():
    point = torch.ones(2, 3, requires_grad=True)
    loss = hinge_triplet(point, point.detach(), point.detach(), margin=0.5)
    loss.sum().backward()
    assert loss.tolist() == [0.5, 0.5]
    assert (point.grad == 0).all()


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
def test_refuses_a_margin_that_is_none(margin):
    with pytest.raises(ValueError, match="margin must be"):
        hinge_triplet(*triplet(2), margin=margin)
