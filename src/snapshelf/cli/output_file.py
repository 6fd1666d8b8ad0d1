"""Files that a command writes: refused before the work is done, and never over something else."""

from collections.abc import Iterable
from pathlib import Path

from snapshelf.cli.console import fail

__all__ = ["JSON", "PAGE", "check_output"]

PAGE = b"<!doctype html"
"""How a page of ours begins."""

JSON = b"{"
"""How a JSON object begins, and JSON Lines."""


def check_output(file: Path, option: str, *, begins: bytes, inputs: Iterable[Path] = ()) -> None:
    """Refuse a file that cannot be written, or that holds something else than what it would hold.

    The latter is mostly a slip, such as ``--html *.jpg``. Devices and pipes pass.

    Args:
        file: Where the user wants the output.
        option: The option that said so, for the message.
        begins: How such output begins, in small letters.
        inputs: Files that the command reads.

    Raises:
        typer.Exit: If it is refused, with the reason told.
    """
    if file.is_dir():
        fail(f"{option}: {file} is a folder; give a file's path")
    if not file.parent.is_dir():
        fail(f"{option}: there is no folder {file.parent}; make it, or give another path")
    if not file.is_file() or file.stat().st_size == 0:
        return
    if any(place.exists() and file.samefile(place) for place in inputs):
        fail(f"{option}: {file} is what the command reads; give another path")
    with file.open("rb") as there:
        if there.read(len(begins)).lower() != begins:
            fail(f"{option}: {file} holds something else; give another path, or remove it first")
