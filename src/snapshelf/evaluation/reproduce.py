"""`reproduce`: train and evaluate what a paper's tables need, once each, and fill them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from snapshelf.datasets.clips.clip_dataset import ClipDataset, ClipTrainingData
from snapshelf.datasets.dataset import Dataset
from snapshelf.datasets.training_item import TrainingData
from snapshelf.errors import DatasetError, MissingWeightsError
from snapshelf.evaluation.evaluate import evaluate_by_products
from snapshelf.evaluation.evaluation import ProductChoice
from snapshelf.evaluation.kept_ranks import (
    KeptRanks,
    digest_of,
    queries_digest,
    training_digest,
    write_json,
)
from snapshelf.evaluation.paper_tables import Measured, PaperTable, Training, choose_rows
from snapshelf.evaluation.query_values import LABELS
from snapshelf.evaluation.table_making import make_table
from snapshelf.evaluation.tables import Reproduction, Table
from snapshelf.evaluation.time_left import TimeLeft
from snapshelf.training.monitor import Monitor, TrainingStopped

__all__ = ["reproduce"]

MARK = "reproduction.json"
"""A folder that has it holds trainings of this kind, and may be written to."""

LOCK = "lock"


@dataclass(frozen=True, slots=True)
class _Work:
    """One training with one seed, and where it and its evaluation are kept."""

    training: Training
    seed: int
    folder: Path
    ranks: Path
    identity: Mapping[str, Any]
    metrics: tuple[str, ...]

    @property
    def title(self) -> str:
        name = self.training.name
        return f"{name}, seed {self.seed}" if self.training.seeded else name


def reproduce(
    system: str,
    tables: Sequence[PaperTable],
    dataset: Dataset | ClipDataset,
    data: Sequence[TrainingData] | Sequence[ClipTrainingData],
    *,
    out: Path,
    seeds: Sequence[int] = (0, 1, 2),
    split: str = "test",
    rows: Collection[tuple[str, str]] | None = None,
    settings: Mapping[str, Any] | None = None,
    note: str = "",
    monitor: Monitor | None = None,
) -> Reproduction:
    """Fill a paper's tables with figures of other data.

    Every training is done once for each seed, however many rows need it, and evaluated once on
    all, seen and unseen products. Both are kept in `out`, so that the same call goes on where
    another was cut off, and a training that differs in a setting, its seed or its data is
    another one. The first seed is done for all rows before the second. Rows whose weights cannot
    be had are left out, and say so.

    Args:
        system: Whose paper.
        tables: The paper's.
        dataset: What is searched, and with what.
        data: What is trained on, if anything is; its digest is part of what each training that it
            makes a difference to is kept by.
        out: The folder of the trainings; made if it isn't there.
        seeds: At least one, each once.
        split: The split that the queries come from.
        rows: Which rows are to be run, as `choose_rows` gives them; None for all. The tables
            show all rows that have been run, now or before.
        settings: What all trainings have in common, for the result.
        note: What is to be known of all tables, for the result.
        monitor: Hears how it goes, with the time that is left, and can ask to stop.

    Returns:
        The tables.

    Raises:
        DatasetError: If a data set cannot be used, or `out` holds something else, or another
            process works in it.
        TrainingStopped: If the monitor asked to stop. The same call goes on.
        ValueError: If there is no seed, or one is below 0 or comes twice.
    """
    if not seeds or len(set(seeds)) < len(seeds) or min(seeds) < 0:
        raise ValueError(f"seeds must be at least one number from 0, each once, got {seeds}")
    if split not in dataset.splits:
        raise DatasetError(
            f"the data set {dataset.name} has no split {split!r}, "
            f"choose one of {', '.join(dataset.splits)}"
        )
    chosen = choose_rows(tables, None) if rows is None else set(rows)
    with _locked(out, system):
        plan = _plan(tables, dataset, data, out=out, seeds=sorted(seeds), split=split)
        wanted = [work for work, used_by in plan if used_by & chosen and not work.ranks.is_file()]
        left_out = _run(wanted, dataset, split, monitor or Monitor())
    kept = [
        (KeptRanks.read(work.ranks), work.seed, used_by)
        for work, used_by in plan
        if work.ranks.is_file()
    ]
    missing = {
        row: left_out[work.folder]
        for work, used_by in plan
        if work.folder in left_out
        for row in used_by
    }
    filled = tuple(
        make_table(
            table,
            {
                row.name: {
                    seed: ranks
                    for ranks, seed, used_by in kept
                    if (table.name, row.name) in used_by
                }
                for row in table.rows
            },
            {name: sentence for (own, name), sentence in missing.items() if own == table.name},
        )
        for table in tables
    )
    # A table may have queries and a gallery of its own, such as a category's.
    any_ranks = max((ranks for ranks, _, _ in kept), key=_count, default=None)
    of_all = {} if any_ranks is None else _counts(any_ranks)
    gallery = len(dataset.products())
    of_tables = {table: ranks for ranks, _, used_by in kept for table, _ in used_by}
    filled = tuple(
        _with_own(table, of_tables[table.name], of_all, gallery)
        if table.name in of_tables
        else table
        for table in filled
    )
    is_random = any(row.training.seeded for table in tables for row in table.rows)
    return Reproduction(
        system=system,
        data=tuple(dict.fromkeys([dataset.name, *(one.name for one in data)])),
        split=split,
        queries=of_all,
        gallery=gallery,
        seeds=tuple(sorted(seeds)) if is_random else (),
        settings=dict(settings or {}),
        tables=filled,
        note=note,
    )


def _count(ranks: KeptRanks) -> int:
    return len(ranks.ranks.get("all", ()))


def _counts(ranks: KeptRanks) -> dict[ProductChoice, int]:
    return {choice: len(own) for choice, own in ranks.ranks.items()}


def _with_own(
    table: Table, ranks: KeptRanks, queries: Mapping[ProductChoice, int], gallery: int
) -> Table:
    """Tell the queries and the gallery of a table where they are not those of the data set."""
    counts = _counts(ranks)
    return replace(
        table,
        queries=counts if counts != queries else {},
        gallery=ranks.gallery if ranks.gallery != gallery else None,
    )


def _plan(
    tables: Sequence[PaperTable],
    dataset: Dataset | ClipDataset,
    data: Sequence[TrainingData] | Sequence[ClipTrainingData],
    *,
    out: Path,
    seeds: Sequence[int],
    split: str,
) -> list[tuple[_Work, set[tuple[str, str]]]]:
    """Give every training with every seed, and the rows that need it; seed after seed."""
    trained_on, searched = training_digest(data), queries_digest(dataset, split)
    plan: dict[Path, tuple[_Work, set[tuple[str, str]]]] = {}
    for seed in seeds:
        for table in tables:
            for row in table.rows:
                training = row.training
                identity = {
                    "training": training.name,
                    "seed": seed if training.seeded else None,
                    "settings": dict(training.identity),
                    "data": trained_on if training.trained else None,
                }
                place = f"seed-{seed}" if training.seeded else "any-seed"
                folder = out / training.name / f"{place}-{digest_of(identity)}"
                work = _Work(
                    training,
                    seed,
                    folder,
                    folder / f"right-ranks-{split}-{searched}.json",
                    identity,
                    table.metrics,
                )
                plan.setdefault(folder, (work, set()))[1].add((table.name, row.name))
    return list(plan.values())


def _run(
    works: Sequence[_Work], dataset: Dataset | ClipDataset, split: str, monitor: Monitor
) -> Mapping[Path, str]:
    """Do the trainings and evaluations; give what those that had to be left out lack, by folder."""
    left_out: dict[Path, str] = {}
    clock = TimeLeft([work.training.cost for work in works])
    for number, work in enumerate(works, start=1):
        if monitor.should_stop():
            raise TrainingStopped
        heard = _Heard(monitor, clock, f"{number} of {len(works)}: {work.title}")
        left = clock.text
        monitor.note(f"{number} of {len(works)}: {work.title}{f'; {left}' if left else ''}")
        work.folder.mkdir(parents=True, exist_ok=True)
        write_json(work.folder / "identity.json", work.identity)
        try:
            made = work.training.make(work.seed, work.folder / "system", heard)
        except MissingWeightsError as error:
            # What a library says of a failed download can have several lines.
            sentence = f"{' '.join(error.what.split())}."
            if sentence not in left_out.values():
                monitor.note(f"   left out: {sentence}")
            left_out[work.folder] = sentence
            clock.skip()
            continue
        if isinstance(made, Measured):
            evaluations = made.evaluate_by_products(dataset, split=split, progress=heard.evaluated)
        else:
            evaluations = evaluate_by_products(made, dataset, split=split, progress=heard.evaluated)
        KeptRanks.of(evaluations).write(
            work.ranks,
            of=dict(work.identity) | {"searched": dataset.name, "split": split},
        )
        clock.finish()
        first = work.metrics[0]
        figures = ", ".join(
            f"{choice} {evaluation.metrics[first]:.3f}"
            for choice, evaluation in evaluations.items()
        )
        monitor.note(f"   {LABELS[first]}: {figures}")
    return left_out


class _Heard(Monitor):
    """Passes on what a training tells, with its name and the time that is left."""

    def __init__(self, outer: Monitor, clock: TimeLeft, title: str) -> None:
        self._outer, self._clock, self._title = outer, clock, title

    def step(self, name: str, done: int, total: int) -> None:
        left = self._clock.text
        self._outer.step(f"{self._title}, {name}{f'; {left}' if left else ''}", done, total)

    def epoch(self, figures: Any) -> None:
        self._clock.advance(1 / figures.epochs)

    def should_stop(self) -> bool:
        return self._outer.should_stop()

    def evaluated(self, step: str, done: int, total: int) -> None:
        """Hear how far an evaluation is, and stop it if that is asked for."""
        if self.should_stop():
            raise TrainingStopped
        self.step(step, done, total)


@contextmanager
def _locked(out: Path, system: str) -> Iterator[None]:
    """Keep a folder for oneself; refuse one that holds something else."""
    if not out.parent.is_dir():
        raise DatasetError(f"there is no folder {out.parent}; make it, or give another path")
    if out.exists() and not out.is_dir():
        raise DatasetError(f"{out} is a file; give a folder's path")
    mark = out / MARK
    if not mark.is_file():
        if out.is_dir() and any(out.iterdir()):
            raise DatasetError(f"{out} holds something else than trainings; give another folder")
        out.mkdir(exist_ok=True)
        write_json(mark, {"system": system})
    lock = FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DatasetError(f"another process is training in {out}; wait for it to end") from None
    try:
        yield
    finally:
        lock.release()
