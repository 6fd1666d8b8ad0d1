"""The folder of a training: begun, gone on with, or refused."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snapshelf.process_rank import process_rank
from snapshelf.training.training_error import TrainingError
from snapshelf.whole_file import write_whole

__all__ = [
    "RECORD_FILE",
    "begin",
    "check_folder",
    "check_record",
    "is_finished",
    "is_first_process",
]

RECORD_FILE = "training.json"
"""What the training was begun with; a folder that has it is a training's."""

PARTIAL_FILE = f"{RECORD_FILE}.partial"
"""All that is there if the process ended while it wrote the record."""

PATIENCE_S = 600.0
"""Reading the same data, no process is that much faster than the first."""

SYSTEM_FILE = "system.json"
"""Written last: a folder that has it is a system."""


def is_first_process() -> bool:
    """Whether this is the process that the user started, not one that trains beside it."""
    return process_rank() == 0


def check_folder(out: Path, *, resume: bool) -> None:
    """Refuse a folder that a training may not write to.

    Args:
        out: The folder; it need not be there, only the one that holds it.
        resume: Whether a training in it may be gone on with.

    Raises:
        TrainingError: If it is a file, its parent is missing, it holds something else than a
            training, or it holds a training that is not to be gone on with.
    """
    if not out.parent.is_dir():
        raise TrainingError(f"there is no folder {out.parent}; make it, or give another path")
    if out.exists() and not out.is_dir():
        raise TrainingError(f"{out} is a file; give a folder's path")
    if not out.is_dir() or {file.name for file in out.iterdir()} <= {PARTIAL_FILE}:
        return
    if not (out / RECORD_FILE).is_file():
        raise TrainingError(
            f"{out} holds something else than a training; give another folder, or empty it"
        )
    if not resume:
        state = "a finished training" if is_finished(out) else "a training that was cut off"
        raise TrainingError(
            f"{out} holds {state}; add --resume to go on with it, or give another folder"
        )


def is_finished(out: Path) -> bool:
    """Whether the training in a folder has been finished."""
    return (out / SYSTEM_FILE).is_file()


def check_record(out: Path, record: Mapping[str, Any]) -> None:
    """Check that a training that was begun is gone on with the same.

    Args:
        out: A folder that `check_folder` accepts; where no training was begun, all is well.
        record: Settings and data, as JSON can hold them.

    Raises:
        TrainingError: If the folder's training was begun with something else; names it.
    """
    file = out / RECORD_FILE
    if not file.is_file():
        return
    try:
        before = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise TrainingError(f"{file} cannot be read as JSON: {error}") from error
    differing = _differing(before, json.loads(json.dumps(record)))
    if differing:
        raise TrainingError(
            f"{out} holds a training of something else: {differing}. Go on with the same data "
            "and configuration, or train in another folder"
        )


def begin(out: Path, record: Mapping[str, Any]) -> None:
    """Note what a training is begun with.

    The first process does, and the others wait for it.

    Args:
        out: A folder that `check_folder` accepts; made if need be. A record that it has stays.
        record: Settings and data, as JSON can hold them.

    Raises:
        TrainingError: If the first process does not begin here.
    """
    file = out / RECORD_FILE
    if file.is_file():
        return
    if not is_first_process():
        _wait_for(file)
        return
    out.mkdir(exist_ok=True)
    write_whole(file, (json.dumps(record, indent=2) + "\n").encode())


def _wait_for(file: Path) -> None:
    """Wait until the first process has written its record."""
    end = time.monotonic() + PATIENCE_S
    while not file.is_file():
        if time.monotonic() > end:
            raise TrainingError(
                f"the first process did not begin in {file.parent} within {PATIENCE_S:.0f} s; "
                "train in a folder that all machines share"
            )
        time.sleep(0.1)


def _differing(before: Any, now: Any, name: str = "") -> str:
    """Name the first difference of two JSON values; empty if there is none."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            inner = f"{name}.{key}" if name else key
            if found := _differing(before.get(key), now.get(key), inner):
                return found
        return ""
    return "" if before == now else f"{name} was {_short(before)}, is {_short(now)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
