"""`classical`: colour and gradient histograms; needs no weights and no PyTorch.

picture ──► whole picture ──► colour + gradient histograms ──► L2-normalised, cosine
"""

from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.confidence import Calibration
from snapshelf.systems.system import System

__all__ = ["classical"]

# Printed by `recipes/fit_confidence.py --system classical --data demo:demo/shop`, on the val split
# of the generated shop.
CALIBRATION = Calibration(slope=17.2857, intercept=-15.3413, threshold=0.0652)


def classical() -> System:
    """Make the system for machines without weights; the demo uses it."""
    from snapshelf.features.classical.colour_gradient import ColourGradientEncoder

    return System("classical", WholePicture(), ColourGradientEncoder(), CALIBRATION)
