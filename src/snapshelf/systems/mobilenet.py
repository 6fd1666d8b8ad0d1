"""`mobilenetv2`: features as ImageNet gives them, what the trained systems are measured against.

picture ──► whole picture ──► MobileNetV2 ──► pooling ──► L2-normalised, cosine
"""

from snapshelf.errors import ModelError
from snapshelf.features.mobilenet import mobilenet_v2
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.confidence import Calibration
from snapshelf.systems.system import System

__all__ = ["mobilenetv2"]

# Printed by `recipes/fit_confidence.py --system mobilenetv2 --data grocery:DIR`, on the val split.
CALIBRATION = Calibration(slope=7.2735, intercept=-5.4796, threshold=0.1149)


def mobilenetv2(pooling: str = "gap") -> System:
    """Make the system: `mobilenetv2`, or ``mobilenetv2:POOLING``.

    Its weights are a file where one is at hand, else fetched once, see `mobilenet_v2`. The two
    give different embeddings, so their fingerprints differ too.

    Args:
        pooling: A name of `POOLINGS`.

    Raises:
        ModelError: If there is no such pooling, torch is missing, or no weights can be had; says
            how to give them.
    """
    from snapshelf.features.backbone_encoder import backbone_encoder
    from snapshelf.features.pooling import POOLINGS

    if pooling not in POOLINGS:
        raise ModelError(
            f"system mobilenetv2: pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}"
        )
    network = mobilenet_v2()
    encoder = backbone_encoder(
        network.backbone,
        weights=network.weights,
        options=network.options,
        pooling=pooling,
        preprocessing=network.preprocessing,
    )
    if pooling == "gap":
        return System("mobilenetv2", WholePicture(), encoder, CALIBRATION)
    return System(f"mobilenetv2:{pooling}", WholePicture(), encoder)
