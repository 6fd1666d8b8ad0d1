"""What finds the regions and parts of `three-level`: named by a recipe, kept in its folder."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.locating.whole_picture import WholePicture

if TYPE_CHECKING:
    from snapshelf.locating.locator import Locator
    from snapshelf.locating.part_locator import PartLocator
    from snapshelf.training.three_level_settings import ThreeLevelSettings

__all__ = [
    "chosen_locator",
    "chosen_parts",
    "keep_locator",
    "keep_parts",
    "kept_locator",
    "kept_parts",
]

LOCATOR_FOLDER = "locator"
PARTS_FOLDER = "part-model"


def chosen_locator(settings: "ThreeLevelSettings") -> "Locator":
    """Give what finds the regions by a recipe; pictures on a plain background stay whole.

    Raises:
        ModelError: If the recipe's folder holds no locator.
    """
    if settings.locator is None:
        return WholePicture()
    return _locator(Path(settings.locator))


def chosen_parts(settings: "ThreeLevelSettings") -> "PartLocator":
    """Give what finds the parts by a recipe.

    Raises:
        ModelError: If the recipe's folder holds no part model.
    """
    if settings.part_model is None:
        return settings.parts
    return _parts(Path(settings.part_model))


def keep_locator(settings: "ThreeLevelSettings", out: Path) -> None:
    """Copy the recipe's locator, if it names one, into the folder of a system."""
    if settings.locator is not None:
        from snapshelf.locating.locator_folder import copy_locator

        copy_locator(Path(settings.locator), out / LOCATOR_FOLDER)


def keep_parts(settings: "ThreeLevelSettings", out: Path) -> None:
    """Copy the recipe's part model, if it names one, into the folder of a system."""
    if settings.part_model is not None:
        from snapshelf.locating.part_model_file import load_part_model, save_part_model

        save_part_model(out / PARTS_FOLDER, load_part_model(Path(settings.part_model)))


def kept_locator(folder: Path) -> "Locator":
    """Give the locator that `keep_locator` copied; the whole picture where it copied none.

    Raises:
        ModelError: If it cannot be loaded.
    """
    place = folder / LOCATOR_FOLDER
    return _locator(place) if os.path.isdir(place) else WholePicture()


def kept_parts(folder: Path) -> "PartLocator | None":
    """Give the parts that `keep_parts` copied; None where it copied none.

    Raises:
        ModelError: If they cannot be loaded.
    """
    place = folder / PARTS_FOLDER
    return _parts(place) if os.path.isdir(place) else None


def _locator(folder: Path) -> "Locator":
    from snapshelf.locating.locator_folder import locator_from_folder

    return locator_from_folder(folder)


def _parts(folder: Path) -> "PartLocator":
    from snapshelf.locating.locator_folder import parts_from_folder

    return parts_from_folder(folder)
