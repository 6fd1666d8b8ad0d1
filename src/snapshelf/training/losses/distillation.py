"""Distillation: a small encoder learns to place pictures as a stronger one does."""

import math

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.cosine import cosine_similarities, unit_rows
from snapshelf.training.losses.rows import alike, full_precision

with torch_extra():
    from torch import Tensor
    from torch.nn.functional import kl_div

__all__ = ["cosine_distillation", "relational_distillation"]


def cosine_distillation(student: Tensor, teacher: Tensor) -> Tensor:
    """Ask that the student's embedding point where the teacher's does.

    ``L_i = 1 - cos(student_i, teacher_i)``. The teacher gets no gradient.

    Args:
        student: (B, D) floating; need not be normalised.
        teacher: (B, D) floating, of the same pictures; need not be normalised.

    Returns:
        (B,) float32 (float64 if an input is), in [0, 2] up to rounding; 1 where one of the two is
        zero.

    Raises:
        ValueError: If the two are not floating of one shape (B, D): a student of another length
            needs a projection to the teacher's first.
    """
    student, teacher = alike(student=student, teacher=teacher)
    return 1 - (unit_rows(student) * unit_rows(teacher.detach())).sum(dim=1)


def relational_distillation(student: Tensor, teacher: Tensor, *, temperature: float) -> Tensor:
    """Ask that the student find the same neighbours in the batch as the teacher.

    With the cosine similarities ``s[i, j]`` of the batch's pictures, without each picture's
    similarity to itself (which is 1 for both, and would hide the others)::

        p[i, j] = exp(s[i, j] / temperature) / sum_{k != i} exp(s[i, k] / temperature)
        L_i = sum_{j != i} p_teacher[i, j] * log(p_teacher[i, j] / p_student[i, j])

    The lengths of the embeddings may differ. The teacher gets no gradient. The loss is not
    multiplied by the temperature squared, as is sometimes done to keep the gradients' scale.

    Args:
        student: (B, D) floating; need not be normalised.
        teacher: (B, E) floating, of the same pictures; need not be normalised.
        temperature: Above 0, the same for both.

    Returns:
        (B,) float32 (float64 if the student is), at least 0 up to rounding; 0 for B = 2, where
        each picture has but one neighbour.

    Raises:
        ValueError: If the two are not floating with B >= 2 rows each, or the temperature is not
            a finite number above 0.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be a finite number above 0, got {temperature}")
    a, b = full_precision("student", student, 2), full_precision("teacher", teacher, 2)
    if len(a) != len(b) or len(a) < 2:
        raise ValueError(
            "student and teacher must be (B, D) and (B, E) with B >= 2, "
            f"got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    ours = (_relations(a) / temperature).log_softmax(dim=1)
    theirs = (_relations(b.detach()) / temperature).log_softmax(dim=1).to(ours.dtype)
    return kl_div(ours, theirs, reduction="none", log_target=True).sum(dim=1)


def _relations(rows: Tensor) -> Tensor:
    """Give the cosine similarities of B rows without the diagonal, (B, B - 1).

    Behind the first number, every (B + 1)th of the flattened matrix is one of the diagonal.
    """
    count = len(rows)
    similarities = cosine_similarities(rows, rows).flatten()[1:]
    return similarities.view(count - 1, count + 1)[:, :-1].reshape(count, count - 1)
