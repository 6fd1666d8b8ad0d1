"""Systems by name or folder."""

import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from snapshelf.errors import ModelError
from snapshelf.systems.asymnet_loading import asymnet_from_folder
from snapshelf.systems.backbone import backbone_from_folder, backbone_from_name
from snapshelf.systems.classical import classical
from snapshelf.systems.codebook import fisher_from_folder, vlad_from_folder
from snapshelf.systems.corrected import corrected_from_folder
from snapshelf.systems.fashion_dna import fashion_dna_from_folder
from snapshelf.systems.folder_settings import read_kind
from snapshelf.systems.gist import gist
from snapshelf.systems.hybrid import hybrid, hybrid_from_folder
from snapshelf.systems.located import located_from_folder
from snapshelf.systems.metric import metric_from_folder
from snapshelf.systems.mobilenet import mobilenetv2
from snapshelf.systems.onnx import onnx_from_folder
from snapshelf.systems.presets import preset
from snapshelf.systems.shipped import shipped
from snapshelf.systems.studio2shop_loading import studio2shop_from_folder
from snapshelf.systems.system import System
from snapshelf.systems.three_level import three_level_from_folder
from snapshelf.systems.trainable import TRAINABLE, TRAINED_ON_CLIPS
from snapshelf.systems.trained_network import network_from_folder
from snapshelf.systems.whitened import whitened_from_folder

__all__ = ["FOLDER_SYSTEMS", "SYSTEMS", "load_system", "models_folder"]

SYSTEMS: Mapping[str, Callable[[], System]] = {
    "standard": partial(shipped, "standard"),
    "compact": partial(shipped, "compact"),
    "classical": classical,
    "gist": gist,
    "mobilenetv2": mobilenetv2,
    "hybrid": partial(hybrid, "hybrid"),
    "dinov2": partial(preset, "dinov2"),
    "dinov3": partial(preset, "dinov3"),
    "siglip2": partial(preset, "siglip2"),
}
"""Systems that come with the package, by name."""

FOLDER_SYSTEMS: Mapping[str, Callable[[Path, Mapping[str, Any]], System]] = {
    "asymnet": asymnet_from_folder,
    "compact": network_from_folder,
    "corrected": corrected_from_folder,
    "fashion-dna": fashion_dna_from_folder,
    "fisher": fisher_from_folder,
    "hybrid": hybrid_from_folder,
    "located": located_from_folder,
    "metric": metric_from_folder,
    "mtv": network_from_folder,
    "onnx": onnx_from_folder,
    "studio2shop": studio2shop_from_folder,
    "three-level": three_level_from_folder,
    "timm": backbone_from_folder,
    "vlad": vlad_from_folder,
    "whitened": whitened_from_folder,
}
"""What a folder's ``system.json`` can name as its ``system``."""

_loading: ContextVar[tuple[Path, ...]] = ContextVar("loading", default=())
"""Folders whose systems are being loaded, each the base of the one before it."""


def models_folder() -> Path:
    """Give the user's own folder of systems, in which names are looked up."""
    return user_data_path("snapshelf", appauthor=False) / "models"


def load_system(name_or_dir: str | Path) -> System:
    """Load a system.

    Args:
        name_or_dir: A name of `SYSTEMS`, ``mobilenetv2:POOLING``, ``timm/BACKBONE[:POOLING]``,
            ``torchvision/BACKBONE[:POOLING]``, ``hybrid/SYSTEM``, a folder with a
            ``system.json``, or the name of such a folder in `models_folder`.

    Raises:
        ModelError: If it is none of these, or cannot be loaded.
    """
    name = str(name_or_dir)
    if name in SYSTEMS:
        return SYSTEMS[name]()
    if name.startswith(("timm/", "torchvision/")):
        return backbone_from_name(name)
    if name.startswith("hybrid/"):
        return hybrid(name)
    if name.startswith("mobilenetv2:"):
        return mobilenetv2(name.removeprefix("mobilenetv2:"))
    for folder in (Path(name_or_dir), models_folder() / name):
        if os.path.isfile(folder / "system.json"):  # False, not an error, for any odd name
            # A shelf notes the name, and is opened from other folders too.
            return _from_folder(folder.resolve())
    if os.path.isdir(name_or_dir):
        raise ModelError(f"{name} is no system: it holds no system.json")
    if name in TRAINABLE:
        data = "clips:NAME:DIR" if name in TRAINED_ON_CLIPS else "NAME:DIR"
        raise ModelError(
            f"there is no trained system {name!r} in {models_folder()}: train it with "
            f"`snapshelf train {name} --data {data} --out {models_folder() / name}`, or give the "
            "folder of a trained one"
        )
    raise ModelError(
        f"there is no system {name!r}: choose from {', '.join(SYSTEMS)}, timm/BACKBONE, "
        "torchvision/BACKBONE, hybrid/SYSTEM, or a folder with a system.json (also looked in "
        f"{models_folder()}; `snapshelf train` makes one of {', '.join(TRAINABLE)})"
    )


def _from_folder(folder: Path) -> System:
    file = folder / "system.json"
    chain = (*_loading.get(), folder)
    if folder in chain[:-1]:
        raise ModelError(
            f"{file}: its base leads back to itself, by {' and '.join(str(one) for one in chain)}; "
            "give one of them another base"
        )
    kind, settings = read_kind(file)
    if not isinstance(kind, str) or kind not in FOLDER_SYSTEMS:
        raise ModelError(
            f"{file}: 'system' must be one of {', '.join(FOLDER_SYSTEMS)}, got {kind!r}"
        )
    token = _loading.set(chain)
    try:
        return FOLDER_SYSTEMS[kind](folder, settings)
    finally:
        _loading.reset(token)
