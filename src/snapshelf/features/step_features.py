"""The scale at which embeddings are features of AsymNet, in training and in searching."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    from torch import Tensor
    from torch.nn.functional import normalize

__all__ = ["features_of", "unit_scale"]


def unit_scale(embeddings: NDArray[np.floating]) -> NDArray[np.float32]:
    """Bring embeddings to the scale that the networks learn at.

    Layers learn at their usual rates from numbers with a variance of about 1, and those of a vector
    of unit length are the smaller the longer it is.

    Args:
        embeddings: (..., D) floating, of unit length or shorter.

    Returns:
        (..., D) float32, times the root of D.
    """
    scaled: NDArray[np.float32] = embeddings.astype(np.float32)
    scaled *= np.float32(embeddings.shape[-1] ** 0.5)
    return scaled


def features_of(outputs: Tensor) -> Tensor:
    """Bring what an image network gives to the same scale.

    Args:
        outputs: (..., D) float.

    Returns:
        (..., D) float, as long as the root of D; zeros stay zeros.
    """
    scaled: Tensor = normalize(outputs, dim=-1) * outputs.shape[-1] ** 0.5
    return scaled
