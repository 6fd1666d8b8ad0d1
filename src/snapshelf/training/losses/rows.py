"""What every loss asks of its tensors, and the precision it computes in."""

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["alike", "full_precision", "require_classes"]


def full_precision(name: str, tensor: Tensor, dimensions: int) -> Tensor:
    """Give a tensor of embeddings or logits in float32 at least.

    Args:
        name: What the caller calls it, for the error.
        tensor: Floating, of `dimensions` dimensions.
        dimensions: How many it must have.

    Returns:
        float64 as it is, everything else as float32.

    Raises:
        ValueError: If it has another number of dimensions or is not floating.
    """
    if tensor.ndim != dimensions or not tensor.is_floating_point():
        raise ValueError(
            f"{name} must be floating and of {dimensions} dimensions, "
            f"got {tensor.dtype} of shape {tuple(tensor.shape)}"
        )
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def alike(**rows: Tensor) -> tuple[Tensor, ...]:
    """Give embeddings that belong together row by row, in float32 at least.

    Args:
        **rows: Tensors (T, D), floating, by the names that the caller has for them.

    Returns:
        The same tensors in the same order; float64 as it is, everything else as float32.

    Raises:
        ValueError: If one is not (T, D) floating, or their shapes differ.
    """
    checked = tuple(full_precision(name, tensor, 2) for name, tensor in rows.items())
    shapes = {name: tuple(tensor.shape) for name, tensor in rows.items()}
    if len(set(shapes.values())) != 1:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"expected embeddings of one shape (T, D), got {listed}")
    return checked


def require_classes(name: str, numbers: Tensor, shape: tuple[int, ...]) -> None:
    """Refuse class or row numbers of another type or shape.

    Args:
        name: What the caller calls them, for the error.
        numbers: int64.
        shape: What they must have.

    Raises:
        ValueError: If they are not int64 of that shape.
    """
    if numbers.dtype != torch.int64 or tuple(numbers.shape) != shape:
        raise ValueError(
            f"{name} must be int64 of shape {shape}, "
            f"got {numbers.dtype} of shape {tuple(numbers.shape)}"
        )
