"""The view-invariance loss of MTV-CNN."""

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.rows import full_precision

with torch_extra():
    from torch import Tensor

__all__ = ["view_invariance"]


def view_invariance(bag: Tensor) -> Tensor:
    """Average the squared distances of the views in each positive bag.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Eq. 6::

        L_v = 1 / (2 * n_d) * sum_{j,k} d(x_j, x_k) ** 2

    The paper calls n_d the number of pairs of the bag and sets it to 3 for three views, which
    have three pairs. The sum is read as running over the ordered pairs: each of the n_d pairs
    comes twice, as (j, k) and as (k, j), and the normaliser ``2 * n_d`` is their number. So L_v
    is the mean squared distance of two views. (Were each pair counted once, it would be half of
    that, as with half the alpha_v.) For V views ``2 * n_d = V * (V - 1)``.

    Computed by way of the mean view, ``sum_{j,k} d ** 2 = 2 * V * sum_v |x_v - mean| ** 2``,
    which has a gradient everywhere. A bag with one view has no pair: its loss and its gradient
    are exactly 0, and so are those of a bag that repeats one view.

    Args:
        bag: (T, V, D) floating, V >= 1 pictures of each product.

    Returns:
        (T,) float32 (float64 if the bag is), at least 0.

    Raises:
        ValueError: If the bag is not (T, V, D) floating or has no view.
    """
    views = full_precision("bag", bag, 3)
    count = views.shape[1]
    if count == 0:
        raise ValueError(f"bag must be (T, V, D) with at least one view, got {tuple(bag.shape)}")
    # Taken from the first view, so that equal views are exactly equal to their mean.
    offsets = views - views[:, :1]
    spread = (offsets - offsets.mean(dim=1, keepdim=True)).square().sum(dim=(1, 2))
    return spread * (2 / max(count - 1, 1))
