"""`AttributeTargets`: what a network shall predict of each training item, kept on its device."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.attributes import UNLABELLED
from snapshelf.training.losses import attribute_prediction

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["AttributeTargets"]


class AttributeTargets(nn.Module):
    """The labels of the training items and the weights of the classes; no part of a checkpoint.

    Args:
        labels: (N, M) int64, the attribute labels of the training items, -1 for none.
        weights: For each of M attributes (G_m,) float32, those of its classes.
    """

    labels: Tensor

    def __init__(self, labels: NDArray[np.int64], weights: Sequence[Tensor]) -> None:
        super().__init__()
        self.register_buffer("labels", torch.from_numpy(labels), persistent=False)
        self._names = [f"weights_{number}" for number in range(len(weights))]
        for name, weight in zip(self._names, weights, strict=True):
            self.register_buffer(name, weight, persistent=False)

    def __len__(self) -> int:
        """Give the number M of attributes."""
        return len(self._names)

    def loss(self, logits: Sequence[Tensor], items: Tensor, hidden: Tensor | None = None) -> Tensor:
        """Give the attribute loss of each picture (`attribute_prediction`).

        Args:
            logits: For each of M attributes (T, G_m) floating.
            items: (T,) int64, the items that the pictures show.
            hidden: (T,) bool, pictures whose labels do not hold; None for none.

        Returns:
            (T,) float32 (float64 if logits are), at least 0.
        """
        labels = self.labels[items]
        if hidden is not None:
            labels = labels.masked_fill(hidden[:, None], UNLABELLED)
        weights: list[Tensor] = [getattr(self, name) for name in self._names]
        return attribute_prediction(logits, labels, weights)
