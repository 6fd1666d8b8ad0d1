"""`standard`: the default system.

picture ──► whole picture ──► MobileNetV2 ──► global average pooling ──► L2-normalised, cosine
"""

from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.weights import find_weights
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.confidence import Calibration
from snapshelf.systems.system import System

__all__ = ["standard"]

WEIGHTS = "mobilenetv2_100_imagenet.safetensors"

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

# Printed by `recipes/fit_confidence.py --system standard --data grocery:DIR`, on the val split.
CALIBRATION = Calibration(slope=7.2735, intercept=-5.4796, threshold=0.1149)


def standard() -> System:
    """Make the default system.

    The weights are the file `WEIGHTS` where one is at hand (TensorFlow's MobileNetV2, which
    pads as TensorFlow does and takes RGB scaled to [-1, 1]), else those that timm publishes
    for the same network, fetched once. The two give different embeddings, so their
    fingerprints differ too.

    Raises:
        ModelError: If torch is missing, or no weights can be had; says how to give them.
    """
    from snapshelf.features.backbone_encoder import backbone_encoder

    file = find_weights(WEIGHTS)
    if file is not None:
        encoder = backbone_encoder(
            "mobilenetv2_100",
            weights=file,
            options={"pad_type": "same"},
            preprocessing=TENSORFLOW,
        )
    else:
        encoder = backbone_encoder(
            "mobilenetv2_100.ra_in1k",
            weights="hub",
            preprocessing=IMAGENET,
        )
    return System("standard", WholePicture(), encoder, CALIBRATION)
