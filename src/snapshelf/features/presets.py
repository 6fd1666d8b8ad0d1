"""Presets: stronger encoders by one word each, whose weights are fetched on first use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["PRESETS", "Preset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A published network and how it is used here.

    Attributes:
        model: Its name in timm, with the tag of its weights.
        parameters: In millions, as it is used here.
        size: Side of the square input in pixels.
        dimension: Length of an embedding.
        licence: Of the weights.
        figure: What its publisher measured; not measured by this project.
        source: Where the publisher says so.
        usage: When to choose it.
        options: Keyword arguments of ``timm.create_model``.
    """

    model: str
    parameters: float
    size: int
    dimension: int
    licence: str
    figure: str
    source: str
    usage: str
    options: Mapping[str, Any] = field(default_factory=dict)


PRESETS: Mapping[str, Preset] = {
    "dinov2": Preset(
        model="vit_small_patch14_dinov2.lvd142m",
        options={"img_size": 224},
        parameters=21.6,
        size=224,
        dimension=384,
        licence="Apache-2.0",
        figure="Oxford hard, mAP 43.2; Paris hard, mAP 68.5; Met, GAP 29.4",
        source="Oquab et al., DINOv2, 2023, table of instance recognition, ViT-S/14",
        usage="the smallest: the same thing from another side; ignores what is written on it",
    ),
    "dinov3": Preset(
        model="vit_base_patch16_dinov3.lvd1689m",
        # The class token is what the publisher retrieves with; timm's default is the mean.
        options={"global_pool": "token"},
        parameters=85.6,
        size=256,
        dimension=768,
        licence="DINOv3 License (its own terms; read them before you ship)",
        figure="Oxford hard, mAP 58.5",
        source="Siméoni et al., DINOv3, 2025, model card, ViT-B/16",
        usage="the strongest published figure for one exact thing among the three",
    ),
    "siglip2": Preset(
        model="vit_base_patch16_siglip_256.v2_webli",
        parameters=92.9,
        size=256,
        dimension=768,
        licence="Apache-2.0",
        figure="no image-to-image figure; trained on pictures with their texts",
        source="Tschannen et al., SigLIP 2, 2025",
        usage="packages, logos and print, since it was trained with text",
    ),
}
"""By the name that ``--system`` takes."""
