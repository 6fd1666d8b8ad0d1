"""Pooling: a feature map to one vector per picture."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from snapshelf.features.regional_pooling import r_mac, ra_mac

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["POOLINGS", "gap", "gem", "mac"]


def gap(features: "Tensor") -> "Tensor":
    """Average each channel over the map (global average pooling).

    `POOLINGS` has it as ``spoc`` too: SPoC is a sum over the map, which eq. 2 of Tang, Huang, Fuh:
    Cross-Domain Beauty and Personal Care Product Retrieval, takes as the average.

    Args:
        features: (B, C, H, W) float, H and W at least 1.

    Returns:
        (B, C) float.
    """
    return features.mean(dim=(2, 3))


def mac(features: "Tensor") -> "Tensor":
    """Take each channel's largest activation over the map (MAC).

    Args:
        features: (B, C, H, W) float, H and W at least 1.

    Returns:
        (B, C) float.
    """
    return features.amax(dim=(2, 3))


def gem(features: "Tensor", p: float = 3.0, floor: float = 1e-6) -> "Tensor":
    """Take each channel's generalised mean, ``mean(max(x, floor) ** p) ** (1 / p)``.

    Radenovic, Tolias, Chum: Fine-tuning CNN Image Retrieval with No Human Annotation, eq. 3.
    It lies between `gap` (p = 1) and `mac` (p to infinity) for activations that are not
    negative; a negative activation counts as `floor`.

    Args:
        features: (B, C, H, W) float, H and W at least 1.
        p: Above 0.
        floor: Above 0, so that roots and gradients stay finite.

    Returns:
        (B, C) float, at least `floor`.

    Raises:
        ValueError: If p or floor is not above 0.
    """
    if p <= 0 or floor <= 0:
        raise ValueError(f"p and floor must be above 0, got p={p}, floor={floor}")
    return features.clamp(min=floor).pow(p).mean(dim=(2, 3)).pow(1 / p)


POOLINGS: Mapping[str, "Callable[[Tensor], Tensor]"] = {
    "gap": gap,
    "gem": gem,
    "mac": mac,
    "r-mac": r_mac,
    "ra-mac": ra_mac,
    "spoc": gap,
}
