"""Descriptors computed without a network and without torch."""

from snapshelf.features.classical.colour_gradient import ColourGradientEncoder

__all__ = ["ColourGradientEncoder"]
