"""A backbone of timm's or torchvision's, pooled and normalised, as an encoder."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from snapshelf.features.backbones import (
    create_backbone,
    default_preprocessing,
    feature_map,
    load_hub_backbone,
    load_weights,
)
from snapshelf.features.network_encoder import NetworkEncoder
from snapshelf.features.pooling import POOLINGS
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import file_digest

with torch_extra():
    from torch import Tensor, nn

__all__ = ["PooledBackbone", "backbone_encoder"]


class PooledBackbone(nn.Module):
    """The pooled last feature map of a backbone.

    Args:
        backbone: As `create_backbone` makes it.
        pooling: A name of `POOLINGS`.

    Raises:
        ValueError: If the pooling is unknown.
    """

    def __init__(self, backbone: nn.Module, pooling: str) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            names = ", ".join(POOLINGS)
            raise ValueError(f"pooling must be one of {names}, got {pooling!r}")
        self.backbone = backbone
        self.pooling = pooling

    def forward(self, inputs: Tensor) -> Tensor:
        """Pool the last feature map.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, C) float.
        """
        return POOLINGS[self.pooling](feature_map(self.backbone, inputs))


def backbone_encoder(
    backbone: str,
    *,
    weights: Path | Literal["hub"],
    options: Mapping[str, Any] | None = None,
    pooling: str = "gap",
    preprocessing: Preprocessing | None = None,
    device: str = "cpu",
) -> NetworkEncoder[PooledBackbone]:
    """Make an encoder from a backbone's name and its weights.

    Its fingerprint covers the backbone, options, pooling, preprocessing and the weights' bytes.

    Args:
        backbone: A name of ``timm.list_models()``, with or without a pretrained tag, or
            ``torchvision/NAME``.
        weights: A safetensors file with exactly the backbone's tensors (a classifier in it
            is left out), or ``"hub"`` for the published weights, fetched once.
        options: Keyword arguments of the backbone, as JSON can hold them.
        pooling: A name of `POOLINGS`.
        preprocessing: None for the one that the published weights were trained for.
        device: A torch device, such as ``cpu`` or ``cuda``.

    Raises:
        ModelError: If the backbone is unknown, or its weights are missing or do not fit.
        ValueError: If the pooling is unknown or the options cannot be kept as JSON.
    """
    options = dict(options or {})
    try:
        json.dumps(options)
    except TypeError as error:
        raise ValueError(f"options must be what JSON can hold, got {options}") from error
    if weights == "hub":
        model, file = load_hub_backbone(backbone, options)
    else:
        model, file = create_backbone(backbone, options), Path(weights)
        load_weights(model, file)
    network = PooledBackbone(model, pooling)
    preprocessing = preprocessing or default_preprocessing(model)
    identity = {
        "backbone": backbone,
        "options": options,
        "pooling": pooling,
        "preprocessing": preprocessing.to_dict(),
        "weights": file_digest(file),
    }
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    return NetworkEncoder(
        network, preprocessing=preprocessing, fingerprint=digest.hexdigest(), device=device
    )
