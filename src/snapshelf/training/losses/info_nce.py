"""InfoNCE: each query has to find its key among all keys of the batch."""

import math

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.cosine import cosine_similarities
from snapshelf.training.losses.rows import full_precision, require_classes

with torch_extra():
    import torch
    from torch import Tensor
    from torch.nn.functional import cross_entropy

__all__ = ["info_nce"]


def info_nce(
    queries: Tensor,
    keys: Tensor,
    targets: Tensor,
    *,
    temperature: float,
    ignore: Tensor | None = None,
) -> Tensor:
    """Ask that a query be more similar to its key than to all the others.

    Van den Oord, Li, Vinyals: Representation Learning with Contrastive Predictive Coding, Eq. 4,
    on cosine similarities s as in CLIP (Radford et al., ICML 2021), with target t of query i::

        L_i = -log(exp(s[i, t] / temperature) / sum_k exp(s[i, k] / temperature))

    where k runs over all keys but the ignored ones. CLIP's loss is the average of this one and
    of the same with queries and keys exchanged, which is the caller's to add.

    Args:
        queries: (B, D) floating; need not be normalised.
        keys: (K, D) floating; need not be normalised.
        targets: (B,) int64 in [0, K), the right key of each query. On a processor targets out
            of range are refused; on a GPU PyTorch's own assertion stops the program.
        temperature: Above 0; the smaller, the more the most similar wrong keys count.
        ignore: (B, K) bool, keys that do not count as wrong for a query, since they show the
            same product. A query's target counts whatever it says there. A query whose other
            keys are all ignored has the loss 0 and no gradient.

    Returns:
        (B,) float32 (float64 if an input is), at least 0.

    Raises:
        ValueError: If a shape, a type or a target is not as above, or the temperature is not a
            finite number above 0.
    """
    if not 0 < temperature < math.inf:
        raise ValueError(f"temperature must be a finite number above 0, got {temperature}")
    a, b = full_precision("queries", queries, 2), full_precision("keys", keys, 2)
    if a.shape[1] != b.shape[1] or not len(b):
        raise ValueError(
            "queries and keys must be (B, D) and (K, D) with K >= 1, "
            f"got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    require_classes("targets", targets, (len(a),))
    if targets.device.type == "cpu" and bool(((targets < 0) | (targets >= len(b))).any()):
        low, high = int(targets.min()), int(targets.max())
        raise ValueError(f"targets must be in [0, {len(b)}), got {low} to {high}")
    common = torch.promote_types(a.dtype, b.dtype)
    logits = cosine_similarities(a.to(common), b.to(common)) / temperature
    if ignore is not None:
        if ignore.dtype != torch.bool or ignore.shape != logits.shape:
            raise ValueError(
                f"ignore must be bool of shape {tuple(logits.shape)}, "
                f"got {ignore.dtype} of shape {tuple(ignore.shape)}"
            )
        left_out = ignore.scatter(1, targets[:, None], False)
        logits = logits.masked_fill(left_out, -math.inf)
    return cross_entropy(logits, targets, reduction="none")
