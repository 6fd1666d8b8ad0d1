"""Files that are there whole or not at all, whenever the process or the machine ends."""

import os
from pathlib import Path

from snapshelf.process_rank import process_rank

__all__ = ["write_whole"]


def write_whole(file: Path, data: bytes) -> None:
    """Write a file so that a kill leaves the old one, or none.

    Processes that train together may write the same file, with the same data, at one time.

    Its permissions are those that a new file of the user has, so that others read it as they read
    the rest of the folder.

    Args:
        file: An existing one is replaced.
        data: What it shall hold.
    """
    rank = process_rank()
    partial = file.with_name(f"{file.name}.{rank}.partial" if rank else f"{file.name}.partial")
    with partial.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)
