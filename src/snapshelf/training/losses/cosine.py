"""Cosine similarity of embeddings, in full precision and with a gradient everywhere."""

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["cosine_similarities", "unit_rows"]


def unit_rows(rows: Tensor) -> Tensor:
    """Scale each row to length 1; a row of zeros stays as it is.

    Dividing by the length with a tiny floor, as is usual, gives a row of zeros a gradient of
    1e12; here it has the one of the row itself.

    Args:
        rows: (N, D) float32 or float64.

    Returns:
        (N, D) of the same type, L2-normalised but for rows of zeros.
    """
    lengths: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return rows / lengths.masked_fill(lengths == 0, 1.0)


def cosine_similarities(a: Tensor, b: Tensor) -> Tensor:
    """Compare every row of `a` with every row of `b`, never in half precision.

    ``a_i . b_j / (|a_i| |b_j|)``, and 0 where one of the two is zero. Mixed precision would
    compute the products in bfloat16, where similarities above 0.5 lie 0.004 apart: it is
    switched off here.

    Args:
        a: (N, D) float32 or float64.
        b: (K, D) of the same type.

    Returns:
        (N, K) of the same type, in [-1, 1].
    """
    with torch.autocast(a.device.type, enabled=False):
        return unit_rows(a) @ unit_rows(b).T
