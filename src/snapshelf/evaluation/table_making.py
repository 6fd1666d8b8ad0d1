"""From the ranks of every training to the tables: cells, and what is left of the paper's order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.evaluation import ProductChoice
from snapshelf.evaluation.kept_ranks import KeptRanks
from snapshelf.evaluation.order import judge, mean_interval, resampled_accuracies
from snapshelf.evaluation.paper_tables import PaperRow, PaperTable
from snapshelf.evaluation.tables import Cell, Difference, Row, Table

__all__ = ["RanksBySeed", "make_table"]

RanksBySeed = Mapping[int, KeptRanks]
"""The ranks of one training, by the seed; where nothing is random, by any one number."""


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One row's accuracies in one metric.

    Attributes:
        seeds: (S,) the seeds.
        values: (S,) the accuracy for each seed.
        draws: (S, B) the same with the queries drawn again and again.
        seeded: Whether it is random; if not, S is 1 and it stands for any seed.
    """

    seeds: tuple[int, ...]
    values: NDArray[np.float64]
    draws: NDArray[np.float64]
    seeded: bool

    def of(self, seeds: Sequence[int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the values and draws of some of the seeds."""
        places = [self.seeds.index(seed) if self.seeded else 0 for seed in seeds]
        return self.values[places], self.draws[places]


def make_table(
    table: PaperTable,
    ranks: Mapping[str, RanksBySeed],
    metrics: Mapping[str, int],
    *,
    resamples: int = 2000,
) -> Table:
    """Fill a table with what has been measured, and compare its rows.

    Args:
        table: The paper's.
        ranks: For each row that has been run, by its name, the ranks for each seed; of the same
            queries all of them.
        metrics: The columns, and for each the number k of places that count (top-k).
        resamples: How often the queries are drawn again.

    Returns:
        The table. A row that has not been run has no cells and is compared with none. Two rows
        are compared over the seeds that both have been run with.
    """
    rows = tuple(_row(row, ranks.get(row.name, {}), metrics) for row in table.rows)
    differences: list[Difference] = []
    for choice in _choices(ranks):
        drawn = _draw(table, ranks, choice, metrics, resamples)
        for first, second in combinations(table.rows, 2):
            for metric in metrics:
                found = _compare(first, second, choice, metric, drawn)
                if found is not None:
                    differences.append(found)
    return Table(table.name, table.title, table.note, rows, tuple(differences))


def _row(row: PaperRow, by_seed: RanksBySeed, metrics: Mapping[str, int]) -> Row:
    seeds = sorted(by_seed)
    cells = {
        choice: {
            metric: Cell(tuple(float(by_seed[seed].found(choice, k).mean()) for seed in seeds))
            for metric, k in metrics.items()
        }
        for choice in _choices({row.name: by_seed})
    }
    return Row(
        name=row.name,
        title=row.title,
        training=row.training.name,
        seeded=row.training.seeded,
        seeds=tuple(seeds) if row.training.seeded else (),
        published={metric: row.published[metric] for metric in metrics},
        cells=cells,
        note=row.note,
    )


def _choices(ranks: Mapping[str, RanksBySeed]) -> list[ProductChoice]:
    """Give the choices of products that have queries; the same for every training."""
    for by_seed in ranks.values():
        for kept in by_seed.values():
            return list(kept.ranks)
    return []


def _draw(
    table: PaperTable,
    ranks: Mapping[str, RanksBySeed],
    choice: ProductChoice,
    metrics: Mapping[str, int],
    resamples: int,
) -> dict[tuple[str, str], _Drawn]:
    """Draw the queries again and again, the same for all rows and metrics."""
    run = [row for row in table.rows if ranks.get(row.name)]
    keys = [
        (row.name, metric, seed)
        for row in run
        for metric in metrics
        for seed in sorted(ranks[row.name])
    ]
    found = np.stack(
        [ranks[name][seed].found(choice, metrics[metric]) for name, metric, seed in keys]
    )
    draws, values = resampled_accuracies(found, resamples=resamples), found.mean(axis=1)
    drawn: dict[tuple[str, str], _Drawn] = {}
    for row in run:
        for metric in metrics:
            seeds = tuple(sorted(ranks[row.name]))
            places = [keys.index((row.name, metric, seed)) for seed in seeds]
            drawn[row.name, metric] = _Drawn(
                seeds, values[places], draws[places], row.training.seeded
            )
    return drawn


def _compare(
    first: PaperRow,
    second: PaperRow,
    choice: ProductChoice,
    metric: str,
    drawn: Mapping[tuple[str, str], _Drawn],
) -> Difference | None:
    """Compare two rows; None without a published order, a seed in common, or two trainings."""
    published = first.published[metric] - second.published[metric]
    better, worse = (first, second) if published > 0 else (second, first)
    one, other = (drawn.get((row.name, metric)) for row in (better, worse))
    if not published or one is None or other is None:
        return None
    random = [each for each in (one, other) if each.seeded]
    common = set.intersection(*(set(each.seeds) for each in random)) if random else {0}
    if not common or better.training.identity == worse.training.identity:
        return None
    seeds = sorted(common)
    (values, draws), (other_values, other_draws) = one.of(seeds), other.of(seeds)
    each = tuple(float(value) for value in values - other_values)
    low, high = mean_interval(draws - other_draws)
    return Difference(
        better=better.name,
        worse=worse.name,
        products=choice,
        metric=metric,
        published=abs(published),
        values=each,
        low=low,
        high=high,
        verdict=judge(each, (low, high), seeded=bool(random)),
    )
