"""The systems in the tables of `three-level`: one training of networks for many rows."""

import dataclasses
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snapshelf.datasets.training_item import TrainingData
from snapshelf.evaluation.kept_ranks import digest_of, training_digest
from snapshelf.features.classical.codebook_settings import FisherSettings
from snapshelf.features.weights import file_digest
from snapshelf.locating.grid_parts import GridParts
from snapshelf.locating.part_locator import PartLocator
from snapshelf.locating.remembering import RememberingLocator, RememberingParts
from snapshelf.remembered import Remembered
from snapshelf.systems.system import System
from snapshelf.systems.three_level_locating import (
    chosen_locator,
    chosen_parts,
    keep_locator,
    keep_parts,
)
from snapshelf.training.metric_settings import MetricSettings
from snapshelf.training.monitor import Monitor
from snapshelf.training.settings import settings_to_dict
from snapshelf.training.three_level_settings import ThreeLevelSettings

__all__ = ["OF_LEVELS", "ThreeLevelVariants", "contents_of"]

OF_LEVELS = (
    *("levels", "parts", "part_model", "projected", "parts_dimension", "dimension"),
    "projection_pictures",
)
"""Settings that the networks do not depend on."""


class ThreeLevelVariants:
    """Makes each row; the networks of a seed are trained by the first that needs them.

    The rows of a seed differ in what they leave out: each patch is located and described once.

    Args:
        data: What is trained on.
        settings: The recipe of the whole; those of a row may differ in the levels and the seed.
        folder: Of the networks.

    Raises:
        ModelError: If the recipe's locator or part model cannot be loaded.
    """

    def __init__(
        self, data: Sequence[TrainingData], settings: ThreeLevelSettings, folder: Path
    ) -> None:
        self._data, self._folder = data, folder
        self._locator = RememberingLocator(chosen_locator(settings))
        self._parts = _remembering(chosen_parts(settings))
        self._contents = contents_of(settings)
        self._digest: str | None = None
        self._memory: tuple[Path, Remembered] | None = None

    def close(self) -> None:
        """Forget the descriptions of patches."""
        if self._memory is not None:
            file, remembered = self._memory
            remembered.close()
            file.unlink(missing_ok=True)
            self._memory = None

    def make(
        self, name: str, settings: ThreeLevelSettings, folder: Path, monitor: Monitor
    ) -> System:
        """Make the system of a row, or load the one that the folder holds.

        Args:
            name: What is made.
            settings: As that row has them.
            folder: Of the system.
            monitor: Hears how it goes, and can ask to stop.

        Raises:
            Exception: As the trainings of the systems.
        """
        if name == "gist":
            return System.load("gist")
        if (folder / "system.json").is_file():
            return System.load(folder)
        if name == "fisher":
            return self._learn_codebook(settings.seed, folder, monitor)
        if name == "pretrained-fc1":
            return _pretrained(settings, folder)
        if name == "metric":
            return self._learn_metric(settings, folder, monitor)
        return self._put_together(settings, folder, monitor)

    def _learn_codebook(self, seed: int, folder: Path, monitor: Monitor) -> System:
        from snapshelf.systems.codebook import train_fisher

        partial = _fresh(folder)
        train_fisher(self._data, FisherSettings(seed=seed), partial, monitor=monitor)
        partial.rename(folder)
        return System.load(folder)

    def _learn_metric(self, settings: ThreeLevelSettings, folder: Path, monitor: Monitor) -> System:
        from snapshelf.systems.metric import train_metric

        base = folder.with_name("features")
        _pretrained(settings, base)
        own = MetricSettings(base=str(base), seed=settings.seed)
        return train_metric(self._data, own, folder, resume=True, monitor=monitor)

    def _put_together(self, settings: ThreeLevelSettings, folder: Path, monitor: Monitor) -> System:
        from snapshelf.systems.three_level import finish_three_level, train_networks
        from snapshelf.systems.three_level_loading import load_written

        # Nobody goes back to an earlier epoch of these, levels make no other networks, and the
        # locator is given.
        plain = dataclasses.replace(
            ThreeLevelSettings(),
            **{
                field.name: getattr(settings, field.name)
                for field in dataclasses.fields(settings)
                if field.name not in (*OF_LEVELS, "locator", "keep_checkpoints")
            },
            keep_checkpoints=0,
        )
        if self._digest is None:
            self._digest = training_digest(self._data)
        values = settings_to_dict(plain) | self._contents | {"data": self._digest}
        for name in ("num_workers", "picture_memory_mb", "part_model"):
            del values[name]
        networks = self._folder / f"seed-{settings.seed}-{digest_of(values)}"
        self._folder.mkdir(exist_ok=True)
        train_networks(
            self._data,
            plain,
            networks,
            resume=True,
            monitor=monitor,
            locator=self._locator,
        )
        partial = _fresh(folder)
        remembered = self._remembered(networks.with_suffix(".sqlite"))
        finish_three_level(
            self._data,
            settings,
            networks,
            partial,
            monitor=monitor,
            locator=self._locator,
            parts=self._parts,
            remembered=remembered,
        )
        keep_locator(settings, partial)
        keep_parts(settings, partial)
        partial.rename(folder)
        return load_written(folder, self._locator, self._parts, remembered)

    def _remembered(self, file: Path) -> Remembered:
        """Give the memory of one seed's networks; that of the last one is forgotten."""
        if self._memory is None or self._memory[0] != file:
            self.close()
            self._memory = file, Remembered(file)
        return self._memory[1]


def contents_of(settings: ThreeLevelSettings) -> dict[str, Any]:
    """Tell what lies in the files and folders that a recipe names, where it names any."""
    from snapshelf.training.preparation import backbone_file

    file = backbone_file(settings)
    contents = {} if file is None else {"weights": file_digest(file)}
    if settings.locator is not None:
        contents["locator"] = chosen_locator(settings).fingerprint
    if settings.part_model is not None:
        contents["part_model"] = chosen_parts(settings).fingerprint
    return contents


def _remembering(parts: PartLocator) -> PartLocator:
    """A grid is quicker worked out than remembered, and ``system.json`` tells of it."""
    return parts if isinstance(parts, GridParts) else RememberingParts(parts)


def _pretrained(settings: ThreeLevelSettings, folder: Path) -> System:
    """Write the system of the pre-trained features, or load it."""
    from snapshelf.systems.three_level import write_pretrained_fc1

    if not (folder / "system.json").is_file():
        write_pretrained_fc1(settings, folder)
    return System.load(folder)


def _fresh(folder: Path) -> Path:
    """Give the place of what is quick to make, and so begun anew where it was cut off."""
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    return partial
