"""What a paper's tables are made of: rows, the trainings behind them, and the printed figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from snapshelf.datasets.clips.clip_dataset import ClipDataset
    from snapshelf.datasets.dataset import Dataset
    from snapshelf.evaluation.evaluation import Evaluation, ProductChoice
    from snapshelf.evaluation.searched_queries import Progress
    from snapshelf.systems.system import System
    from snapshelf.training.monitor import Monitor

__all__ = ["Claim", "Measured", "PaperRow", "PaperTable", "Training", "choose_rows"]


@runtime_checkable
class Measured(Protocol):
    """What is no system, and knows how it is to be measured."""

    def evaluate_by_products(
        self,
        dataset: "Dataset | ClipDataset",
        *,
        split: str,
        progress: "Progress | None" = None,
    ) -> "dict[ProductChoice, Evaluation]":
        """Give what `snapshelf.evaluation.evaluate_by_products` gives of a system."""
        ...


@dataclass(frozen=True, slots=True)
class Training:
    """How the system of a row is made. Rows with equal trainings share one.

    Attributes:
        name: Of its folder, and in messages: small letters, digits and hyphens.
        identity: With the seed and the data, everything that decides the system, as JSON can
            hold it.
        make: Called with a seed, a folder that nothing else uses (its parent is there) and who
            hears how it goes. Trains, goes on with what is in the folder, or loads it if it is
            finished. Gives a system, or what measures itself. Raises `MissingWeightsError` where
            it needs weights that cannot be had.
        seeded: Whether the seed makes a difference.
        trained: Whether the training data make a difference.
        cost: Above 0, how long it takes in relation to the others.
    """

    name: str
    identity: Mapping[str, Any]
    make: "Callable[[int, Path, Monitor], System | Measured]"
    seeded: bool = True
    trained: bool = True
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A line of a paper's table.

    Attributes:
        name: Unique in its table, for ``--rows``.
        title: As the paper calls it.
        published: Its figures by metric, in [0, 1]; empty if the paper has no such row.
        training: How its system is made.
        note: What is to be known of it; may be empty.
        place: The line and the column of its figure where the paper prints a grid; None in a table
            of one line for each row.
    """

    name: str
    title: str
    published: Mapping[str, float]
    training: Training
    note: str = ""
    place: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """Which rows are said to be better than which.

    Attributes:
        title: What is claimed, and by whom if not by the paper's figures.
        pairs: Names of rows, of each pair the better one first.
    """

    title: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of a paper.

    Attributes:
        name: Unique, for ``--rows``.
        title: As the paper calls it.
        rows: In the paper's order. Either all have a place, each its own, or none has.
        note: What is to be known of it; may be empty.
        metrics: Its figures, names of `LABELS`.
        claims: What is looked for in it; none for the order that its printed figures give, every
            two rows compared.
    """

    name: str
    title: str
    rows: tuple[PaperRow, ...]
    note: str = ""
    metrics: tuple[str, ...] = field(kw_only=True)
    claims: tuple[Claim, ...] = ()


def choose_rows(tables: Sequence[PaperTable], wanted: str | None) -> frozenset[tuple[str, str]]:
    """Read which rows are meant by ``TABLE/ROW,TABLE,...``.

    Args:
        tables: Those there are.
        wanted: Tables and rows by name, with commas between; ``*`` stands for any part of a name.
            None for all.

    Returns:
        Pairs of a table's and a row's name.

    Raises:
        ValueError: If there is no such table or row; lists the choices.
    """
    rows = {table.name: [row.name for row in table.rows] for table in tables}
    if wanted is None:
        return frozenset((table, row) for table, names in rows.items() for row in names)
    chosen: set[tuple[str, str]] = set()
    for part in wanted.split(","):
        pattern, slash, row = part.strip().partition("/")
        found = [table for table in rows if fnmatchcase(table, pattern)]
        if not found:
            raise ValueError(f"there is no table {pattern!r}, choose from {', '.join(rows)}")
        named = {
            (table, name)
            for table in found
            for name in rows[table]
            if not slash or fnmatchcase(name, row)
        }
        if not named:
            choices = ", ".join(f"{table}/{name}" for table in found for name in rows[table])
            raise ValueError(f"there is no row {part.strip()!r}, choose from {choices}")
        chosen |= named
    return frozenset(chosen)
