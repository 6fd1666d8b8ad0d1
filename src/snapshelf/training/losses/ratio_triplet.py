"""The ratio triplet loss of MTV-CNN."""

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.losses.distance import euclidean

with torch_extra():
    from torch import Tensor

__all__ = ["ratio_triplet"]


def ratio_triplet(anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Compare the anchor's distances to the positive and to the negative as a softmax.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Eq. 1-3, with the Euclidean distances
    ``d+`` of anchor and positive and ``d-`` of anchor and negative::

        l+ = exp(d+) / (exp(d+) + exp(d-))                    (1)
        l- = exp(d-) / (exp(d+) + exp(d-))                    (2)
        L  = 0.5 * ((1 - l-) ** 2 + l+ ** 2) = l+ ** 2        (3)

    By definition ``l+ + l- = 1``, so both terms of Eq. 3 are the same and the loss is l+ squared.
    Computed as ``sigmoid(d+ - d-) ** 2``, which no distance makes overflow.

    The softmax looks at the difference of the distances, so their scale decides how far the loss
    can fall: embeddings of unit length lie at most 2 apart and keep it above 0.014.

    Args:
        anchor: (T, D) floating.
        positive: (T, D) floating, pictures of the anchors' products.
        negative: (T, D) floating, pictures of other products.

    Returns:
        (T,) float32 (float64 if an input is), in [0, 1]; 0.25 where both distances are equal.

    Raises:
        ValueError: If the three are not floating of one shape (T, D).
    """
    return (euclidean(anchor, positive) - euclidean(anchor, negative)).sigmoid().square()
