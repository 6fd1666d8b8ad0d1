"""The attribute loss of MTV-CNN: a weighted softmax loss for each multi-class attribute."""

from collections.abc import Sequence

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.attributes import UNLABELLED
from snapshelf.training.losses.rows import full_precision, require_classes

with torch_extra():
    import torch
    from torch import Tensor
    from torch.nn.functional import cross_entropy

__all__ = ["attribute_prediction", "class_weights"]


def class_weights(counts: Tensor) -> Tensor:
    """Weigh the classes of one attribute inversely to their number of training items.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, below Eq. 4. The formula is garbled in print
    (numerator and denominator of the inner fraction are the same); as the text calls the weights
    inversely proportional to the counts, this is the inverse frequency, normalised::

        w_g = (1 / N_g) / sum_h (1 / N_h)

    A class without items has the weight 0 and no part in the sum.

    Args:
        counts: (G,) of an integer type, the number of training items of each class.

    Returns:
        (G,) float32, at least 0, sums to 1.

    Raises:
        ValueError: If `counts` is not (G,) of an integer type, one is negative, or all are 0.
    """
    if counts.ndim != 1 or counts.is_floating_point() or counts.dtype == torch.bool:
        raise ValueError(
            f"counts must be integers of shape (G,), "
            f"got {counts.dtype} of shape {tuple(counts.shape)}"
        )
    if bool((counts < 0).any()) or not bool((counts > 0).any()):
        raise ValueError(
            f"counts must be 0 or more and one of them above 0, got {counts.tolist()}; "
            "leave an attribute without labelled items out"
        )
    inverse = torch.where(counts > 0, 1 / counts.clamp(min=1).double(), 0.0)
    return (inverse / inverse.sum()).float()


def attribute_prediction(
    logits: Sequence[Tensor], labels: Tensor, weights: Sequence[Tensor]
) -> Tensor:
    """Average the weighted softmax losses of the attributes of each item.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Eq. 4-5, with ``p = softmax(z)`` of the logits
    and ``y_m`` the label of attribute m::

        L_m = -w[m, y_m] * log p[m, y_m]          (4)
        L_a = (1 / M) * sum_m L_m                 (5)

    An attribute that an item is not labelled with adds 0; M stays the number of all attributes.
    Without any attribute the loss is 0. As the weights of `class_weights` sum to 1 over the G_m
    classes, each is about 1 / G_m, and so is L_m: attributes of many classes count for less.
    This is kept as published.

    Args:
        logits: For each of M attributes (T, G_m) floating.
        labels: (T, M) int64, the class of each attribute in [0, G_m), or -1 for not labelled. On
            a processor labels out of range are refused; on a GPU, where looking would make
            every step wait, PyTorch's own assertion stops the program.
        weights: For each of M attributes (G_m,) floating, as `class_weights` gives them.

    Returns:
        (T,) float32 (float64 if logits are), at least 0.

    Raises:
        ValueError: If the shapes or types are others, or a label is out of range.
    """
    require_classes("labels", labels, (labels.shape[0] if labels.ndim else 0, len(logits)))
    if len(weights) != len(logits):
        raise ValueError(
            f"expected weights for each of {len(logits)} attributes, got {len(weights)}"
        )
    total = torch.zeros(labels.shape[0], device=labels.device)
    for number, (outputs, weight) in enumerate(zip(logits, weights, strict=True)):
        name = f"logits[{number}]"
        z = full_precision(name, outputs, 2)
        if len(z) != len(labels) or tuple(weight.shape) != (z.shape[1],):
            raise ValueError(
                f"{name} must be ({len(labels)}, G) and weights[{number}] (G,), "
                f"got {tuple(z.shape)} and {tuple(weight.shape)}"
            )
        label = labels[:, number]
        if label.device.type == "cpu" and len(label):
            _require_range(number, label, z.shape[1])
        total = total + cross_entropy(
            z, label, weight=weight.to(z.dtype), ignore_index=UNLABELLED, reduction="none"
        )
    return total / max(len(logits), 1)


def _require_range(number: int, label: Tensor, classes: int) -> None:
    """Refuse labels of one attribute that are neither a class nor `UNLABELLED`."""
    low, high = (int(value) for value in torch.aminmax(label))
    if low < UNLABELLED or high >= classes:
        raise ValueError(
            f"labels of attribute {number} must be in [-1, {classes}), got {low} to {high}"
        )
