"""``snapshelf train``: a system from a data set's pictures."""

import signal
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from snapshelf.cli.console import EXIT_USAGE, fail, print_json, progress, tell
from snapshelf.cli.stopping import Stop, stop_on_signal
from snapshelf.training.monitor import Monitor, TrainingStopped
from snapshelf.training.training_folder import check_folder, is_finished, is_first_process

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from snapshelf.training.callbacks import EpochFigures

__all__ = ["train"]


def train(
    system: Annotated[str, typer.Argument(help="What to train, such as mtv.")],
    data: Annotated[
        list[str],
        typer.Option(
            help="NAME:DIR: a data set and its folder; may be repeated. For asymnet one of clips, "
            "as clips:NAME:DIR."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder to write the system to.")],
    config: Annotated[
        Path | None, typer.Option(help="A TOML file of settings (default: the published ones).")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training in the folder, if any.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a system, or go on with a training that was cut off.

    Ctrl-C and `kill` end it after the current step, with a checkpoint that --resume goes on from.
    """
    from snapshelf.systems.trainable import TRAINABLE, TRAINED_ON_CLIPS

    if system not in TRAINABLE:
        fail(
            f"there is no system {system!r} to train; choose from {', '.join(TRAINABLE)}",
            EXIT_USAGE,
        )
    from snapshelf.datasets.clips.clip_dataset import ClipDataset
    from snapshelf.datasets.clips.registry import open_clip_training_data
    from snapshelf.datasets.dataset import Dataset
    from snapshelf.datasets.registry import open_training_data
    from snapshelf.training.freed_memory import keep_freed_memory
    from snapshelf.training.settings import read_toml, settings_from

    keep_freed_memory()
    trainable = TRAINABLE[system]()
    values = {} if config is None else read_toml(config)
    settings: Any = settings_from(trainable.settings, values, str(config))
    if is_first_process():
        check_folder(out, resume=resume)
    was_finished = is_finished(out)
    opening = open_clip_training_data if system in TRAINED_ON_CLIPS else open_training_data
    opened = [opening(place) for place in data]
    began = time.perf_counter()
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signal())
        bar = stack.enter_context(progress(counted=True))
        try:
            trained = trainable.train(opened, settings, out, resume, _Shown(bar, stop))
        except TrainingStopped:
            if stop.signal is None:
                raise
            name = signal.Signals(stop.signal).name
            fail(f"stopped by {name}; the same command with --resume goes on", 128 + stop.signal)
    if not is_first_process():
        return
    seconds = time.perf_counter() - began
    if was_finished:
        tell(f"the training in {out} is complete; nothing was left to do")
    if json:
        print_json(
            {
                "system": str(out),
                "fingerprint": trained.fingerprint,
                "dimension": trained.encoder.dimension,
                "seconds": round(seconds, 1),
                "was_complete": was_finished,
            }
        )
        return
    searched = [
        place
        for place, one in zip(data, opened, strict=True)
        if isinstance(one, Dataset | ClipDataset)
    ]
    if not searched:
        tell(f"wrote {out} in {seconds:.0f} s; for its figures evaluate it on data with queries")
        return
    tell(f"wrote {out} in {seconds:.0f} s; its figures:")
    print(f"snapshelf evaluate --system {out} --data {searched[0]}")  # noqa: T201


class _Shown(Monitor):
    """Shows on the terminal how it goes."""

    def __init__(self, bar: "Progress", stop: Stop) -> None:
        self._bar = bar
        self._stop = stop
        self._tasks: dict[str, TaskID] = {}

    def note(self, text: str) -> None:
        if is_first_process():
            tell(text)

    def step(self, name: str, done: int, total: int) -> None:
        if name not in self._tasks:
            for task in self._tasks.values():
                self._bar.remove_task(task)
            self._tasks = {name: self._bar.add_task(name, total=total)}
        self._bar.update(self._tasks[name], completed=done, total=total)

    def epoch(self, figures: "EpochFigures") -> None:
        losses = ", ".join(f"{name} {value:.4f}" for name, value in figures.losses.items())
        tell(
            f"epoch {figures.epoch} of {figures.epochs}: {losses}; "
            f"{figures.pictures_per_second:.0f} pictures/s, {figures.seconds:.0f} s"
        )

    def should_stop(self) -> bool:
        return self._stop.signal is not None
