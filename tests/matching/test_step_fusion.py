"""The fusions of a trajectory's steps that AsymNet's tree is compared with."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.matching.step_fusion import STEP_FUSIONS, drawn_odds  # noqa: E402


def similarity(z):
    return 1 / (1 + math.exp(-z))


def test_fusions_of_similarities():
    odds = 3 * np.random.default_rng(0).normal(size=(2, 3, 5))
    found = {
        name: fuse(torch.from_numpy(odds)).sigmoid().numpy() for name, fuse in STEP_FUSIONS.items()
    }
    for place in np.ndindex(2, 3):
        own = [similarity(z) for z in odds[place]]
        assert found["average"][place] == pytest.approx(sum(own) / 5, rel=1e-12)
        assert found["maximum"][place] == pytest.approx(max(own), rel=1e-12)
        assert found["last"][place] == pytest.approx(own[-1], rel=1e-12)
    sure = torch.tensor([[-500.0, -500, -500], [500, 500, 500]], dtype=torch.float64)
    for fuse in STEP_FUSIONS.values():
        assert fuse(sure).tolist() == pytest.approx([-500, 500])


def test_key_steps_are_drawn_by_their_odds_and_learn_alone():
    odds = torch.tensor([[0.0, 2.0, -4.0], [50.0, -50.0, 0.0]]).repeat(4000, 1).requires_grad_()
    drawn = drawn_odds(odds, torch.Generator().manual_seed(0))
    drawn.sum().backward()
    assert odds.grad.sum(1).tolist() == [1.0] * 8000
    assert torch.equal((odds.grad * odds).sum(1), drawn)
    powers = np.exp([0.0, 2.0, -4.0])
    shares = odds.grad.reshape(4000, 2, 3).mean(0).numpy()
    np.testing.assert_allclose(shares[0], powers / powers.sum(), atol=0.02)
    assert shares[1].tolist() == [1, 0, 0]
    again = drawn_odds(odds, torch.Generator().manual_seed(0))
    assert torch.equal(again, drawn)
    assert drawn_odds(torch.zeros(2, 3, 4)).shape == (2, 3)
    assert drawn_odds(torch.zeros(2, 0, 4)).shape == (2, 0)
