"""`gist`: the hand-crafted baseline of *Cross-Domain Shoe Retrieval*, Table I.

picture ──► whole picture ──► GIST ──► L2-normalised, cosine
"""

from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.system import System

__all__ = ["gist"]


def gist() -> System:
    """Make the system; it needs no training, no weights and no PyTorch."""
    from snapshelf.features.classical.gist_encoder import GistEncoder

    return System("gist", WholePicture(), GistEncoder())
