"""A loss of pairs with the softmax of both pictures' categories: rows CS and RC of Video2Shop."""

import math

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.rows import full_precision, require_classes

with torch_extra():
    from torch import Tensor
    from torch.nn.functional import cross_entropy

__all__ = ["pair_softmax"]


def pair_softmax(
    pairs: Tensor,
    logits_a: Tensor,
    logits_b: Tensor,
    classes_a: Tensor,
    classes_b: Tensor,
    *,
    weight: float = 1.0,
) -> Tensor:
    """Add what tells the categories of both pictures to the loss of a pair.

    Bell, Bala: Learning Visual Similarity for Product Design with Convolutional Neural Networks,
    2015, a Siamese network with the contrastive and the softmax loss (with `contrastive`, CS), and
    Wang et al., ICMR 2016, of several tasks (with `robust_contrastive`, RC)::

        L = L_pair - weight * (log p_a + log p_b) / 2

    with p the softmax's probability of a picture's own category.

    Args:
        pairs: (T,) floating, the losses of the pairs.
        logits_a: (T, G) floating, of the categories of each pair's first picture.
        logits_b: (T, G) floating, of its second.
        classes_a: (T,) int64, in [0, G).
        classes_b: (T,) int64, in [0, G).
        weight: Finite, at least 0.

    Returns:
        (T,) float32 (float64 if an input is).

    Raises:
        ValueError: If shapes or types are others, or the weight is out of range.
    """
    if not 0 <= weight < math.inf:
        raise ValueError(f"weight must be finite and at least 0, got {weight}")
    total = full_precision("pairs", pairs, 1)
    for name, logits, classes in (("a", logits_a, classes_a), ("b", logits_b, classes_b)):
        scores = full_precision(f"logits_{name}", logits, 2)
        if len(scores) != len(total):
            raise ValueError(f"logits_{name} must have {len(total)} rows, got {len(scores)}")
        require_classes(f"classes_{name}", classes, (len(total),))
        total = total + 0.5 * weight * cross_entropy(scores, classes, reduction="none")
    return total
