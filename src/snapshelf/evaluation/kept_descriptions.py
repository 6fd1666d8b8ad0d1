"""`KeptDescriptions`: what re-ranking needs of each row of an evaluation, in a file, not in memory.

A description takes tens of kilobytes, so those of a large gallery would not fit.
"""

import os
import tempfile
from collections.abc import Iterable, Sequence

__all__ = ["KeptDescriptions"]


class KeptDescriptions:
    """Descriptions in a nameless temporary file, in the order in which they were added.

    The file is gone once it is closed, and whatever becomes of the process.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(  # noqa: SIM115 - `close` closes it
            prefix="snapshelf-descriptions-", buffering=0
        )
        self._ends = [0]

    def __len__(self) -> int:
        """Give the number of descriptions."""
        return len(self._ends) - 1

    def extend(self, descriptions: Iterable[bytes]) -> None:
        """Add descriptions at the end.

        Raises:
            OSError: If there is no room for them.
        """
        for description in descriptions:
            left = memoryview(description)
            while left:
                left = left[self._file.write(left) :]
            self._ends.append(self._ends[-1] + len(description))

    def __getitem__(self, number: int) -> bytes:
        """Read a description by its number, from 0."""
        if not 0 <= number < len(self):
            raise IndexError(f"number must be in [0, {len(self)}), got {number}")
        start, end = self._ends[number : number + 2]
        return os.pread(self._file.fileno(), end - start, start)

    def descriptions(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Read descriptions by their numbers, from 0."""
        return {number: self[number] for number in numbers}

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
