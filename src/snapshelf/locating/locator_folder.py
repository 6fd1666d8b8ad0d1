"""What a folder holds that locates: ranked proposals, a detector, or a part model's parts."""

import os
from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.locating.locator import Locator
from snapshelf.locating.part_locator import PartLocator

__all__ = ["locator_from_folder", "parts_from_folder"]

# Named here as well: the files' own modules import OpenCV's extra modules and torch.
LOCATOR_FILE = "locator.json"
DETECTOR_FILE = "detector.json"


def locator_from_folder(folder: Path) -> Locator:
    """Load ranked proposals or Faster R-CNN, whichever the folder holds.

    Args:
        folder: That `save_locator` or `save_detector` wrote into. Ranked proposals that were
            trained with a structured forest need that file, so `load_locator` alone loads them.

    Raises:
        ModelError: If it holds neither or both, or what it holds cannot be loaded.
    """
    held = [name for name in (LOCATOR_FILE, DETECTOR_FILE) if os.path.isfile(folder / name)]
    if len(held) != 1:
        raise ModelError(
            f"{folder} must be the folder of a locator, with one of {LOCATOR_FILE} and "
            f"{DETECTOR_FILE}, got {' and '.join(held) or 'neither'}; train one by "
            "recipes/locating.py or recipes/detector.py"
        )
    if held == [LOCATOR_FILE]:
        from snapshelf.locating.locator_file import load_locator

        return load_locator(folder)
    from snapshelf.locating.detector_file import load_detector
    from snapshelf.locating.detector_locator import DetectorLocator

    return DetectorLocator(*load_detector(folder))


def parts_from_folder(folder: Path) -> PartLocator:
    """Load a part model, to find the parts of items.

    Args:
        folder: That `save_part_model` wrote into; that of ranked proposals with a part model is
            one too.

    Raises:
        ModelError: If it holds no part model, or its components differ in their number of parts.
    """
    from snapshelf.locating.part_model_file import load_part_model
    from snapshelf.locating.part_model_parts import PartModelParts

    try:
        return PartModelParts(load_part_model(folder))
    except ValueError as error:
        raise ModelError(f"{folder}: {error}; train another part model") from error
