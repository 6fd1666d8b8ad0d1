"""`RegionFeatures`: what a backbone sees in each of many boxes, in one pass over their picture.

Girshick: Fast R-CNN, ICCV 2015, Section 2.1, pools every box from one feature map; He, Gkioxari,
Dollar, Girshick: Mask R-CNN, ICCV 2017, Section 3, for RoIAlign, which does so without rounding.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.backbones import (
    create_backbone,
    feature_map,
    load_hub_backbone,
    load_weights,
)
from snapshelf.features.computing import current
from snapshelf.features.mobilenet import mobilenet_v2
from snapshelf.features.preprocessing import normalise, prepare
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import file_digest
from snapshelf.locating.boxes import Boxes, scale_boxes
from snapshelf.locating.region_settings import RegionSettings
from snapshelf.media.picture import RGB

with torch_extra():
    import torch
    from torch import nn
    from torchvision.ops import roi_align

__all__ = ["RegionFeatures", "mobilenet_regions", "region_features", "scaled_picture"]

SAMPLES = 2
"""Places each way that a bin is the mean of."""


class RegionFeatures:
    """A backbone's features of boxes.

    Args:
        backbone: As `create_backbone` makes it; put into evaluation mode.
        settings: How it is looked through; the backbone's name and options in it are not used.
        fingerprint: Hex digest of everything that decides a feature.
        device: A torch device, such as ``cpu`` or ``cuda``; None for what `computing` tells.

    Attributes:
        settings: As given.
        fingerprint: As given.
        weights: The name of the file that the backbone's weights came from, or ``hub``.
    """

    def __init__(
        self,
        backbone: nn.Module,
        settings: RegionSettings,
        *,
        fingerprint: str,
        weights: str = "hub",
        device: str | None = None,
    ) -> None:
        self.settings = settings
        self.fingerprint = fingerprint
        self.weights = weights
        self._device = torch.device(current().device if device is None else device)
        self._backbone = backbone.eval().to(self._device, torch.float32)
        self._backbone.to(memory_format=torch.channels_last)

    def features(self, picture: RGB, boxes: Boxes) -> NDArray[np.float32]:
        """Look at all boxes of a picture; the backbone runs once, however many there are.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            boxes: (P, 4) float32, P >= 0. What sticks out of the picture is seen as zeros, and
                one without area as the point that it is.

        Returns:
            (P, D) float32, D = channels x bins x bins.

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        inputs = normalise(
            scaled_picture(picture, self.settings)[None], self.settings.preprocessing
        )
        with torch.inference_mode():
            seen = feature_map(self._backbone, torch.from_numpy(inputs).to(self._device))
            placed = scale_boxes(boxes, picture.shape, tuple(seen.shape[2:]))
            pooled = roi_align(
                seen,
                [torch.from_numpy(placed).to(self._device)],
                self.settings.bins,
                sampling_ratio=SAMPLES,
                aligned=True,
            )
            features: NDArray[np.float32] = pooled.flatten(1).cpu().numpy()
        return features


def scaled_picture(picture: RGB, settings: RegionSettings) -> NDArray[np.uint8]:
    """Bring a picture to the size that it is looked at.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        settings: Say which size that is.

    Returns:
        (h, w, 3) uint8, h and w as `RegionSettings.scaled_size` gives them.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.
    """
    size = settings.scaled_size(picture.shape if picture.size else (1, 1))
    spec = replace(settings.preprocessing, size=size, fit="squash", crop_pct=1.0)
    return prepare(picture, spec)


def region_features(
    settings: RegionSettings, weights: Path | Literal["hub"], *, device: str | None = None
) -> RegionFeatures:
    """Make features of a backbone and its weights.

    Args:
        settings: Names the backbone.
        weights: A safetensors file with exactly the backbone's tensors (a classifier in it is left
            out), or ``"hub"`` for the published weights, fetched once.
        device: A torch device; None for what `computing` tells.

    Raises:
        ModelError: If the backbone is unknown, or its weights are missing or do not fit.
    """
    if weights == "hub":
        backbone, file = load_hub_backbone(settings.backbone, settings.options)
    else:
        backbone, file = create_backbone(settings.backbone, settings.options), weights
        load_weights(backbone, file)
    identity = {**settings.to_dict(), "weights": file_digest(file)}
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    return RegionFeatures(
        backbone,
        settings,
        fingerprint=digest.hexdigest(),
        weights="hub" if weights == "hub" else file.name,
        device=device,
    )


def mobilenet_regions(*, longest: int = 640, bins: int = 3) -> RegionFeatures:
    """Make features of the MobileNetV2 that other systems use.

    Args:
        longest: As `RegionSettings` has it.
        bins: Likewise.

    Raises:
        ModelError: If no weights can be had; says how to give them.
    """
    network = mobilenet_v2()
    settings = RegionSettings(
        backbone=network.backbone,
        options=network.options,
        preprocessing=network.preprocessing,
        longest=longest,
        bins=bins,
    )
    return region_features(settings, network.weights)
