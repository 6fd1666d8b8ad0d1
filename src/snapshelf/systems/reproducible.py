"""The systems whose papers' tables can be reproduced, by name, for ``snapshelf reproduce``."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snapshelf.evaluation.paper_tables import PaperTable

__all__ = ["REPRODUCIBLE", "Reproducible"]

Tables = Callable[[Sequence[Any], Any, Path], AbstractContextManager[tuple["PaperTable", ...]]]


@dataclass(frozen=True, slots=True)
class Reproducible:
    """What a paper's tables are made of.

    Attributes:
        settings: Its settings dataclass; every field has a default, and there is a ``seed`` if
            anything is random.
        tables: Called with the data, the settings and a folder for what is too much for memory.
            Gives the tables; leaving the context lets go of that.
        is_random: Whether there are seeds.
        needs_training: Whether nothing can be done without data that can be trained on. If not,
            there may be no data.
        note: What is to be known of all tables; may be empty.
        transferred: Names of the tables of data that nothing is trained on. Where there are any,
            the data sets after the first are searched for them, and not trained on.
        clips: Whether the data are clips, see `open_clip_dataset`.
        plotted: Names of the tables that are drawn as well.
    """

    settings: type
    tables: Tables
    is_random: bool = True
    needs_training: bool = True
    note: str = ""
    transferred: tuple[str, ...] = ()
    clips: bool = False
    plotted: tuple[str, ...] = ()


def _asymnet() -> Reproducible:
    from snapshelf.systems.asymnet_tables import PLOTTED, asymnet_tables
    from snapshelf.training.asymnet_tables_settings import AsymNetTablesSettings

    return Reproducible(AsymNetTablesSettings, asymnet_tables, clips=True, plotted=PLOTTED)


def _hybrid() -> Reproducible:
    from snapshelf.systems.hybrid_tables import NOTE, hybrid_tables
    from snapshelf.systems.hybrid_variants import HybridTablesSettings

    return Reproducible(
        HybridTablesSettings, hybrid_tables, is_random=False, needs_training=False, note=NOTE
    )


def _mtv() -> Reproducible:
    from snapshelf.systems.mtv_tables import mtv_tables
    from snapshelf.training.mtv_settings import MtvSettings

    return Reproducible(MtvSettings, mtv_tables)


def _studio2shop() -> Reproducible:
    from snapshelf.systems.studio2shop_tables import TRANSFER, studio_tables
    from snapshelf.training.studio_tables_settings import StudioTablesSettings

    return Reproducible(StudioTablesSettings, studio_tables, transferred=(TRANSFER,))


def _three_level() -> Reproducible:
    from snapshelf.systems.three_level_tables import three_level_tables
    from snapshelf.training.three_level_settings import ThreeLevelSettings

    return Reproducible(ThreeLevelSettings, three_level_tables)


REPRODUCIBLE: Mapping[str, Callable[[], Reproducible]] = {
    "asymnet": _asymnet,
    "hybrid": _hybrid,
    "mtv": _mtv,
    "studio2shop": _studio2shop,
    "three-level": _three_level,
}
"""Imports what makes the tables of each system's paper."""
