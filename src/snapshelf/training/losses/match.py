"""The two losses of Studio2Shop: right and wrong articles by cross-entropy, or ranked."""

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.rows import full_precision

with torch_extra():
    import torch
    from torch import Tensor
    from torch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["match_cross_entropy", "sigmoid_triplets"]


def match_cross_entropy(odds: Tensor, right: Tensor) -> Tensor:
    """Ask that right articles be likely and wrong ones unlikely.

    Lasserre, Rasch, Vollgraf: Studio2Shop, Eq. 1-2, with ``p = sigmoid(odds)``; the minus that
    makes the printed sum a loss is added::

        L_i = -sum_j (y_ij log p_ij + (1 - y_ij) log(1 - p_ij))

    Args:
        odds: (B, M) floating, the log-odds of each query with its articles, M >= 1.
        right: (B, M) bool, y.

    Returns:
        (B,) float32 (float64 if the odds are), at least 0: the sum over a query's articles.

    Raises:
        ValueError: If the shapes or types are others.
    """
    x = full_precision("odds", odds, 2)
    if right.dtype != torch.bool or right.shape != x.shape or not x.shape[1]:
        raise ValueError(
            f"right must be bool of the odds' shape (B, M), M >= 1, got {right.dtype} of shape "
            f"{tuple(right.shape)} for {tuple(x.shape)}"
        )
    return binary_cross_entropy_with_logits(x, right.to(x.dtype), reduction="none").sum(1)


def sigmoid_triplets(odds: Tensor, right: Tensor) -> Tensor:
    """Ask that a right article be more alike than each wrong one.

    Lasserre, Rasch, Vollgraf: Studio2Shop, Section 4.2 and Eq. 3, with the dot products s of the
    query's features with those of its right article and of the wrong ones k::

        L_i = sum_k sigmoid(s_ik - s_i+)

    Args:
        odds: (B, M) floating, s, M >= 1.
        right: (B, M) bool, exactly one in each row.

    Returns:
        (B,) float32 (float64 if the odds are), in [0, M - 1].

    Raises:
        ValueError: If the shapes or types are others, or a row has not exactly one right article.
    """
    s = full_precision("odds", odds, 2)
    if right.dtype != torch.bool or right.shape != s.shape:
        raise ValueError(
            f"right must be bool of the odds' shape (B, M), got {right.dtype} of shape "
            f"{tuple(right.shape)} for {tuple(s.shape)}"
        )
    if s.device.type == "cpu" and bool((right.sum(1) != 1).any()):
        raise ValueError(
            f"right must have one article in each row, got {sorted(set(right.sum(1).tolist()))}"
        )
    own = (s * right).sum(1, keepdim=True)
    return (s - own).sigmoid().masked_fill(right, 0).sum(1)
