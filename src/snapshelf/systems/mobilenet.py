"""`mobilenetv2`: features as ImageNet gives them, what the trained systems are measured against.

picture ──► whole picture ──► MobileNetV2 ──► global average pooling ──► L2-normalised, cosine
"""

from snapshelf.features.mobilenet import mobilenet_v2
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.confidence import Calibration
from snapshelf.systems.system import System

__all__ = ["mobilenetv2"]

# Printed by `recipes/fit_confidence.py --system mobilenetv2 --data grocery:DIR`, on the val split.
CALIBRATION = Calibration(slope=7.2735, intercept=-5.4796, threshold=0.1149)


def mobilenetv2() -> System:
    """Make the system.

    Its weights are a file where one is at hand, else fetched once, see `mobilenet_v2`. The two
    give different embeddings, so their fingerprints differ too.

    Raises:
        ModelError: If torch is missing, or no weights can be had; says how to give them.
    """
    from snapshelf.features.backbone_encoder import backbone_encoder

    network = mobilenet_v2()
    encoder = backbone_encoder(
        network.backbone,
        weights=network.weights,
        options=network.options,
        preprocessing=network.preprocessing,
    )
    return System("mobilenetv2", WholePicture(), encoder, CALIBRATION)
