"""What a folder holds that locates: ranked proposals, a detector, or a part model's parts."""

import os
import shutil
from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.locating.part_locator import PartLocator
from snapshelf.locating.whole_if_plain import WholeIfPlain
from snapshelf.whole_file import write_whole

__all__ = ["copy_locator", "locator_from_folder", "parts_from_folder"]

# Named here as well: the files' own modules import OpenCV's extra modules and torch.
LOCATOR_FILE = "locator.json"
DETECTOR_FILE = "detector.json"

FILES = {
    LOCATOR_FILE: (
        "objectness.safetensors",
        "objectness.json",
        "part_model.safetensors",
        "part_model.json",
    ),
    DETECTOR_FILE: ("detector.safetensors",),
}
"""What may lie beside each; checkpoints and logs of its training do too, and are not needed."""


def locator_from_folder(folder: Path) -> WholeIfPlain:
    """Load ranked proposals, Faster or Fast R-CNN, whichever the folder holds.

    Systems use it as it comes: pictures on a plain background stay whole.

    Args:
        folder: That `save_locator` or `save_detector` wrote into. Ranked proposals that were
            trained with a structured forest need that file, so `load_locator` alone loads them.

    Raises:
        ModelError: If it holds neither or both, or what it holds cannot be loaded.
    """
    if _kind(folder) == LOCATOR_FILE:
        from snapshelf.locating.locator_file import load_locator

        return WholeIfPlain(load_locator(folder))
    from snapshelf.locating.detector_file import load_detector
    from snapshelf.locating.detector_locator import DetectorLocator

    return WholeIfPlain(DetectorLocator(*load_detector(folder)))


def copy_locator(source: Path, target: Path) -> None:
    """Copy the files that a locator is loaded from, whole or not at all.

    What it looks for elsewhere, such as the weights of an objectness network's backbone, is not
    copied.

    Args:
        source: As `locator_from_folder` takes it. It may be the target, which stays as it is.
        target: The folder to make, in one that is there; replaced if it is there itself.

    Raises:
        ModelError: If the source holds no locator, or two.
        OSError: If a file cannot be read or written.
    """
    kind = _kind(source)
    if target.exists() and target.samefile(source):
        return
    partial = target.with_name(f"{target.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir()
    for name in (*FILES[kind], kind):
        if (source / name).is_file():
            write_whole(partial / name, (source / name).read_bytes())
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)


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


def _kind(folder: Path) -> str:
    """Give the file that says which locator a folder holds."""
    held = [name for name in FILES if os.path.isfile(folder / name)]
    if len(held) != 1:
        raise ModelError(
            f"{folder} must be the folder of a locator, with one of {LOCATOR_FILE} and "
            f"{DETECTOR_FILE}, got {' and '.join(held) or 'neither'}; train one as "
            "recipes/locating.py and recipes/detector.py in snapshelf's source repository do, and "
            "write it by snapshelf.locating.locator_file.save_locator or "
            "snapshelf.locating.detector_file.save_detector"
        )
    return held[0]
