"""The last stage of a training of `three-level`: the projections, and the system's folder."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.features.encoder import Domain
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.system import System
from snapshelf.systems.three_level_loading import (
    NAME,
    load_networks,
    load_written,
    put_together,
    write_three_level,
)
from snapshelf.systems.three_level_locating import (
    chosen_locator,
    chosen_parts,
    keep_locator,
    keep_parts,
)
from snapshelf.systems.three_level_networks import start_network

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.locating.locator import Locator
    from snapshelf.locating.part_locator import PartLocator
    from snapshelf.remembered import Remembered
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.three_level_settings import ThreeLevelSettings

__all__ = [
    "finish_three_level",
    "write_pretrained_fc1",
]


def finish_three_level(
    data: Sequence["TrainingData"],
    settings: "ThreeLevelSettings",
    networks: Path,
    out: Path,
    *,
    monitor: "Monitor",
    locator: "Locator | None" = None,
    parts: "PartLocator | None" = None,
    remembered: "Remembered | None" = None,
) -> System:
    """Fit the projections to trained networks, and write the system.

    Args:
        data: As `train_three_level`.
        settings: The recipe that the networks were trained with; how the levels are put together
            may differ.
        networks: The folder that `train_networks` wrote.
        out: The folder of the system; the networks' files are put there too.
        monitor: Hears how it goes, and can ask to stop.
        locator: Finds the regions of level 2, in place of the recipe's.
        parts: Finds the parts of level 3, in place of the recipe's.
        remembered: Where descriptions of patches are kept, over systems of the same networks.

    Returns:
        The system.

    Raises:
        Exception: As `train_three_level`.
    """
    from snapshelf.features.three_level_folder import (
        NETWORK_FILES,
        PARTS_FILE,
        PROJECTION_FILE,
        network_digest,
    )
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.level_projections import (
        choose_pictures,
        describe_levels,
        fit_level_projections,
    )
    from snapshelf.training.preparation import training_record
    from snapshelf.training.training_set import TrainingSet

    training_set = TrainingSet.collect(data, mattes=False)
    table = AttributeTable.from_items(training_set.items, settings.attributes or None)
    _, description = start_network(settings, table)
    out.mkdir(exist_ok=True)
    if out != networks:
        for name in NETWORK_FILES.values():
            _place(networks / name, out / name)
    if locator is None:
        keep_locator(settings, out)
        locator = chosen_locator(settings)
    if parts is None:
        keep_parts(settings, out)
        parts = chosen_parts(settings)
    notes = training_record(NAME, settings, training_set)
    if settings.projected:
        digest = network_digest(out, description)
        sides = load_networks(out, description)
        encoder = put_together(sides, digest, description, locator, parts, remembered=remembered)
        monitor.note("the projections of the levels")
        blocks = {
            domain: describe_levels(
                encoder,
                choose_pictures(
                    training_set, domain, most=settings.projection_pictures, seed=settings.seed
                ),
                domain,
                monitor,
            )
            for domain in Domain
        }
        short, projection = fit_level_projections(
            blocks[Domain.STREET],
            blocks[Domain.SHOP],
            settings.levels,
            parts_dimension=settings.parts_dimension,
            dimension=settings.dimension,
        )
        reached = projection.projection.shape[1]
        if reached < settings.dimension:
            monitor.note(f"the pictures vary in {reached} directions: embeddings have that many")
        if short is not None:
            short.save(out / PARTS_FILE, f"{digest} parts")
        projection.save(out / PROJECTION_FILE, f"{digest} levels")
    write_three_level(out, description, locator, parts, notes)
    return load_written(out, locator, parts, remembered)


def write_pretrained_fc1(settings: "ThreeLevelSettings", out: Path) -> System:
    """Write a system of FC1 of the backbone as it was before any training here.

    Table I: "Deep feature (FC1) of Pre-trained CNN", whole pictures on both sides, no PCA.

    Args:
        settings: Gives the backbone, its weights, the inputs and FC1's length.
        out: A folder that does not exist or is empty; its parent is there.

    Returns:
        The system.

    Raises:
        ModelError: If the backbone or its weights cannot be had.
    """
    from snapshelf.features.level_weights import LevelWeights
    from snapshelf.features.three_level_folder import NETWORK_FILES, save_network_of
    from snapshelf.training.attributes import AttributeTable

    network, description = start_network(settings, AttributeTable((), (), ()))
    weights = LevelWeights(region=0.0, parts=0.0, conv5=False)
    out.mkdir(exist_ok=True)
    save_network_of(Domain.STREET, out, network)
    _place(out / NETWORK_FILES[Domain.STREET], out / NETWORK_FILES[Domain.SHOP])
    described = replace(description, weights=weights, projected=False)
    write_three_level(out, described, WholePicture(), settings.parts, {})
    return load_written(out)


def _place(source: Path, target: Path) -> None:
    """Put a file beside others, without a copy where the file system can."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
