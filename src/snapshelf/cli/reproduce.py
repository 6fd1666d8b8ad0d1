"""``snapshelf reproduce``: the tables of a system's paper, on the data given."""

import json as json_module
import signal
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snapshelf.cli.console import EXIT_SKIPPED, EXIT_USAGE, fail, print_json, progress, tell
from snapshelf.cli.output_file import JSON, PAGE, check_output
from snapshelf.cli.stopping import Stop, stop_on_signal
from snapshelf.training.monitor import Monitor, TrainingStopped

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from snapshelf.datasets.dataset import Dataset

__all__ = ["reproduce"]


def reproduce(
    system: Annotated[
        str, typer.Argument(help="Whose paper: asymnet, hybrid, mtv, studio2shop or three-level.")
    ],
    data: Annotated[
        list[str],
        typer.Option(
            help="NAME:DIR: a data set and its folder; the first is searched as well. For "
            "studio2shop the others are searched and not trained on."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The folder that keeps what is done (default: reproduce-SYSTEM)."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file of settings.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, max=1000, help="How many seeds (default: 3).")
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(help="TABLE/ROW,TABLE,...: run only these, * for any part of a name."),
    ] = None,
    split: Annotated[str, typer.Option(help="Which of the data set's queries.")] = "test",
    json: Annotated[
        Path | None, typer.Option(help="Write the tables as JSON; - for standard output.")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the tables as a page, and one beside it for other data."),
    ] = None,
) -> None:
    """Print the tables of a system's paper, trained and measured on this data.

    What is done is kept: the same command goes on where it was cut off, and does nothing twice.
    Ends with 3 if rows were left out because the weights of their backbones cannot be had.
    """
    from snapshelf.systems.reproducible import REPRODUCIBLE

    if system not in REPRODUCIBLE:
        choices = ", ".join(REPRODUCIBLE)
        fail(f"there are no tables of {system!r} to reproduce; choose from {choices}", EXIT_USAGE)
    if json is not None and str(json) != "-":
        check_output(json, "--json", begins=JSON)
    if html is not None:
        check_output(html, "--html", begins=PAGE)
    from snapshelf.cli.table_text import print_tables
    from snapshelf.datasets import Incomplete
    from snapshelf.datasets.clips.registry import open_clip_dataset, open_clip_training_data
    from snapshelf.datasets.registry import open_dataset, open_training_data
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.evaluation.paper_tables import choose_rows
    from snapshelf.evaluation.reproduce import reproduce as run
    from snapshelf.evaluation.table_plots import draw_tables
    from snapshelf.evaluation.table_report import write_tables
    from snapshelf.training.freed_memory import keep_freed_memory
    from snapshelf.training.settings import read_toml, settings_from, settings_to_dict

    keep_freed_memory()
    reproducible = REPRODUCIBLE[system]()
    if seeds is not None and not reproducible.is_random:
        fail(f"--seeds: nothing in the tables of {system} has a seed; leave it out", EXIT_USAGE)
    values = {} if config is None else read_toml(config)
    settings: Any = settings_from(reproducible.settings, values, str(config))
    folder = out or Path(f"reproduce-{system}")
    searching: Callable[[str], Any] = open_clip_dataset if reproducible.clips else open_dataset
    training = open_clip_training_data if reproducible.clips else open_training_data
    dataset = searching(data[0])
    name = dataset.name
    if isinstance(dataset, Incomplete) and dataset.missing:
        tell(f"missing pictures of {name}, left out: {dataset.missing}")
    is_needed = reproducible.needs_training or isinstance(dataset, TrainingData)
    others = data[1:] if reproducible.transferred else []
    searched: list[Any] = [searching(place) for place in others]
    if reproducible.transferred and not others:
        names = ", ".join(reproducible.transferred)
        tell(f"{names}: left out, give a second --data to search with nothing trained on it")
    trained = data[: len(data) - len(others)]
    opened: list[Any] = [training(place) for place in trained[0 if is_needed else 1 :]]
    pages = _pages(html, [dataset, *searched])
    first_seed = settings.seed if reproducible.is_random else 0
    count = (seeds or 3) if reproducible.is_random else 1
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signal())
        bar = stack.enter_context(progress(counted=True))
        tables = stack.enter_context(reproducible.tables(opened, settings, folder / "pictures"))
        try:
            chosen = choose_rows(tables, rows)
        except ValueError as error:
            fail(f"--rows: {error}", EXIT_USAGE)
        try:
            results = [
                run(
                    system,
                    [
                        table
                        for table in tables
                        if (each is not dataset) == (table.name in reproducible.transferred)
                    ],
                    each,
                    opened,
                    out=folder,
                    seeds=range(first_seed, first_seed + count),
                    split=split,
                    rows=chosen,
                    settings=settings_to_dict(settings),
                    note=reproducible.note,
                    monitor=_Shown(bar, stop),
                )
                for each in [dataset, *searched]
            ]
        except TrainingStopped:
            if stop.signal is None:
                raise
            name = signal.Signals(stop.signal).name
            fail(f"stopped by {name}; the same command goes on", 128 + stop.signal)
    plots = draw_tables(results[0], reproducible.plotted, folder / "figures")
    for name in plots:
        tell(f"drew {folder / 'figures' / name}.png")
    for page, result in zip(pages, results, strict=bool(pages)):
        write_tables(result, page, plots if result is results[0] else None)
        tell(f"wrote {page}")
    found = replace(results[0], transfers=tuple(results[1:]))
    if json is None:
        print_tables(found, {table for table, _ in chosen})
    elif str(json) == "-":
        print_json(found.to_json())
    else:
        json.write_text(json_module.dumps(found.to_json(), indent=2) + "\n", encoding="utf-8")
        tell(f"wrote {json}")
    if left_out := sum(
        bool(row.missing) for each in results for table in each.tables for row in table.rows
    ):
        tell(f"rows left out, since the weights of their backbones are not here: {left_out}")
        raise typer.Exit(EXIT_SKIPPED)


def _pages(html: Path | None, searched: "Sequence[Dataset]") -> list[Path]:
    """Name the page of each data set: the one that was asked for, and others beside it."""
    if html is None:
        return []
    others = [html.with_stem(f"{html.stem}-{each.name}") for each in searched[1:]]
    for page in others:
        check_output(page, "--html", begins=PAGE)
    return [html, *others]


class _Shown(Monitor):
    """Shows on the terminal how it goes."""

    def __init__(self, bar: "Progress", stop: Stop) -> None:
        self._bar = bar
        self._stop = stop
        self._task: TaskID | None = None

    def note(self, text: str) -> None:
        tell(text)

    def step(self, name: str, done: int, total: int) -> None:
        if self._task is None:
            self._task = self._bar.add_task(name, total=total)
        self._bar.update(self._task, description=name, completed=done, total=total)

    def should_stop(self) -> bool:
        return self._stop.signal is not None
