"""Euclidean distance of embeddings, with a gradient everywhere."""

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.rows import alike

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["euclidean"]


def euclidean(a: Tensor, b: Tensor) -> Tensor:
    """Measure the Euclidean distance of each row of `a` to the same row of `b`.

    ``d = sqrt(sum_i (a_i - b_i) ** 2)``. It has no derivative where the two are equal; there
    the gradient is 0, which is the one subgradient that pulls neither way.

    Args:
        a: (T, D) floating.
        b: (T, D) floating.

    Returns:
        (T,) float32 (float64 if an input is), at least 0.

    Raises:
        ValueError: If the two are not floating of one shape (T, D).
    """
    a, b = alike(a=a, b=b)
    distances: Tensor = torch.linalg.vector_norm(a - b, dim=1)
    return distances
