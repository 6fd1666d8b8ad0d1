"""The loss of AsymNet's single similarities against Eq. 5."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import step_match  # noqa: E402


def test_against_the_equation():
    odds = 3 * np.random.default_rng(0).normal(size=(6, 4))
    right = np.arange(6) % 2 == 0
    expected = []
    for row, truth in zip(odds, right, strict=True):
        total = 0.0
        for z in row:
            y = 1 / (1 + math.exp(-z))
            total -= truth * math.log(y) + (1 - truth) * math.log(1 - y)
        expected.append(total / 4)
    found = step_match(torch.from_numpy(odds), torch.from_numpy(right))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    sure = step_match(torch.tensor([[1e6], [1e6]]), torch.tensor([True, False]))
    assert sure.tolist() == [0, 1e6]


def test_steps_that_count_otherwise():
    rng = np.random.default_rng(1)
    odds, weights = torch.from_numpy(rng.normal(size=(3, 4))), torch.from_numpy(rng.random((3, 4)))
    right = torch.tensor([True, False, True])
    alone = [step_match(odds[:, [step]], right) for step in range(4)]
    expected = sum(weights[:, step] * each for step, each in enumerate(alone)) / 4
    torch.testing.assert_close(step_match(odds, right, weights), expected)


def test_gradient():
    odds = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    right = torch.tensor([True, False, False, True])
    assert torch.autograd.gradcheck(lambda z: step_match(z, right), (odds,))


@pytest.mark.parametrize(
    "right", [torch.ones(4), torch.ones(3, dtype=bool), torch.ones(4, 3, dtype=bool)]
)
def test_labels_that_do_not_fit(right):
    with pytest.raises(ValueError, match=r"right must be \(P,\) bool for odds of \(P, T\)"):
        step_match(torch.zeros(4, 3), right)
    with pytest.raises(ValueError, match="T >= 1"):
        step_match(torch.zeros(4, 0), torch.ones(4, dtype=bool))
