"""The ratio loss over many negatives: against sums written out, and the published loss."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import ratio_triplet, ratio_tuplet  # noqa: E402


def rows(seed, count=5, dimension=4, scale=1.0):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(scale * rng.normal(size=(count, dimension)))


def slow(anchor, positive, negative, same):
    """The docstring's formula, number by number."""
    values = []
    for t in range(len(anchor)):
        near = math.exp(-math.dist(anchor[t], positive[t]))
        far = math.exp(-math.dist(anchor[t], negative[t]))
        for u in range(len(anchor)):
            if u != t and not same[t][u]:
                far += math.exp(-math.dist(anchor[t], positive[u]))
        values.append((1 - near / (near + far)) ** 2)
    return values


def test_is_the_formula():
    anchor, positive, negative = rows(0), rows(1), rows(2)
    items = torch.tensor([7, 3, 7, 1, 2])
    same = items[:, None] == items
    expected = slow(anchor.tolist(), positive.tolist(), negative.tolist(), same.tolist())
    np.testing.assert_allclose(ratio_tuplet(anchor, positive, negative, same), expected)
    different = np.eye(5, dtype=bool).tolist()
    expected = slow(anchor.tolist(), positive.tolist(), negative.tolist(), different)
    np.testing.assert_allclose(ratio_tuplet(anchor, positive, negative), expected)


def test_with_one_negative_is_the_published_loss():
    anchor, positive, negative = rows(0), rows(1), rows(2)
    alone = torch.ones(5, 5, dtype=torch.bool)
    np.testing.assert_allclose(
        ratio_tuplet(anchor, positive, negative, alone), ratio_triplet(anchor, positive, negative)
    )


def test_gradient_is_that_of_finite_differences():
    inputs = [rows(seed, 4, 3).requires_grad_() for seed in range(3)]
    same = torch.zeros(4, 4, dtype=torch.bool)
    same[0, 2] = same[2, 0] = True
    assert torch.autograd.gradcheck(lambda *all_: ratio_tuplet(*all_, same), inputs)


def test_equal_embeddings_and_far_ones_stay_finite():
    anchor = rows(0, scale=1e4).float().requires_grad_()
    positive = rows(1, scale=1e4).float()
    loss = ratio_tuplet(anchor, positive, anchor.detach().clone())
    loss.sum().backward()
    assert torch.isfinite(loss).all()
    assert torch.isfinite(anchor.grad).all()
    assert ((loss >= 0) & (loss <= 1)).all()


def test_what_is_the_same_product_pulls_nobody_away():
    anchor, positive, negative = rows(0), rows(1).requires_grad_(), rows(2)
    same = torch.ones(5, 5, dtype=torch.bool)
    ratio_tuplet(anchor, positive, negative, same)[0].backward()
    assert positive.grad[0].abs().sum() > 0
    assert positive.grad[1:].abs().sum() == 0


@pytest.mark.parametrize(
    "same", [torch.zeros(5, 4, dtype=torch.bool), torch.zeros(5, 5, dtype=torch.int64)]
)
def test_a_wrong_mask_is_refused(same):
    with pytest.raises(ValueError, match=r"bool of shape \(5, 5\)"):
        ratio_tuplet(rows(0), rows(1), rows(2), same)


def test_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        ratio_tuplet(rows(0), rows(1, 4), rows(2))
