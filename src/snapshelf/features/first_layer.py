"""FC1: the first fully connected layer behind a backbone, as published where there is one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.torchvision_backbones import published_name
from snapshelf.features.weights import find_weights, load_safetensors

with torch_extra():
    import torch
    from torch import nn

__all__ = ["FIRST_LAYERS", "FirstLayer", "fill_first_layer", "weights_with_first_layer"]

TORCHVISION = "torchvision/"


@dataclass(frozen=True, slots=True)
class FirstLayer:
    """Where a network that was published with fully connected layers has the first of them.

    Attributes:
        tensor: What the names of its weight and bias begin with, in the published file.
        grid: Cells on a side of the map that it reads, flattened.
        dimension: Length of what it gives.
    """

    tensor: str
    grid: int
    dimension: int


_VGG = FirstLayer("classifier.0", 7, 4096)

FIRST_LAYERS: Mapping[str, FirstLayer] = {
    "torchvision/alexnet": FirstLayer("classifier.1", 6, 4096),
    "torchvision/vgg11": _VGG,
    "torchvision/vgg13": _VGG,
    "torchvision/vgg16": _VGG,
    "torchvision/vgg19": _VGG,
    "torchvision/vgg11_bn": _VGG,
    "torchvision/vgg13_bn": _VGG,
    "torchvision/vgg16_bn": _VGG,
    "torchvision/vgg19_bn": _VGG,
}
"""The backbones with a published FC1, by the names that `create_backbone` takes."""


def weights_with_first_layer(backbone: str, weights: str | None) -> Path | None:
    """Give the file that holds the published FC1 of a backbone.

    Args:
        backbone: A name that `create_backbone` takes.
        weights: A file, ``hub``, ``random``, or None, as in a recipe.

    Returns:
        None where the backbone has no published FC1 or shall start at random.
    """
    if backbone not in FIRST_LAYERS or weights == "random":
        return None
    if weights not in (None, "hub"):
        return Path(str(weights))
    name = published_name(backbone.removeprefix(TORCHVISION))
    return None if name is None else find_weights(f"{name}.safetensors")


def fill_first_layer(layer: nn.Linear, backbone: str, file: Path | None) -> None:
    """Give FC1 the weights that it starts from.

    With a file they are the published ones. Without, the layer passes on what it reads: unchanged
    where it is as long as that (behind a ReLU of numbers that are not negative it then gives the
    pooled features themselves), else turned by a random orthogonal matrix, which keeps angles as
    well as so many numbers can.

    Args:
        layer: Changed in place.
        backbone: A name of `FIRST_LAYERS` if there is a file.
        file: The published network, or None.

    Raises:
        ModelError: If the file cannot be read, or has no such layer of that shape.
    """
    with torch.no_grad():
        if file is None:
            if layer.in_features == layer.out_features:
                nn.init.eye_(layer.weight)
            else:
                nn.init.orthogonal_(layer.weight)
            nn.init.zeros_(layer.bias)
            return
        tensors = load_safetensors(file)
        name = FIRST_LAYERS[backbone].tensor
        for part, parameter in (("weight", layer.weight), ("bias", layer.bias)):
            given = tensors.get(f"{name}.{part}")
            if given is None or given.shape != parameter.shape:
                found = "none" if given is None else f"one of shape {tuple(given.shape)}"
                raise ModelError(
                    f"{file} does not hold the first fully connected layer of {backbone}: expected "
                    f"{name}.{part} of shape {tuple(parameter.shape)}, got {found}. Give the "
                    "network's published weights with its classifier"
                )
            parameter.copy_(given)
