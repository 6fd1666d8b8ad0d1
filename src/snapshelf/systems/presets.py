"""`siglip2`, `dinov3`, `dinov2`: published networks as systems, their weights fetched once.

picture ──► whole picture ──► transformer ──► its own pooling ──► L2-normalised, cosine
"""

from snapshelf.errors import ModelError
from snapshelf.features.presets import PRESETS
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.system import System

__all__ = ["preset"]


def preset(name: str) -> System:
    """Make the system of a preset.

    Args:
        name: A name of `PRESETS`.

    Raises:
        ModelError: If there is no such preset, torch is missing, or the weights cannot be had;
            names the file that is wanted and how to give it.
    """
    if name not in PRESETS:
        raise ModelError(f"there is no preset {name!r}, choose one of {', '.join(PRESETS)}")
    chosen = PRESETS[name]
    from snapshelf.features.head_encoder import head_encoder

    encoder = head_encoder(chosen.model, options=chosen.options, size=chosen.size)
    return System(name, WholePicture(), encoder)
