"""How far two items lie apart in their attributes: the weights of MTV-CNN's hard triplets."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.training.attributes import UNLABELLED

__all__ = ["attribute_distances", "attribute_weight"]

IntArray = NDArray[np.integer]
FloatArray = NDArray[np.float32]


def attribute_distances(
    labels_i: IntArray,
    labels_j: IntArray,
    level1: Sequence[IntArray],
    *,
    w1: float = 0.7,
    w2: float = 1.5,
    w3: float = 0.4,
) -> FloatArray:
    """Measure the distance of two items in each attribute.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Eq. 9, over the attribute's tree, whose level 2
    are the classes and whose level 1 are groups of classes::

        d = 0     same group, same class
        d = w1    same group, different class
        d = w2    different group, and so different class

    The paper's setup names a third constant, ``w3 = 0.4``, that none of its equations uses. Here
    it is the distance in an attribute that one of the two items, or both, are not labelled
    with. That use is this project's own: the paper's items are all labelled.

    Args:
        labels_i: (..., M) integers, classes in [0, G_m) or -1 for not labelled.
        labels_j: (..., M) integers; the shapes are broadcast.
        level1: For each of M attributes (G_m,) integers, the group of each class, as
            `AttributeTable.level1` gives them.
        w1: Distance of classes in one group.
        w2: Distance of classes of two groups, at least `w1`.
        w3: Distance where a label is missing, at least 0.

    Returns:
        (..., M) float32, each 0, w1, w2 or w3.

    Raises:
        ValueError: If labels have another shape or type or are out of range, or the constants
            are not finite with ``0 <= w1 <= w2`` and ``0 <= w3``.

    Example:
        >>> import numpy as np
        >>> groups = [np.array([0, 0, 1])]
        >>> others = np.array([[0], [1], [2], [-1]])
        >>> print(attribute_distances(np.array([0]), others, groups)[:, 0])
        [0.  0.7 1.5 0.4]
    """
    if not (0 <= w1 <= w2 < math.inf and 0 <= w3 < math.inf):
        raise ValueError(
            f"expected finite 0 <= w1 <= w2 and 0 <= w3, got w1={w1}, w2={w2}, w3={w3}"
        )
    for number, groups in enumerate(level1):
        if groups.ndim != 1 or not groups.size or not np.issubdtype(groups.dtype, np.integer):
            raise ValueError(
                f"level1[{number}] must be (G,) integers with G >= 1, "
                f"got {groups.dtype} of shape {groups.shape}"
            )
    _require_labels("labels_i", labels_i, level1)
    _require_labels("labels_j", labels_j, level1)
    distances = np.empty(np.broadcast_shapes(labels_i.shape, labels_j.shape), np.float32)
    for number, groups in enumerate(level1):
        i, j = labels_i[..., number], labels_j[..., number]
        far = np.where(groups[i] == groups[j], np.float32(w1), np.float32(w2))
        known = np.where(i == j, np.float32(0), far)
        distances[..., number] = np.where(
            (i == UNLABELLED) | (j == UNLABELLED), np.float32(w3), known
        )
    return distances


def attribute_weight(
    labels_i: IntArray,
    labels_j: IntArray,
    level1: Sequence[IntArray],
    *,
    w1: float = 0.7,
    w2: float = 1.5,
    w3: float = 0.4,
) -> FloatArray:
    """Add up the distances of two items over the attributes.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Eq. 8: ``W_a = sum_m d_m`` with the d_m of
    `attribute_distances`. It weighs a triplet whose negative is near in the embedding: the more
    the attributes differ, the worse the mistake.

    Args:
        labels_i: As of `attribute_distances`.
        labels_j: As of `attribute_distances`.
        level1: As of `attribute_distances`.
        w1: As of `attribute_distances`.
        w2: As of `attribute_distances`.
        w3: As of `attribute_distances`.

    Returns:
        (...) float32, at least 0: the broadcast shape without its last dimension. Without
        attributes (M = 0) all are 0.

    Raises:
        ValueError: As `attribute_distances`.
    """
    distances = attribute_distances(labels_i, labels_j, level1, w1=w1, w2=w2, w3=w3)
    total: FloatArray = distances.sum(axis=-1, dtype=np.float32)
    return total


def _require_labels(name: str, labels: IntArray, level1: Sequence[IntArray]) -> None:
    """Refuse labels that are not class numbers of these attributes."""
    attributes = len(level1)
    if (
        not np.issubdtype(labels.dtype, np.integer)
        or not labels.ndim
        or labels.shape[-1] != attributes
    ):
        raise ValueError(
            f"{name} must be (..., {attributes}) integers, "
            f"got {labels.dtype} of shape {labels.shape}"
        )
    sizes = np.array([len(groups) for groups in level1])
    if labels.size and bool(((labels < UNLABELLED) | (labels >= sizes)).any()):
        raise ValueError(
            f"{name} must be in [-1, G) for G = {sizes.tolist()} classes, "
            f"got {labels.min()} to {labels.max()}"
        )
