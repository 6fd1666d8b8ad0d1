"""The attribute loss against Eq. 4 and 5 in loops, and the weights of its classes."""

import math
from fractions import Fraction

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import attribute_prediction, class_weights  # noqa: E402

SIZES = (3, 2, 5)


def batch(rows=9, seed=0):
    rng = np.random.default_rng(seed)
    logits = [torch.from_numpy(rng.normal(size=(rows, size)) * 3) for size in SIZES]
    labels = np.stack([rng.integers(-1, size, rows) for size in SIZES], axis=1)
    assert (labels == -1).any()
    weights = [class_weights(torch.from_numpy(rng.integers(1, 9, size))) for size in SIZES]
    return logits, torch.from_numpy(labels), weights


def slow(logits, labels, weights):
    values = []
    for row, classes in enumerate(labels.tolist()):
        total = 0.0
        for number, label in enumerate(classes):
            z, w = logits[number][row].tolist(), weights[number].tolist()
            p = [math.exp(each) / sum(map(math.exp, z)) for each in z]
            for g in range(len(z)):
                total -= w[g] * (g == label) * math.log(p[g])
        values.append(total / len(classes))
    return values


def test_against_the_equations():
    logits, labels, weights = batch()
    np.testing.assert_allclose(
        attribute_prediction(logits, labels, weights), slow(logits, labels, weights), rtol=1e-9
    )


def test_gradient():
    logits, labels, weights = batch()
    assert torch.autograd.gradcheck(
        lambda *z: attribute_prediction(z, labels, weights), [z.requires_grad_() for z in logits]
    )


def test_an_item_without_labels_has_the_loss_and_the_gradient_zero():
    logits, labels, weights = batch()
    labels[4] = -1
    for z in logits:
        z.requires_grad_()
    loss = attribute_prediction(logits, labels, weights)
    loss.sum().backward()
    assert loss[4] == 0
    assert all((z.grad[4] == 0).all() for z in logits)
    assert all(z.grad.isfinite().all() for z in logits)


def test_a_missing_label_leaves_the_number_of_attributes_as_it_is():
    logits, labels, weights = batch()
    labels[:] = 0
    whole = attribute_prediction(logits, labels, weights)
    labels[:, 1] = -1
    alone = attribute_prediction(logits[1:2], torch.zeros(9, 1, dtype=torch.int64), weights[1:2])
    part = attribute_prediction(logits, labels, weights)
    torch.testing.assert_close(whole - part, alone / len(SIZES))


def test_without_attributes_the_loss_is_zero():
    loss = attribute_prediction([], torch.zeros(4, 0, dtype=torch.int64), [])
    assert loss.tolist() == [0.0] * 4
    assert loss.dtype == torch.float32


def test_huge_logits_stay_finite():
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]], requires_grad=True)
    weights = [torch.tensor([0.5, 0.5])]
    loss = attribute_prediction([logits], torch.zeros(2, 1, dtype=torch.int64), weights)
    loss.sum().backward()
    assert loss.tolist() == [0.0, 1e4]
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("label", [-2, 3, 1000])
def test_refuses_a_label_out_of_range(label):
    logits, labels, weights = batch()
    labels[2, 0] = label
    with pytest.raises(ValueError, match=r"attribute 0 must be in \[-1, 3\)"):
        attribute_prediction(logits, labels, weights)


def test_refuses_parts_that_do_not_fit():
    logits, labels, weights = batch()
    with pytest.raises(ValueError, match="labels must be int64"):
        attribute_prediction(logits, labels.int(), weights)
    with pytest.raises(ValueError, match=r"shape \(9, 3\)"):
        attribute_prediction(logits, labels[:, :2], weights)
    with pytest.raises(ValueError, match="labels must be int64"):
        attribute_prediction([], torch.tensor(1), [])
    with pytest.raises(ValueError, match="weights for each of 3"):
        attribute_prediction(logits, labels, weights[:2])
    with pytest.raises(ValueError, match=r"logits\[0\]"):
        attribute_prediction([logits[0][:4], *logits[1:]], labels, weights)
    with pytest.raises(ValueError, match=r"weights\[0\]"):
        attribute_prediction(logits, labels, [weights[1], *weights[1:]])


def test_class_weights_are_the_inverse_frequencies_normalised():
    counts = [4, 1, 0, 10, 3]
    whole = sum(Fraction(1, n) for n in counts if n)
    expected = [float(Fraction(1, n) / whole) if n else 0.0 for n in counts]
    weights = class_weights(torch.tensor(counts))
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    assert weights[2] == 0
    assert weights.sum().item() == pytest.approx(1)


def test_class_weights_of_counts_far_apart():
    weights = class_weights(torch.tensor([1, 10**12]))
    assert weights.tolist() == pytest.approx([1.0, 1e-12])
    assert class_weights(torch.tensor([7], dtype=torch.int32)).tolist() == [1.0]


@pytest.mark.parametrize(
    "counts",
    [
        torch.tensor([0, 0]),
        torch.tensor([2, -1]),
        torch.tensor([1.0, 2.0]),
        torch.tensor([[1, 2]]),
        torch.tensor([True]),
        torch.zeros(0, dtype=torch.int64),
    ],
)
def test_refuses_counts_that_are_none(counts):
    with pytest.raises(ValueError, match="counts must be"):
        class_weights(counts)
