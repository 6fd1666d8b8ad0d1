"""InfoNCE against its equation in loops."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import info_nce  # noqa: E402


def batch(queries=5, keys=8, length=6, seed=0):
    rng = np.random.default_rng(seed)
    return (
        torch.from_numpy(rng.normal(size=(queries, length))),
        torch.from_numpy(rng.normal(size=(keys, length))),
        torch.from_numpy(rng.integers(0, keys, queries)),
        torch.from_numpy(rng.random((queries, keys)) < 0.4),
    )


def slow(queries, keys, targets, temperature, ignore):
    def similarity(x, y):
        return sum(p * q for p, q in zip(x, y, strict=True)) / (math.hypot(*x) * math.hypot(*y))

    values = []
    for i, query in enumerate(queries.tolist()):
        target = int(targets[i])
        terms = {
            k: math.exp(similarity(query, key) / temperature)
            for k, key in enumerate(keys.tolist())
            if k == target or not ignore[i][k]
        }
        values.append(-math.log(terms[target] / sum(terms.values())))
    return values


@pytest.mark.parametrize("temperature", [0.07, 1.0])
def test_against_the_equation(temperature):
    queries, keys, targets, ignore = batch()
    nothing = torch.zeros_like(ignore)
    plain = info_nce(queries, keys, targets, temperature=temperature)
    masked = info_nce(queries, keys, targets, temperature=temperature, ignore=ignore)
    np.testing.assert_allclose(plain, slow(queries, keys, targets, temperature, nothing), rtol=1e-9)
    np.testing.assert_allclose(masked, slow(queries, keys, targets, temperature, ignore), rtol=1e-9)
    assert (masked < plain).any()


def test_gradient():
    queries, keys, targets, ignore = batch()
    assert torch.autograd.gradcheck(
        lambda q, k: info_nce(q, k, targets, temperature=0.2, ignore=ignore),
        (queries.requires_grad_(), keys.requires_grad_()),
    )


def test_an_ignored_target_still_counts():
    queries, keys, targets, ignore = batch()
    before = ignore.clone()
    ignore[torch.arange(5), targets] = True
    cleared = ignore.clone()
    cleared[torch.arange(5), targets] = False
    torch.testing.assert_close(
        info_nce(queries, keys, targets, temperature=0.1, ignore=ignore),
        info_nce(queries, keys, targets, temperature=0.1, ignore=cleared),
    )
    assert not torch.equal(before, ignore), "the mask was full from the start"


def test_with_every_other_key_ignored_loss_and_gradient_are_zero():
    queries, keys, targets, ignore = batch()
    ignore[:] = True
    queries.requires_grad_()
    loss = info_nce(queries, keys, targets, temperature=0.1, ignore=ignore)
    loss.sum().backward()
    assert (loss == 0).all()
    assert (queries.grad == 0).all()


def test_an_ignored_key_gets_no_gradient():
    queries, keys, targets, ignore = batch()
    targets[:] = 0
    ignore[:] = False
    ignore[:, 3] = True
    keys.requires_grad_()
    info_nce(queries, keys, targets, temperature=0.1, ignore=ignore).sum().backward()
    assert (keys.grad[3] == 0).all()
    assert (keys.grad[2] != 0).any()


def test_equal_embeddings_and_a_small_temperature_stay_finite():
    same = torch.ones(4, 3, requires_grad=True)
    loss = info_nce(same, same, torch.arange(4), temperature=1e-3)
    loss.sum().backward()
    torch.testing.assert_close(loss.detach(), torch.full((4,), math.log(4)))
    assert same.grad.isfinite().all()


def test_the_embeddings_need_not_be_normalised():
    queries, keys, targets, _ = batch()
    torch.testing.assert_close(
        info_nce(queries * 7, keys * 0.2, targets, temperature=0.1),
        info_nce(queries, keys, targets, temperature=0.1),
    )


def test_refuses_parts_that_do_not_fit():
    queries, keys, targets, ignore = batch()

    def refused(message, *parts, temperature=0.1, ignore=None):
        with pytest.raises(ValueError, match=message):
            info_nce(*parts, temperature=temperature, ignore=ignore)

    refused("queries and keys", queries[:, :3], keys, targets)
    refused("queries and keys", queries, keys[:0], targets)
    refused("keys must be floating", queries, keys[0], targets)
    refused("targets must be int64", queries, keys, targets[:3])
    refused("targets must be int64", queries, keys, targets.float())
    refused(r"targets must be in \[0, 8\)", queries, keys, targets - 9)
    refused(r"targets must be in \[0, 8\), got .* to 8", queries, keys, targets.clamp(min=8))
    refused("ignore must be bool", queries, keys, targets, ignore=ignore.float())
    refused("ignore must be bool", queries, keys, targets, ignore=ignore[:, :2])
    for temperature in (0.0, -1.0, math.nan, math.inf):
        refused("temperature must be", queries, keys, targets, temperature=temperature)
