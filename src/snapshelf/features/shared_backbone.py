"""Several poolings of one feature map: a backbone runs once, whichever of them is looked at."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.backbone_encoder import PooledBackbone
from snapshelf.features.backbones import feature_map
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.features.network_encoder import NetworkEncoder
from snapshelf.features.pooling import POOLINGS
from snapshelf.features.torch_extra import torch_extra
from snapshelf.media.picture import RGB

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import normalize

__all__ = ["PartEncoder", "PooledInSeveralWays", "pool_in_several_ways"]


class PooledInSeveralWays(nn.Module):
    """The last feature map of a backbone, pooled in several ways.

    Args:
        backbone: As `create_backbone` makes it.
        poolings: Names of `POOLINGS`.
    """

    def __init__(self, backbone: nn.Module, poolings: Sequence[str]) -> None:
        super().__init__()
        self.backbone = backbone
        self.poolings = tuple(poolings)

    def forward(self, inputs: Tensor) -> Tensor:
        """Pool the last feature map in all ways.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, P * C) float: P vectors of unit length, one behind the other.
        """
        features = feature_map(self.backbone, inputs)
        return torch.cat([normalize(POOLINGS[name](features)) for name in self.poolings], dim=1)


class PartEncoder:
    """One of the parts that another encoder's embeddings consist of, L2-normalised by itself.

    Args:
        whole: Its embeddings are `parts` vectors of equal length, one behind the other.
        part: Which of them, from 0.
        parts: How many there are.
    """

    def __init__(self, whole: Encoder, part: int, parts: int) -> None:
        self._whole = whole
        self._part = part
        self._parts = parts

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._whole.dimension // self._parts

    @property
    def fingerprint(self) -> str:
        """Hex digest of the whole's, and of which part it is."""
        parts = f"{self._whole.fingerprint} {self._part} of {self._parts}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Bring one picture to the input size.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: The side that it comes from.
        """
        return self._whole.prepare(picture, domain)

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255].
            domain: The side that the pictures come from.

        Returns:
            (B, D) float32, L2-normalised; zeros where that part is zeros.
        """
        start = self._part * self.dimension
        rows = self._whole.encode(inputs, domain)[:, start : start + self.dimension]
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def pool_in_several_ways(
    encoder: NetworkEncoder[PooledBackbone], poolings: Sequence[str]
) -> NetworkEncoder[PooledInSeveralWays]:
    """Make an encoder of the same backbone whose embeddings are those of several poolings.

    Args:
        encoder: Its backbone, weights and preprocessing are taken, and its pooling is left out.
        poolings: Names of `POOLINGS`.

    Returns:
        An encoder of which `PartEncoder` gives each pooling.
    """
    identity = f"{encoder.fingerprint} pooled as {', '.join(poolings)}"
    return NetworkEncoder(
        PooledInSeveralWays(encoder.network.backbone, poolings),
        preprocessing=encoder.preprocessing,
        fingerprint=hashlib.blake2b(identity.encode(), digest_size=16).hexdigest(),
    )
