"""The lock that keeps a second writer off a shelf, and what that one is told."""

from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from snapshelf.errors import ShelfError, ShelfLockedError
from snapshelf.store.creation import LOCK
from snapshelf.store.records import Run

__all__ = ["take_lock", "writer_lock"]


def writer_lock(folder: Path) -> FileLock:
    """Give the lock of a shelf's folder, not taken yet; any thread may release it."""
    return FileLock(folder / LOCK, thread_local=False)


def take_lock(lock: FileLock, folder: Path, latest_run: Callable[[], Run | None]) -> None:
    """Take a writer's lock, or say who has it.

    Args:
        lock: As `writer_lock` gives it.
        folder: The shelf's folder.
        latest_run: Reads the latest indexing run, which is the other writer's if it is not
            finished; called only where the lock is taken.

    Raises:
        ShelfLockedError: If another process holds the lock.
        ShelfError: If the folder cannot be written.
    """
    try:
        lock.acquire(timeout=0)
    except Timeout:
        run = latest_run()
        who = (
            f"process {run.process} has been indexing {run.feed} since {run.started}"
            if run is not None and not run.finished
            else "another process holds its lock"
        )
        raise ShelfLockedError(
            f"{folder} is being written to: {who}; wait for it to finish, or end it "
            "(nothing it has committed is lost)"
        ) from None
    except OSError as error:
        raise ShelfError(
            f"{folder} cannot be written: {error.strerror or error}; check the "
            "folder's permissions, or open it for searching only"
        ) from error
