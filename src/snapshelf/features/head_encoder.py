"""A transformer's own pooled output as an embedding: its class token or attention pooling."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from snapshelf.features.backbones import default_preprocessing, load_hub_backbone
from snapshelf.features.network_encoder import NetworkEncoder
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import file_digest

with torch_extra():
    from torch import Tensor, nn

__all__ = ["PooledHead", "head_encoder"]


class PooledHead(nn.Module):
    """What a backbone of timm's gives its classifier.

    Args:
        backbone: As `create_backbone` makes it.
    """

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, inputs: Tensor) -> Tensor:
        """Run the backbone with its own pooling.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, C) float.
        """
        features = self.backbone.forward_features(inputs)  # type: ignore[operator]
        pooled: Tensor = self.backbone.forward_head(features, pre_logits=True)  # type: ignore[operator]
        return pooled


def head_encoder(
    backbone: str, *, options: Mapping[str, Any], size: int
) -> NetworkEncoder[PooledHead]:
    """Make an encoder of published weights, pooled as their publisher does.

    Pictures are padded to a square, since a product is rarely square and every part of it
    counts; mean, deviation and filter are those that the weights were trained with.

    Args:
        backbone: A name of ``timm.list_pretrained()``, with its tag.
        options: Keyword arguments of ``timm.create_model``, as JSON can hold them.
        size: Side of the square input in pixels.

    Raises:
        ModelError: If the weights are neither on this machine nor to be fetched; names the file
            that is wanted.
    """
    network, file = load_hub_backbone(backbone, options)
    published = default_preprocessing(network)
    preprocessing = replace(published, size=(size, size), fit="pad", crop_pct=1.0)
    identity = {
        "backbone": backbone,
        "options": dict(options),
        "pooling": "head",
        "preprocessing": preprocessing.to_dict(),
        "weights": file_digest(file),
    }
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    return NetworkEncoder(
        PooledHead(network), preprocessing=preprocessing, fingerprint=digest.hexdigest()
    )
