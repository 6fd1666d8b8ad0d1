"""The contrastive loss against its equation."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import contrastive  # noqa: E402


def pairs(rows=40, length=3, seed=0):
    rng = np.random.default_rng(seed)
    a, b = (torch.from_numpy(rng.normal(size=(rows, length))) for _ in range(2))
    return a, b, torch.from_numpy(rng.random(rows) < 0.5)


def test_against_the_equation():
    a, b, same = pairs()
    expected = [
        0.5 * math.dist(x, y) ** 2 if alike else 0.5 * max(0.0, 2 - math.dist(x, y)) ** 2
        for x, y, alike in zip(a.tolist(), b.tolist(), same.tolist(), strict=True)
    ]
    assert 0.0 in expected
    np.testing.assert_allclose(contrastive(a, b, same, margin=2), expected, rtol=1e-12)


def test_gradient():
    a, b, same = pairs(8)
    assert same.any()
    assert not same.all()
    assert torch.autograd.gradcheck(
        lambda x, y: contrastive(x, y, same, margin=2), (a.requires_grad_(), b.requires_grad_())
    )


def test_equal_points_have_finite_gradients():
    point = torch.ones(2, 3, requires_grad=True)
    loss = contrastive(point, point.detach(), torch.tensor([True, False]), margin=3)
    loss.sum().backward()
    assert loss.tolist() == [0.0, 4.5]
    assert (point.grad == 0).all()


@pytest.mark.parametrize(
    "same", [torch.ones(3), torch.ones(2, dtype=torch.bool), torch.ones(3, 1, dtype=torch.bool)]
)
def test_refuses_what_does_not_say_which_pairs_are_the_same(same):
    with pytest.raises(ValueError, match=r"same must be bool of shape \(3,\)"):
        contrastive(torch.zeros(3, 2), torch.zeros(3, 2), same, margin=1)


@pytest.mark.parametrize("margin", [0.0, -1.0, math.nan, math.inf])
def test_refuses_a_margin_that_is_none(margin):
    with pytest.raises(ValueError, match="margin must be"):
        contrastive(*pairs(2), margin=margin)
