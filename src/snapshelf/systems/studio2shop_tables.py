"""Tables 3 and 4 of *Studio2Shop*: what each row of them is.

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles, Section 5.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snapshelf.datasets.training_item import TrainingData
from snapshelf.evaluation.paper_tables import PaperRow, PaperTable, Training
from snapshelf.features.weights import file_digest
from snapshelf.systems.given_system import GivenSystem
from snapshelf.systems.studio2shop_variants import (
    VARIANTS,
    StudioVariants,
    articles_identity,
)
from snapshelf.systems.system import System
from snapshelf.training.monitor import Monitor
from snapshelf.training.settings import settings_to_dict
from snapshelf.training.studio_tables_settings import StudioTablesSettings

__all__ = ["TRANSFER", "studio_rows", "studio_tables"]

METRICS = (
    *("top1", "top5", "top10", "top20", "top50", "top1pct"),
    *("mean_rank", "median_rank"),
)

TRANSFER = "table-4"
"""The table of data that nothing is trained on."""

TABLE_3: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "static-fc14-linear": (
        "static-fc14-linear",
        (0.005, 0.015, 0.022, 0.033, 0.054, 0.166, 13502, 8139),
    ),
    "static-fc14-non-linear": (
        "static-fc14-non-linear",
        (0.030, 0.083, 0.121, 0.176, 0.271, 0.609, 1672, 258),
    ),
    "fc14-non-linear": (
        "fc14-non-linear",
        (0.131, 0.317, 0.423, 0.539, 0.684, 0.926, 230, 15),
    ),
    "128floats-non-linear": (
        "128floats-non-linear",
        (0.132, 0.319, 0.426, 0.540, 0.677, 0.909, 274, 15),
    ),
    "fdna-ranking-loss": (
        "fDNA-ranking-loss",
        (0.091, 0.263, 0.372, 0.494, 0.660, 0.933, 177, 20),
    ),
    "fdna-linear": (
        "fDNA-linear",
        (0.121, 0.314, 0.423, 0.547, 0.700, 0.936, 178, 15),
    ),
    "all-in-two-nets": (
        "all-in-two-nets",
        (0.033, 0.115, 0.181, 0.277, 0.438, 0.838, 620, 69),
    ),
    "studio2shop": (
        "Studio2Shop",
        (0.238, 0.496, 0.613, 0.722, 0.834, 0.970, 89, 5),
    ),
}
"""Titles and printed figures, in the order of `METRICS`."""

TABLE_4: Mapping[str, tuple[str, tuple[float, ...]]] = {
    "fc14-non-linear": (
        "fc14-non-linear",
        (0.159, 0.439, 0.565, 0.689, 0.838, 0.475, 32, 6),
    ),
    "studio2shop": (
        "Studio2Shop",
        (0.258, 0.578, 0.712, 0.818, 0.919, 0.619, 17, 3),
    ),
}
"""Of DeepFashion In-Shop."""

SEARCHED = 4.0
"""What searching with a row takes, in epochs of photos: a gallery has more articles."""

LOOKBOOK = (
    "The paper's figures beside are those of DeepFashion In-Shop. On LookBook it has 0.9, 3.1, "
    "5.0, 7.8, 13.4 and 18.1 percent, 1657 and 797 for fc14-non-linear, and 1.3, 4.4, 7.0, 10.7, "
    "18.2 and 24.1 percent, 1266 and 466 for Studio2Shop."
)

IRRELEVANT = (
    *("seed", "num_workers", "picture_memory_mb", "keep_checkpoints", "depth"),
    *("articles", "fashion_dna", "fc14", "vectors"),
)
"""Settings that are no part of a row's identity; the seed and the features are told beside it."""

Make = Callable[[str, int, Path, Monitor], System]
"""Makes the system of a row's name and seed in a folder, or goes on with it."""


@contextmanager
def studio_tables(
    data: Sequence[TrainingData], settings: StudioTablesSettings, folder: Path
) -> Iterator[tuple[PaperTable, ...]]:
    """Give the tables with rows that can be made.

    Args:
        data: What is trained on.
        settings: The recipe, whose seed makes no difference.
        folder: Beside it the articles' systems are kept that several rows share.
    """
    variants = StudioVariants(data, settings, folder.parent / "articles")
    yield studio_rows(settings, variants.make, variants.fc14)


def studio_rows(
    settings: StudioTablesSettings, make: Make, fc14: GivenSystem
) -> tuple[PaperTable, ...]:
    """Lay out the tables.

    Args:
        settings: As of `studio_tables`.
        make: Called with the row's name and its seed.
        fc14: The system that the settings name as `fc14`.

    Returns:
        Table 3, and Table 4 of data that nothing is trained on.

    Raises:
        ModelError: If a file of weights is not there, or `fc14` cannot be loaded.
    """
    trainings = {name: _training(name, settings, make, fc14) for name in VARIANTS}

    def rows(printed: Mapping[str, tuple[str, tuple[float, ...]]]) -> tuple[PaperRow, ...]:
        return tuple(
            PaperRow(name, title, dict(zip(METRICS, figures, strict=True)), trainings[name])
            for name, (title, figures) in printed.items()
        )

    features = (
        f"fc14 are the features of {settings.fc14}, shortened by a PCA, 128floats the vectors that "
        "are given."
    )
    return (
        PaperTable(
            "table-3",
            "Table 3: test queries",
            rows(TABLE_3),
            f"All articles are matched, without a shortlist. {features}",
            metrics=METRICS,
        ),
        PaperTable(
            TRANSFER,
            "Table 4: data that nothing was trained on",
            rows(TABLE_4),
            f"Searched with the systems of Table 3, as they are. {LOOKBOOK}",
            metrics=METRICS,
        ),
    )


def _training(name: str, settings: StudioTablesSettings, make: Make, fc14: GivenSystem) -> Training:
    from snapshelf.training.preparation import backbone_file

    variant = VARIANTS[name]
    identity: dict[str, Any] = {"features": articles_identity(variant.features, settings, fc14)}
    if variant.changes is not None:
        values = settings_to_dict(settings)
        identity |= {key: value for key, value in values.items() if key not in IRRELEVANT}
        identity |= variant.changes
        file = backbone_file(settings)
        if file is not None:
            identity["weights"] = file_digest(file)
    return Training(
        name,
        identity,
        lambda seed, folder, monitor: make(name, seed, folder, monitor),
        seeded=variant.changes is not None,
        cost=SEARCHED + (0 if variant.changes is None else settings.epochs),
    )
