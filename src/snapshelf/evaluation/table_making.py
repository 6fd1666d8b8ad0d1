"""From the ranks of every training to the tables: cells, and what is left of the paper's order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from snapshelf.evaluation.evaluation import ProductChoice
from snapshelf.evaluation.kept_ranks import KeptRanks
from snapshelf.evaluation.order import judge, mean_interval, resampled_means
from snapshelf.evaluation.paper_tables import Claim, PaperRow, PaperTable
from snapshelf.evaluation.query_values import RANKS, figure_of
from snapshelf.evaluation.tables import Cell, Difference, Row, Table

__all__ = ["PAPERS_ORDER", "RanksBySeed", "make_table"]

RanksBySeed = Mapping[int, KeptRanks]
"""The ranks of one training, by the seed; where nothing is random, by any one number."""

PAPERS_ORDER = "the paper's order"
"""What is looked for in a table that names no claims: the order of its printed figures."""


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One row's figures in one metric.

    Attributes:
        seeds: (S,) the seeds.
        values: (S,) the figure for each seed.
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
    missing: Mapping[str, str] | None = None,
    *,
    resamples: int = 2000,
) -> Table:
    """Fill a table with what has been measured, and compare its rows.

    Args:
        table: The paper's.
        ranks: For each row that has been run, by its name, the ranks for each seed; of the same
            queries all of them.
        missing: For each row that was left out, by its name, which weights it lacks.
        resamples: How often the queries are drawn again.

    Returns:
        The table. A row that has not been run has no cells and is compared with none. Two rows
        are compared over the seeds that both have been run with, and by their shares: ranks are
        shown only, for a few queries found last would decide.

    Raises:
        ValueError: If one of its metrics is none.
    """
    left_out = missing or {}
    rows = tuple(
        _row(row, ranks.get(row.name, {}), table.metrics, left_out.get(row.name, ""))
        for row in table.rows
    )
    claims = {claim.title: _pairs(table, claim) for claim in table.claims}
    differences: list[Difference] = []
    shares = [metric for metric in table.metrics if metric not in RANKS]
    for choice in _choices(ranks):
        drawn = _draw(table, ranks, choice, shares, resamples)
        for metric in shares:
            compared = claims or {PAPERS_ORDER: _published_pairs(table, metric)}
            for title, pairs in compared.items():
                for better, worse in pairs:
                    found = _compare(title, better, worse, choice, metric, drawn)
                    if found is not None:
                        differences.append(found)
    return Table(
        name=table.name,
        title=table.title,
        note=table.note,
        metrics=table.metrics,
        rows=rows,
        claims=tuple(claims) or (PAPERS_ORDER,),
        differences=tuple(differences),
    )


def _row(row: PaperRow, by_seed: RanksBySeed, metrics: Sequence[str], missing: str) -> Row:
    seeds = sorted(by_seed)
    cells = {
        choice: {
            metric: Cell(
                tuple(figure_of(metric, by_seed[seed].values(choice, metric)) for seed in seeds)
            )
            for metric in metrics
        }
        for choice in _choices({row.name: by_seed})
    }
    return Row(
        name=row.name,
        title=row.title,
        training=row.training.name,
        seeded=row.training.seeded,
        seeds=tuple(seeds) if row.training.seeded else (),
        published={metric: row.published[metric] for metric in metrics if metric in row.published},
        cells=cells,
        note=row.note,
        place=row.place,
        missing="" if cells else missing,
    )


def _pairs(table: PaperTable, claim: Claim) -> list[tuple[PaperRow, PaperRow]]:
    rows = {row.name: row for row in table.rows}
    return [(rows[better], rows[worse]) for better, worse in claim.pairs]


def _published_pairs(table: PaperTable, metric: str) -> list[tuple[PaperRow, PaperRow]]:
    """Give every two rows whose printed figures differ, the better one first."""
    pairs = []
    for one, other in combinations(table.rows, 2):
        if metric in one.published and metric in other.published:
            first, second = one.published[metric], other.published[metric]
            if first != second:
                pairs.append((one, other) if first > second else (other, one))
    return pairs


def _choices(ranks: Mapping[str, RanksBySeed]) -> list[ProductChoice]:
    """Give the choices of products that have queries; the same for every training.

    One that comes to all queries is left out: its figures are those of all.
    """
    for by_seed in ranks.values():
        for kept in by_seed.values():
            of_all = len(kept.ranks.get("all", ()))
            return [
                choice
                for choice, queries in kept.ranks.items()
                if choice == "all" or len(queries) != of_all
            ]
    return []


def _draw(
    table: PaperTable,
    ranks: Mapping[str, RanksBySeed],
    choice: ProductChoice,
    metrics: Sequence[str],
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
    found = np.stack([ranks[name][seed].values(choice, metric) for name, metric, seed in keys])
    draws, values = resampled_means(found, resamples=resamples), found.mean(axis=1)
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
    claim: str,
    better: PaperRow,
    worse: PaperRow,
    choice: ProductChoice,
    metric: str,
    drawn: Mapping[tuple[str, str], _Drawn],
) -> Difference | None:
    """Compare two rows; None without figures, a seed in common, or two trainings."""
    one, other = (drawn.get((row.name, metric)) for row in (better, worse))
    if one is None or other is None:
        return None
    random = [each for each in (one, other) if each.seeded]
    common = set.intersection(*(set(each.seeds) for each in random)) if random else {0}
    if not common or better.training.identity == worse.training.identity:
        return None
    seeds = sorted(common)
    (values, draws), (other_values, other_draws) = one.of(seeds), other.of(seeds)
    each = tuple(float(value) for value in values - other_values)
    low, high = mean_interval(draws - other_draws)
    published = [row.published.get(metric) for row in (better, worse)]
    return Difference(
        claim=claim,
        better=better.name,
        worse=worse.name,
        products=choice,
        metric=metric,
        published=(
            None if published[0] is None or published[1] is None else published[0] - published[1]
        ),
        values=each,
        low=low,
        high=high,
        verdict=judge(each, (low, high), seeded=bool(random)),
    )
