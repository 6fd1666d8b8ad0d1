"""The distillation losses against their equations in loops."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.training.losses import (  # noqa: E402
    cosine_distillation,
    relational_distillation,
)


def embeddings(rows=6, length=5, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(rows, length)))


def cosine(x, y):
    return sum(p * q for p, q in zip(x, y, strict=True)) / (math.hypot(*x) * math.hypot(*y))


def slow_relational(student, teacher, temperature):
    def neighbours(rows, i):
        terms = [
            math.exp(cosine(rows[i], rows[j]) / temperature) for j in range(len(rows)) if j != i
        ]
        return [term / sum(terms) for term in terms]

    student, teacher = student.tolist(), teacher.tolist()
    return [
        sum(
            p * math.log(p / q)
            for p, q in zip(neighbours(teacher, i), neighbours(student, i), strict=True)
        )
        for i in range(len(student))
    ]


def test_cosine_against_loops():
    student, teacher = embeddings(), embeddings(seed=1)
    expected = [1 - cosine(x, y) for x, y in zip(student.tolist(), teacher.tolist(), strict=True)]
    np.testing.assert_allclose(cosine_distillation(student, teacher), expected, rtol=1e-12)
    np.testing.assert_allclose(cosine_distillation(student, -2 * student), [2] * 6, rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.1, 1.0])
@pytest.mark.parametrize("rows", [3, 6])
def test_relational_against_loops(temperature, rows):
    student, teacher = embeddings(rows), embeddings(rows, length=9, seed=1)
    np.testing.assert_allclose(
        relational_distillation(student, teacher, temperature=temperature),
        slow_relational(student, teacher, temperature),
        rtol=1e-9,
    )


def test_gradients():
    student, teacher = embeddings().requires_grad_(), embeddings(seed=1)
    assert torch.autograd.gradcheck(lambda s: cosine_distillation(s, teacher), student)
    assert torch.autograd.gradcheck(
        lambda s: relational_distillation(s, teacher, temperature=0.3), student
    )


def test_the_teacher_gets_no_gradient():
    student, teacher = embeddings().requires_grad_(), embeddings(seed=1).requires_grad_()
    loss = cosine_distillation(student, teacher)
    loss = loss + relational_distillation(student, teacher, temperature=0.3)
    loss.sum().backward()
    assert teacher.grad is None
    assert student.grad.abs().sum() > 0


def test_a_student_that_agrees_has_no_loss_and_no_gradient():
    teacher = embeddings()
    student = (3 * teacher).requires_grad_()
    turned = (teacher @ torch.linalg.qr(embeddings(5, 5, seed=2)).Q).requires_grad_()
    cosines = cosine_distillation(student, teacher)
    relations = relational_distillation(turned, teacher, temperature=0.1)
    (cosines + relations).sum().backward()
    for tensor in (cosines, relations, student.grad, turned.grad):
        torch.testing.assert_close(tensor.detach(), torch.zeros_like(tensor), atol=1e-9, rtol=0)


def test_two_pictures_have_but_one_relation():
    loss = relational_distillation(embeddings(2), embeddings(2, seed=1), temperature=0.1)
    assert loss.tolist() == [0.0, 0.0]


def test_rows_of_zeros_and_equal_rows_stay_finite():
    student = torch.zeros(4, 3, requires_grad=True)
    teacher = torch.ones(4, 3)
    cosines = cosine_distillation(student, teacher)
    relations = relational_distillation(student, teacher, temperature=0.01)
    (cosines + relations).sum().backward()
    assert cosines.tolist() == [1.0] * 4
    assert relations.tolist() == [0.0] * 4
    assert student.grad.isfinite().all()


def test_a_teacher_of_another_precision_will_do():
    student, teacher = embeddings(), embeddings(seed=1)
    single = teacher.float()
    torch.testing.assert_close(
        relational_distillation(student, single, temperature=0.2),
        relational_distillation(student, teacher, temperature=0.2),
        atol=1e-5,
        rtol=1e-5,
    )


def test_refuses_parts_that_do_not_fit():
    rows = embeddings()
    with pytest.raises(ValueError, match="one shape"):
        cosine_distillation(rows, rows[:, :3])
    with pytest.raises(ValueError, match="B >= 2"):
        relational_distillation(rows, rows[:3], temperature=1)
    with pytest.raises(ValueError, match="B >= 2"):
        relational_distillation(rows[:1], rows[:1], temperature=1)
    for temperature in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="temperature must be"):
            relational_distillation(rows, rows, temperature=temperature)
