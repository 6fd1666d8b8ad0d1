"""Who reads and embeds the pictures of an update: threads of this process, or others."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Protocol

from snapshelf.errors import PictureError
from snapshelf.features.pipeline import EmbeddedPicture
from snapshelf.parallel import ordered_map
from snapshelf.shelf.picture_task import PictureTask
from snapshelf.shelf.picture_work import PictureWork

__all__ = ["Decide", "Embedder", "LocalEmbedder"]

READERS = 16
"""Pictures read at a time: enough to keep a web server's answers coming."""

Decide = Callable[[Sequence[PictureTask]], None]
"""Sets `PictureTask.embed` of tasks whose `content` or `error` is known."""


class Embedder(Protocol):
    """Carries out picture tasks."""

    def embed(
        self, tasks: Iterator[PictureTask], decide: Decide
    ) -> Generator[EmbeddedPicture[PictureTask], None, None]:
        """Read pictures, and embed those whose content is new.

        Args:
            tasks: In the feed's order; drawn lazily, in the consumer's thread, and only a bounded
                number ahead of what is yielded.
            decide: Called once for each task that has been read, in the consumer's thread and in
                the tasks' order; one after the other or several at a time.

        Returns:
            A generator of one result for each task, in their order; closing it ends the work.
            What `PictureTask.error` tells is not told again in the result.
        """
        ...


class LocalEmbedder:
    """Carries out picture tasks in threads of this process.

    Args:
        work: What is to be done with each.
        batch_size: Regions embedded at once.
    """

    def __init__(self, work: PictureWork, *, batch_size: int = 32) -> None:
        self._work = work
        self._batch_size = batch_size

    def embed(
        self, tasks: Iterator[PictureTask], decide: Decide
    ) -> Generator[EmbeddedPicture[PictureTask], None, None]:
        """Read pictures, and embed those whose content is new; see `Embedder`."""
        read = ordered_map(self._read, tasks, workers=READERS, ahead=2 * READERS)

        def decided(task: PictureTask) -> PictureTask:
            decide([task])
            return task

        return self._work.embed(map(decided, read), _take, batch_size=self._batch_size)

    def _read(self, task: PictureTask) -> PictureTask:
        """Read a picture's bytes; in a reader thread."""
        if task.read:
            try:
                task.data, task.content = self._work.read(task)
            except PictureError as error:
                task.error = error
        elif task.known is not None:
            task.content = task.known.content
        return task


def _take(task: PictureTask) -> bytes | None:
    """Take the bytes of a picture that must be embedded."""
    if not task.embed:
        return None
    data, task.data = task.data, b""
    return data
