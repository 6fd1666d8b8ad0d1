"""Table I of *Cross-Domain Shoe Retrieval*: what each row of it is, and the levels one by one.

Zhan, Shi, Kot, Section IV. The two SAG-CNNs of a seed are trained once, for all rows that are made
of them.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from snapshelf.datasets.training_item import TrainingData
from snapshelf.evaluation.paper_tables import Claim, PaperRow, PaperTable, Training
from snapshelf.features.classical.codebook_settings import FisherSettings
from snapshelf.features.level_weights import LevelWeights
from snapshelf.systems.system import System
from snapshelf.systems.three_level_variants import OF_LEVELS, ThreeLevelVariants, contents_of
from snapshelf.training.metric_settings import MetricSettings
from snapshelf.training.monitor import Monitor
from snapshelf.training.settings import settings_to_dict
from snapshelf.training.three_level_settings import ThreeLevelSettings
from snapshelf.training.training_error import TrainingError

__all__ = ["three_level_rows", "three_level_tables"]

METRICS = ("top20", "top10", "top1")

IRRELEVANT = ("seed", "num_workers", "picture_memory_mb", "keep_checkpoints")
"""Settings that are no part of a training's identity; the seed is told beside it."""

OF_START = ("backbone", "weights", "options", "size", "fc1", "batch_norm")
"""Settings that features before any training depend on."""

FC1_ALONE = LevelWeights(region=0.0, parts=0.0, conv5=False)

Make = Callable[[str, ThreeLevelSettings, Path, Monitor], System]
"""Makes the system of a row's name and settings in a folder, or goes on with it."""


@contextmanager
def three_level_tables(
    data: Sequence[TrainingData], settings: ThreeLevelSettings, folder: Path
) -> Iterator[tuple[PaperTable, ...]]:
    """Give the tables with rows that can be made.

    Args:
        data: What is trained on.
        settings: The recipe of the three-level row; the others are made of it. Its seed makes no
            difference.
        folder: Beside it the networks that several rows share are kept.

    Raises:
        TrainingError: If the settings leave out a level or want more than one device.
        ModelError: If the settings' locator or part model cannot be loaded.
    """
    shared = ThreeLevelVariants(data, settings, folder.parent / "networks")
    with closing(shared):
        yield three_level_rows(settings, shared.make)


def three_level_rows(settings: ThreeLevelSettings, make: Make) -> tuple[PaperTable, ...]:
    """Lay out the tables.

    Args:
        settings: As of `three_level_tables`.
        make: Called with the row's name and the settings of its seed.

    Returns:
        Table I, and one of the levels that the paper does not have.

    Raises:
        TrainingError: As `three_level_tables`.
        ModelError: If the backbone's weights are a file that is not there, or the locator or
            part model cannot be loaded.
    """
    levels = settings.levels
    if not (levels.whole and levels.region and levels.parts and levels.conv5):
        raise TrainingError(
            "levels must have no 0 and conv5 for the tables: rows of theirs leave each out"
        )
    if settings.devices > 1:
        raise TrainingError(
            f"devices must be 1 for the tables, got {settings.devices}: run some of the rows on "
            "each device, in folders of their own"
        )
    contents = contents_of(settings)

    def identity(own: ThreeLevelSettings, without: Sequence[str] = ()) -> dict[str, Any]:
        values = settings_to_dict(own) | contents
        return {
            name: value for name, value in values.items() if name not in (*IRRELEVANT, *without)
        }

    def learn(
        name: str, own: ThreeLevelSettings, values: dict[str, Any], cost: float, **told: bool
    ) -> Training:
        return Training(
            name,
            values,
            lambda seed, folder, monitor: make(
                name, dataclasses.replace(own, seed=seed), folder, monitor
            ),
            cost=cost,
            **told,
        )

    def leveled(name: str, **changes: Any) -> Training:
        own = dataclasses.replace(settings, levels=dataclasses.replace(levels, **changes))
        return learn(name, own, identity(own), 1.0)

    start = {name: value for name, value in identity(settings).items() if name in OF_START}
    fisher = {
        name: value for name, value in settings_to_dict(FisherSettings()).items() if name != "seed"
    }
    metric = {
        name: value
        for name, value in settings_to_dict(MetricSettings()).items()
        if name not in ("base", "seed", "keep_checkpoints")
    }
    alone = dataclasses.replace(settings, levels=FC1_ALONE, projected=False)
    sag = learn("sag-fc1", alone, identity(alone, OF_LEVELS), 2.0)
    whole = leveled("three-level")
    table = PaperTable(
        "table-1",
        "Table I: three levels and other methods",
        (
            _row(
                "gist",
                "Gist feature",
                11.13,
                learn("gist", settings, {}, 0.2, seeded=False, trained=False),
            ),
            _row(
                "dsift-fisher",
                "DSIFT + Fisher Vector",
                20.04,
                learn("fisher", settings, fisher, 1.0),
            ),
            _row(
                "pretrained-fc1",
                "Deep feature (FC1) of Pre-trained CNN",
                28.28,
                learn("pretrained-fc1", settings, start, 0.5, seeded=False, trained=False),
                "Of a backbone that was published without fully connected layers, the pooled "
                "features stand for FC1.",
            ),
            _row(
                "sag-fc1",
                "Deep feature (FC1) of SAG-CNN",
                44.67,
                sag,
                "Without a PCA, as the pre-trained row.",
            ),
            _row(
                "metric",
                "Metric Network",
                52.43,
                learn("metric", settings, start | {"metric": metric}, 1.0),
                "On the features of the pre-trained row.",
            ),
            _row(
                "three-level",
                "Three-level feature (FC1 + Conv5) with SAG-CNN",
                66.92,
                whole,
            ),
        ),
        metrics=METRICS,
    )
    lessened = {
        "without-level-1": ("Without level 1, the whole picture", leveled("no-1", whole=0.0)),
        "without-level-2": ("Without level 2, the best region", leveled("no-2", region=0.0)),
        "without-level-3": ("Without level 3, the parts", leveled("no-3", parts=0.0)),
        "without-conv5": ("Without Conv5, FC1 alone", leveled("no-conv5", conv5=False)),
    }
    ablation = PaperTable(
        "levels",
        "The levels, each left out",
        (
            *(PaperRow(name, title, {}, training) for name, (title, training) in lessened.items()),
            PaperRow(
                "all", "All three levels", {}, whole, "The same training as Table I's last row."
            ),
        ),
        "The paper has no such table.",
        metrics=METRICS,
        claims=(Claim("Each level adds something", tuple(("all", name) for name in lessened)),),
    )
    return table, ablation


def _row(name: str, title: str, percent: float, training: Training, note: str = "") -> PaperRow:
    """Make a row of the figure as it is printed."""
    return PaperRow(name, title, {"top20": round(percent / 100, 4)}, training, note)
