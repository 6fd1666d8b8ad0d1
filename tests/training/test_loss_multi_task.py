"""The multi-task loss against Eq. 7 and 10 in a loop."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import multi_task  # noqa: E402


def losses(rows=7, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).random((4, rows)))


def test_against_the_equations():
    triplet, view, attribute, weights = losses()
    rows = [
        (w.item(), t.item(), v.item(), a.item())
        for w, t, v, a in zip(weights, triplet, view, attribute, strict=True)
    ]
    plain = sum(t + 0.05 * v + 0.05 * a for _, t, v, a in rows) / len(rows)
    weighted = sum(w * t + 0.2 * v + 0.7 * a for w, t, v, a in rows) / len(rows)
    assert multi_task(triplet, view, attribute).item() == pytest.approx(plain)
    result = multi_task(triplet, view, attribute, alpha_v=0.2, beta_a=0.7, weights=weights)
    assert result.item() == pytest.approx(weighted)
    assert result.shape == ()


def test_gradient():
    parts = [part.clone().requires_grad_() for part in losses()]
    assert torch.autograd.gradcheck(lambda t, v, a, w: multi_task(t, v, a, weights=w), parts)


def test_weights_of_zero_silence_the_triplets_only():
    triplet, view, attribute, _ = losses()
    triplet = triplet.clone().requires_grad_()
    view = view.clone().requires_grad_()
    multi_task(triplet, view, attribute, weights=torch.zeros(7)).backward()
    assert (triplet.grad == 0).all()
    torch.testing.assert_close(view.grad, torch.full((7,), 0.05 / 7, dtype=torch.float64))


def test_refuses_parts_that_do_not_fit():
    triplet, view, attribute, weights = losses()
    with pytest.raises(ValueError, match="one value for each"):
        multi_task(triplet, view[:1], attribute)
    with pytest.raises(ValueError, match="one value for each"):
        multi_task(triplet, view, attribute, weights=weights[:1])
    with pytest.raises(ValueError, match="one value for each"):
        multi_task(*torch.zeros(3, 0))
    with pytest.raises(ValueError, match="view must be floating"):
        multi_task(triplet, view[:, None], attribute)


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
@pytest.mark.parametrize("name", ["alpha_v", "beta_a"])
def test_refuses_a_task_weight_that_is_none(name, value):
    with pytest.raises(ValueError, match="alpha_v and beta_a"):
        multi_task(*losses()[:3], **{name: value})
