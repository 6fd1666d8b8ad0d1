"""The view-invariance loss against Eq. 6, pair by pair."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import view_invariance  # noqa: E402


def bags(views, rows=4, length=5, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(rows, views, length)))


def slow(bag):
    """Eq. 6: over all ordered pairs, divided by twice the number of pairs."""
    values = []
    for views in bag.tolist():
        number = len(views)
        pairs = number * (number - 1) // 2
        total = sum(
            math.dist(views[j], views[k]) ** 2 for j in range(number) for k in range(number)
        )
        values.append(total / (2 * pairs))
    return values


@pytest.mark.parametrize("views", [2, 3, 6])
def test_against_the_equation(views):
    bag = bags(views)
    np.testing.assert_allclose(view_invariance(bag), slow(bag), rtol=1e-12)


def test_it_is_the_mean_squared_distance_of_two_views():
    bag = torch.tensor([[[0.0], [1.0], [3.0]]])
    assert view_invariance(bag).item() == pytest.approx((1 + 9 + 4) / 3)


@pytest.mark.parametrize("views", [1, 2, 3])
def test_gradient(views):
    assert torch.autograd.gradcheck(view_invariance, bags(views).requires_grad_())


@pytest.mark.parametrize("views", [1, 3])
def test_a_view_alone_or_repeated_has_exactly_no_loss_and_no_gradient(views):
    one = torch.tensor([0.1, 1e6 / 3, -7.3]).view(3, 1, 1).expand(3, 1, 4)
    bag = one.repeat(1, views, 1).requires_grad_()
    loss = view_invariance(bag)
    loss.sum().backward()
    assert (loss == 0).all()
    assert (bag.grad == 0).all()


def test_an_offset_does_not_drown_the_differences():
    bag = bags(3).float() * 0.01
    torch.testing.assert_close(view_invariance(bag + 100), view_invariance(bag), rtol=1e-2, atol=0)


@pytest.mark.parametrize(
    "bag", [torch.zeros(2, 3), torch.zeros(2, 0, 3), torch.zeros(2, 3, 4, dtype=torch.int64)]
)
def test_refuses_what_is_no_bag(bag):
    with pytest.raises(ValueError, match="bag must be"):
        view_invariance(bag)
