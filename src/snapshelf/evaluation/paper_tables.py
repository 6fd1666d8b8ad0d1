"""What a paper's tables are made of: rows, the trainings behind them, and the printed figures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snapshelf.systems.system import System
    from snapshelf.training.monitor import Monitor

__all__ = ["PaperRow", "PaperTable", "Training", "choose_rows"]


@dataclass(frozen=True, slots=True)
class Training:
    """How the system of a row is made. Rows with equal trainings share one.

    Attributes:
        name: Of its folder, and in messages: small letters, digits and hyphens.
        identity: With the seed and the data, everything that decides the system, as JSON can
            hold it.
        make: Called with a seed, a folder that nothing else uses (its parent is there) and who
            hears how it goes. Trains, goes on with what is in the folder, or loads it if it is
            finished.
        seeded: Whether the seed makes a difference.
        cost: Above 0, how long it takes in relation to the others.
    """

    name: str
    identity: Mapping[str, Any]
    make: "Callable[[int, Path, Monitor], System]"
    seeded: bool = True
    cost: float = 1.0


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A line of a paper's table.

    Attributes:
        name: Unique in its table, for ``--rows``.
        title: As the paper calls it.
        published: Its figures by metric, accuracies in [0, 1].
        training: How its system is made.
        note: What is to be known of it; may be empty.
    """

    name: str
    title: str
    published: Mapping[str, float]
    training: Training
    note: str = ""


@dataclass(frozen=True, slots=True)
class PaperTable:
    """A table of a paper.

    Attributes:
        name: Unique, for ``--rows``.
        title: As the paper calls it.
        rows: In the paper's order.
        note: What is to be known of it; may be empty.
    """

    name: str
    title: str
    rows: tuple[PaperRow, ...]
    note: str = ""


def choose_rows(tables: Sequence[PaperTable], wanted: str | None) -> frozenset[tuple[str, str]]:
    """Read which rows are meant by ``TABLE/ROW,TABLE,...``.

    Args:
        tables: Those there are.
        wanted: Tables and rows by name, with commas between; None for all.

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
        table, slash, row = part.strip().partition("/")
        if table not in rows:
            raise ValueError(f"there is no table {table!r}, choose from {', '.join(rows)}")
        if slash and row not in rows[table]:
            choices = ", ".join(f"{table}/{name}" for name in rows[table])
            raise ValueError(f"there is no row {part.strip()!r}, choose from {choices}")
        chosen.update((table, name) for name in ([row] if slash else rows[table]))
    return frozenset(chosen)
