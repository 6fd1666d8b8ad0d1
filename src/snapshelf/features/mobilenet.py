"""MobileNetV2 as it can be had: TensorFlow's weights from a file, else timm's from the hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.weights import find_weights

__all__ = ["MobileNet", "mobilenet_v2"]

FILE = "mobilenetv2_100_imagenet.safetensors"

# Padded, since a product is rarely square and every part of it counts. TensorFlow's network was
# trained on bilinear resizing; bicubic ranks no better (mAP@7 on grocery's val photos 0.470
# against 0.473).
TENSORFLOW = Preprocessing(
    size=(224, 224),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    fit="pad",
    interpolation="bilinear",
)
IMAGENET = Preprocessing(
    size=(224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), fit="pad"
)


@dataclass(frozen=True, slots=True)
class MobileNet:
    """What makes the network.

    Attributes:
        backbone: timm's name.
        options: Of ``timm.create_model``.
        weights: A safetensors file, or the hub.
        preprocessing: That the weights were trained for, at 224 pixels.
    """

    backbone: str
    options: dict[str, Any]
    weights: Path | Literal["hub"]
    preprocessing: Preprocessing


def mobilenet_v2() -> MobileNet:
    """Choose the weights of MobileNetV2.

    They are the file `FILE` where one is at hand (TensorFlow's, which pads as TensorFlow does and
    takes RGB scaled to [-1, 1]), else those that timm publishes for the same network. The two
    give different embeddings.
    """
    file = find_weights(FILE)
    if file is not None:
        return MobileNet("mobilenetv2_100", {"pad_type": "same"}, file, TENSORFLOW)
    return MobileNet("mobilenetv2_100.ra_in1k", {}, "hub", IMAGENET)
