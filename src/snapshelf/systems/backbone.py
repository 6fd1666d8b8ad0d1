"""`timm/NAME` and `torchvision/NAME`: any backbone as a system, and the same from a folder.

picture ──► whole picture ──► backbone ──► pooling ──► L2-normalised, cosine
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.system import System

__all__ = ["backbone_from_folder", "backbone_from_name"]

FIELDS = {
    "system": str,
    "backbone": str,
    "options": dict,
    "weights": str,
    "pooling": str,
    "preprocessing": dict,
}


def backbone_from_name(name: str) -> System:
    """Make a system from ``timm/BACKBONE[:POOLING]``, with the published weights.

    ``torchvision/BACKBONE[:POOLING]`` gives one of torchvision's.

    Raises:
        ModelError: If the backbone or pooling is unknown or the weights cannot be had.
    """
    backbone, _, pooling = name.removeprefix("timm/").partition(":")
    return _system(name, backbone, weights="hub", pooling=pooling or "gap")


def backbone_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make a system from the settings in a folder's ``system.json``.

    Args:
        folder: Where the weights file lies.
        settings: ``backbone`` (a name of timm's, or ``torchvision/NAME``), ``weights`` (a
            safetensors file in the folder, or "hub"), and optionally ``options``, ``pooling`` and
            ``preprocessing``.

    Raises:
        ModelError: If a setting is missing, unknown or of the wrong type.
    """
    file = folder / "system.json"
    for name, value in settings.items():
        if name not in FIELDS:
            raise ModelError(f"{file}: unknown setting {name!r}; expected {', '.join(FIELDS)}")
        if not isinstance(value, FIELDS[name]):
            raise ModelError(f"{file}: {name} must be a {FIELDS[name].__name__}, got {value!r}")
    if "backbone" not in settings:
        raise ModelError(f"{file}: the setting 'backbone' is missing; give a name of timm's")
    weights = settings.get("weights", "hub")
    if weights in ("", "..") or Path(weights).name != weights:
        raise ModelError(f"{file}: weights must be 'hub' or a file in this folder, got {weights!r}")
    preprocessing = settings.get("preprocessing")
    return _system(
        str(folder),
        settings["backbone"],
        weights="hub" if weights == "hub" else folder / weights,
        pooling=settings.get("pooling", "gap"),
        options=settings.get("options"),
        preprocessing=None if preprocessing is None else Preprocessing.from_dict(preprocessing),
    )


def _system(
    name: str,
    backbone: str,
    *,
    weights: Any,
    pooling: str,
    options: Mapping[str, Any] | None = None,
    preprocessing: Preprocessing | None = None,
) -> System:
    from snapshelf.features.backbone_encoder import backbone_encoder
    from snapshelf.features.pooling import POOLINGS

    if pooling not in POOLINGS:  # told before any weights are fetched
        names = ", ".join(POOLINGS)
        raise ModelError(f"system {name}: pooling must be one of {names}, got {pooling!r}")
    try:
        encoder = backbone_encoder(
            backbone,
            weights=weights,
            options=options,
            pooling=pooling,
            preprocessing=preprocessing,
        )
    except ValueError as error:
        raise ModelError(f"system {name}: {error}") from error
    return System(name, WholePicture(), encoder)
