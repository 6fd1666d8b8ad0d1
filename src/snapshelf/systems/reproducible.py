"""The systems whose papers' tables can be reproduced, by name, for ``snapshelf reproduce``."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.evaluation.paper_tables import PaperTable

__all__ = ["REPRODUCIBLE", "Reproducible"]

Tables = Callable[
    [Sequence["TrainingData"], Any, Path], AbstractContextManager[tuple["PaperTable", ...]]
]


@dataclass(frozen=True, slots=True)
class Reproducible:
    """What a paper's tables are made of.

    Attributes:
        settings: Its settings dataclass; every field has a default, and there is a ``seed``.
        tables: Called with the data, the settings and a folder for pictures that are too many
            for memory. Gives the tables; leaving the context lets go of the pictures.
    """

    settings: type
    tables: Tables


def _mtv() -> Reproducible:
    from snapshelf.systems.mtv_tables import mtv_tables
    from snapshelf.training.mtv_settings import MtvSettings

    return Reproducible(MtvSettings, mtv_tables)


REPRODUCIBLE: Mapping[str, Callable[[], Reproducible]] = {
    "mtv": _mtv,
}
"""Imports what makes the tables of each system's paper."""
