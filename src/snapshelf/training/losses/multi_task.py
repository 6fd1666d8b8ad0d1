"""The multi-task loss of MTV-CNN: what one step of training minimises."""

import math

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.rows import full_precision

with torch_extra():
    from torch import Tensor

__all__ = ["multi_task"]


def multi_task(
    triplet: Tensor,
    view: Tensor,
    attribute: Tensor,
    *,
    alpha_v: float = 0.05,
    beta_a: float = 0.05,
    weights: Tensor | None = None,
) -> Tensor:
    """Add the three losses up and average them over the triplets of a batch.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Eq. 7, and with weights Eq. 10::

        J = (1 / T) * sum_t (W_a[t] * L[t] + alpha_v * L_v[t] + beta_a * L_a[t])

    The weights act on the triplets' own loss only. The sum is divided by T, not by the weights.

    Args:
        triplet: (T,) floating, the triplet losses L.
        view: (T,) floating, the view-invariance loss L_v of each anchor's product.
        attribute: (T,) floating, the attribute loss L_a of each anchor.
        alpha_v: At least 0, the weight of the view invariance.
        beta_a: At least 0, the weight of the attribute prediction.
        weights: (T,) floating, at least 0, the attribute-based weights W_a; None for 1 each.

    Returns:
        () float32 (float64 if a loss is).

    Raises:
        ValueError: If the losses and weights are not floating of one shape (T,) with T >= 1, or
            alpha_v or beta_a is not a finite number of at least 0.
    """
    if not (0 <= alpha_v < math.inf and 0 <= beta_a < math.inf):
        raise ValueError(
            f"alpha_v and beta_a must be finite and at least 0, got {alpha_v} and {beta_a}"
        )
    named = {"triplet": triplet, "view": view, "attribute": attribute}
    if weights is not None:
        named["weights"] = weights
    losses = {name: full_precision(name, tensor, 1) for name, tensor in named.items()}
    lengths = {name: len(tensor) for name, tensor in losses.items()}
    if len(set(lengths.values())) != 1 or not len(triplet):
        raise ValueError(f"expected one value for each of T >= 1 triplets, got {lengths}")
    main = losses["triplet"] * losses["weights"] if weights is not None else losses["triplet"]
    return (main + alpha_v * losses["view"] + beta_a * losses["attribute"]).mean()
