"""The ratio triplet loss against its three equations, written out."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import ratio_triplet  # noqa: E402


def slow(anchor, positive, negative):
    """Eq. 1-3 of the paper as printed, both terms of Eq. 3 included."""
    values = []
    for a, p, n in zip(anchor, positive, negative, strict=True):
        near, far = math.exp(math.dist(a, p)), math.exp(math.dist(a, n))
        plus, minus = near / (near + far), far / (near + far)
        values.append(0.5 * ((1 - minus) ** 2 + plus**2))
    return values


def triplet(rows=6, length=5, seed=0):
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.normal(size=(rows, length))) for _ in range(3)]


def test_against_the_equations():
    parts = triplet()
    np.testing.assert_allclose(
        ratio_triplet(*parts), slow(*(part.tolist() for part in parts)), rtol=1e-12
    )


def test_gradient():
    assert torch.autograd.gradcheck(ratio_triplet, [part.requires_grad_() for part in triplet()])


def test_a_step_down_the_gradient_brings_the_positive_nearer_and_the_negative_farther():
    parts = [part.requires_grad_() for part in triplet()]
    ratio_triplet(*parts).sum().backward()
    anchor, positive, negative = (part.detach() - 0.1 * part.grad for part in parts)
    before = [part.detach() for part in parts]
    assert ((anchor - positive).norm(dim=1) < (before[0] - before[1]).norm(dim=1)).all()
    assert ((anchor - negative).norm(dim=1) > (before[0] - before[2]).norm(dim=1)).all()


def test_equal_distances_give_a_quarter_and_equal_points_a_finite_gradient():
    point = torch.ones(2, 3, requires_grad=True)
    loss = ratio_triplet(point, point.detach(), point.detach())
    loss.sum().backward()
    assert loss.tolist() == [0.25, 0.25]
    assert (point.grad == 0).all()


def test_huge_distances_do_not_overflow():
    zero, far = torch.zeros(1, 1), torch.full((1, 1), 1e6)
    assert ratio_triplet(zero, far, zero).tolist() == [1.0]
    assert ratio_triplet(zero, zero, far).tolist() == [0.0]
    assert ratio_triplet(zero, far, -far).tolist() == [0.25]


def test_unit_embeddings_cannot_bring_it_below_what_is_documented():
    one = torch.tensor([[1.0, 0.0]])
    (least,) = ratio_triplet(one, one, -one).tolist()
    assert 0.014 < least < 0.0145


def test_refuses_shapes_that_differ():
    with pytest.raises(ValueError, match=r"\(2, 3\).*\(1, 3\)"):
        ratio_triplet(torch.zeros(2, 3), torch.zeros(2, 3), torch.zeros(1, 3))
