"""A trained `ImageFeatureNetwork` as a file, and what ``system.json`` says of it.

Loading reads tensors and JSON, and runs no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.features.backbones import create_backbone
from snapshelf.features.described_settings import (
    LARGEST,
    check_choice,
    check_kinds,
    check_lengths,
)
from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm
from snapshelf.features.image_feature_network import PYRAMIDS, ImageFeatureNetwork, Pyramid
from snapshelf.features.network_weights import load_network_weights, write_network_weights
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    from torch import nn

__all__ = [
    "IMAGE_FILE",
    "ImageFeatureDescription",
    "load_image_network",
    "save_image_network",
]

IMAGE_FILE = "image.safetensors"


MOST_CELLS = 64
"""On a side of a grid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFeatureDescription:
    """Everything besides weights that makes the network, as ``system.json`` holds it.

    Attributes:
        backbone: A name that `create_backbone` takes; the paper's is VGG16,
            ``torchvision/vgg16`` or ``vgg16.tv_in1k``.
        options: Its keyword arguments, as JSON can hold them.
        grids: Cells on a side of each grid of the pyramid.
        pyramid: One of `PYRAMIDS`.
        dense: Lengths of the dense layers.
        least_side: What a shorter side of a region is stretched to, in pixels.
        batch_norm: What became of the batch norms in training.
        preprocessing: How pictures become inputs of the size that was trained on.
    """

    backbone: str
    options: Mapping[str, Any] = field(default_factory=dict)
    grids: tuple[int, ...] = (6, 3, 2, 1)
    pyramid: Pyramid = "max"
    dense: tuple[int, ...] = (4096, 4096)
    least_side: int = 32
    batch_norm: BatchNorm = "fold"
    preprocessing: Preprocessing

    def build(
        self, backbone: nn.Module | None = None, *, dropout: float = 0.5
    ) -> ImageFeatureNetwork:
        """Make the network with random weights.

        Args:
            backbone: One to build on, with its own weights; None for a new one.
            dropout: In [0, 1), in training.

        Raises:
            ModelError: If the backbone is unknown or does not take the inputs.
        """
        return ImageFeatureNetwork(
            create_backbone(self.backbone, self.options) if backbone is None else backbone,
            size=self.preprocessing.size,
            grids=self.grids,
            pyramid=self.pyramid,
            dense=self.dense,
            dropout=dropout,
            least_side=self.least_side,
            batch_norm=self.batch_norm,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return {
            "backbone": self.backbone,
            "options": dict(self.options),
            "grids": list(self.grids),
            "pyramid": self.pyramid,
            "dense": list(self.dense),
            "least_side": self.least_side,
            "batch_norm": self.batch_norm,
            "preprocessing": self.preprocessing.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], file: Path) -> "ImageFeatureDescription":
        """Read back what `to_dict` gave.

        Args:
            values: As read from JSON.
            file: Where they come from, for the errors.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        check_kinds(file, values, KINDS)
        for name, most in (("grids", MOST_CELLS), ("dense", LARGEST)):
            numbers = values[name]
            if not numbers or not all(type(each) is int and 1 <= each <= most for each in numbers):
                raise ModelError(
                    f"{file}: {name} must be at least one whole number in [1, {most}], got "
                    f"{str(numbers)[:80]}"
                )
        check_lengths(file, values, "least_side")
        check_choice(file, values, "batch_norm", BATCH_NORMS)
        check_choice(file, values, "pyramid", PYRAMIDS)
        return cls(
            **{name: values[name] for name in PLAIN},
            grids=tuple(values["grids"]),
            dense=tuple(values["dense"]),
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
        )


KINDS: Mapping[str, type] = {
    "backbone": str,
    "options": dict,
    "grids": list,
    "pyramid": str,
    "dense": list,
    "least_side": int,
    "batch_norm": str,
    "preprocessing": dict,
}
PLAIN = ("backbone", "options", "pyramid", "least_side", "batch_norm")


def save_image_network(folder: Path, network: ImageFeatureNetwork) -> None:
    """Write the network; whole or not at all.

    Args:
        folder: There already.
        network: Its weights are written.
    """
    write_network_weights(folder / IMAGE_FILE, network)


def load_image_network(folder: Path, description: ImageFeatureDescription) -> ImageFeatureNetwork:
    """Read the network.

    Args:
        folder: Where its file lies.
        description: Of the network.

    Returns:
        The network in evaluation mode.

    Raises:
        ModelError: If the file is missing, damaged, or not of such a network, or none can be
            made of the description.
    """
    return load_network_weights(folder / IMAGE_FILE, description.build, folder / "system.json")
