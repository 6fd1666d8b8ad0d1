"""`AttributeHeads`: the attributes that a trained PyTorch network predicts."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare
from snapshelf.features.torch_extra import torch_extra
from snapshelf.media.picture import RGB

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["AttributeHeads", "Logits"]

Logits = Callable[[Tensor], Sequence[Tensor]]
"""(B, 3, H, W) float, normalised, to (B, G_m) logits of each of M attributes."""


class AttributeHeads:
    """Networks with a head for each attribute, as an `AttributePredictor`.

    Args:
        logits: Of each side; both may be the same. Each gives as many logits as the attribute
            has classes.
        classes: For each attribute its (group, value) pairs, in the order of the heads.
        preprocessing: How pictures become inputs.

    Attributes:
        classes: As given.
    """

    def __init__(
        self,
        logits: Mapping[Domain, Logits],
        classes: Mapping[str, Sequence[tuple[str, str]]],
        preprocessing: Preprocessing,
    ) -> None:
        self.classes = dict(classes)
        self._logits = dict(logits)
        self._preprocessing = preprocessing

    def prepare(self, picture: RGB) -> NDArray[np.uint8]:
        """Bring one picture to the input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.

        Returns:
            (S, T, 3) uint8, RGB, [0, 255].
        """
        return prepare(picture, self._preprocessing)

    def predict(
        self, inputs: NDArray[np.uint8], domain: Domain
    ) -> Mapping[str, NDArray[np.float32]]:
        """Predict the attributes of a batch of prepared pictures: a softmax of each head.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], B >= 1.
            domain: The side that the pictures come from.

        Returns:
            For each attribute (B, G) float32, in [0, 1], each row summing to 1.
        """
        with torch.inference_mode():
            logits = self._logits[domain](torch.from_numpy(normalise(inputs, self._preprocessing)))
            found = [each.float().softmax(1).cpu().numpy() for each in logits]
        return dict(zip(self.classes, found, strict=True))
