"""The robust contrastive loss, and what adds the categories to it, against their equations."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import contrastive, pair_softmax, robust_contrastive  # noqa: E402


def pairs(rows=40, length=3, seed=0):
    rng = np.random.default_rng(seed)
    a, b = (torch.from_numpy(rng.normal(size=(rows, length))) for _ in range(2))
    return a, b, torch.from_numpy(rng.random(rows) < 0.5)


def test_against_the_equation():
    a, b, same = pairs()
    expected = [
        0.5 * max(0.0, math.dist(x, y) - 1.5 if alike else 2.5 - math.dist(x, y)) ** 2
        for x, y, alike in zip(a.tolist(), b.tolist(), same.tolist(), strict=True)
    ]
    found = robust_contrastive(a, b, same, near=1.5, margin=2.5)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    for kind in (same, ~same):
        assert (found[kind] == 0).any()
        assert (found[kind] > 0).any()
    torch.testing.assert_close(
        robust_contrastive(a, b, same, near=0, margin=2), contrastive(a, b, same, margin=2)
    )


def test_gradient():
    a, b, same = pairs(8)
    assert torch.autograd.gradcheck(
        lambda x, y: robust_contrastive(x, y, same, near=0.5, margin=2),
        (a.requires_grad_(), b.requires_grad_()),
    )
    point = torch.ones(2, 3, requires_grad=True)
    robust_contrastive(point, torch.ones(2, 3), torch.tensor([True, False]), near=1, margin=2)[
        :
    ].sum().backward()
    assert torch.isfinite(point.grad).all()


@pytest.mark.parametrize(("near", "margin"), [(-1, 2), (2, 2), (0, math.inf), (0, math.nan)])
def test_distances_out_of_range(near, margin):
    a, b, same = pairs(4)
    with pytest.raises(ValueError, match="must be finite with 0 <= near < margin"):
        robust_contrastive(a, b, same, near=near, margin=margin)
    with pytest.raises(ValueError, match="same must be bool of shape"):
        robust_contrastive(a, b, same[:3], near=1, margin=2)


def test_categories_are_added():
    rng = np.random.default_rng(1)
    own, a, b = rng.exponential(size=5), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    classes_a, classes_b = rng.integers(3, size=5), rng.integers(3, size=5)
    expected = []
    for row in range(5):
        sure = [
            math.exp(logits[row][classes[row]]) / sum(math.exp(each) for each in logits[row])
            for logits, classes in ((a, classes_a), (b, classes_b))
        ]
        expected.append(own[row] - 0.7 * (math.log(sure[0]) + math.log(sure[1])) / 2)
    given = [torch.from_numpy(each) for each in (own, a, b, classes_a, classes_b)]
    np.testing.assert_allclose(pair_softmax(*given, weight=0.7), expected, rtol=1e-12)
    torch.testing.assert_close(pair_softmax(*given, weight=0), given[0])
    for place, wrong, message in (
        (0, torch.zeros(5, 1), "pairs must be floating and of 1 dimensions"),
        (2, torch.zeros(4, 3), "logits_b must have 5 rows, got 4"),
        (3, torch.zeros(5), "classes_a must be int64"),
    ):
        with pytest.raises(ValueError, match=message):
            pair_softmax(*given[:place], wrong, *given[place + 1 :])
    with pytest.raises(ValueError, match="weight must be finite and at least 0"):
        pair_softmax(*given, weight=-1)
