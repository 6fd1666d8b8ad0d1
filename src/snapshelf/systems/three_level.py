"""`three-level`: a picture's whole, best region and parts, by attribute-guided networks (SAG-CNN).

Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation.

          level 1: whole picture ──► Conv5 pyramid + FC1 ────────────┐
picture ──level 2: best region   ──► Conv5 pyramid + FC1 ────────────┼─► joined ─► PCA ─► cosine
          level 3: parts         ──► FC1 of each, joined ──► PCA ────┘
          (a network for the street side and one for the shop side; there level 2 is the whole)

train     street photos ──► SAG-CNN of the street side: predicts attributes ─┐
          shop pictures ──► SAG-CNN of the shop side: predicts attributes  ──┴─► levels ─► PCAs
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.systems.system import System
from snapshelf.systems.three_level_finishing import finish_three_level, write_pretrained_fc1
from snapshelf.systems.three_level_loading import load_written, three_level_from_folder
from snapshelf.systems.three_level_locating import chosen_parts
from snapshelf.systems.three_level_networks import start_network, train_networks

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.locating.locator import Locator
    from snapshelf.locating.part_locator import PartLocator
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.three_level_settings import ThreeLevelSettings

__all__ = [
    "finish_three_level",
    "start_network",
    "three_level_from_folder",
    "train_networks",
    "train_three_level",
    "write_pretrained_fc1",
]


def train_three_level(
    data: Sequence["TrainingData"],
    settings: "ThreeLevelSettings",
    out: Path,
    *,
    resume: bool = False,
    monitor: "Monitor | None" = None,
    locator: "Locator | None" = None,
    parts: "PartLocator | None" = None,
) -> System:
    """Train both networks and fit the projections, or go on where a training was cut off.

    The stages follow one another: the street side's network, the shop side's, the projections. A
    network that is done is a file in the folder, ``street.safetensors`` or ``shop.safetensors``;
    a stage whose file is there is not done again, and one whose file is taken away is, with
    what it left in the folder ``street`` or ``shop``.

    Args:
        data: The data sets, each of another name.
        settings: The recipe.
        out: The folder of the training and of the system.
        resume: Whether to go on with what is in the folder. A finished training is left as it is.
        monitor: Hears how it goes, and can ask to stop.
        locator: Finds the regions of level 2, in place of the recipe's. The folder then does not
            hold it, and `three_level_from_folder` has to be given it again.
        parts: Finds the parts of level 3, likewise.

    Returns:
        The trained system.

    Raises:
        DatasetError: If a data set is not in its published layout, or there are no backgrounds.
        ModelError: If the backbone or its weights cannot be had.
        TrainingError: If the data or folder cannot be used, or training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.training_folder import is_finished

    monitor = monitor or Monitor()
    if parts is None:
        chosen_parts(settings)  # what cannot be loaded is refused before hours of training
    train_networks(data, settings, out, resume=resume, monitor=monitor, locator=locator)
    if is_finished(out):
        return load_written(out, locator, parts)
    return finish_three_level(
        data, settings, out, out, monitor=monitor, locator=locator, parts=parts
    )
