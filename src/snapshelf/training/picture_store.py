"""`PictureStore`: every training picture decoded once, small, and at hand in every process."""

import contextlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB
from snapshelf.parallel import ordered_map
from snapshelf.training.augmentation.matting import alpha_matte
from snapshelf.training.training_picture import read_training_picture

__all__ = ["PictureStore", "WantedPicture"]

RAW_FILE = "pictures.raw"
"""Pixels beyond the budget, one picture after the other, without any header."""


@dataclass(frozen=True, slots=True)
class WantedPicture:
    """A picture to keep.

    Attributes:
        path: Its file.
        box: The part of it that shows the product; None for all of it.
        matte: Whether to keep its matte too, which is the costly part of an augmentation.
    """

    path: Path
    box: Box | None = None
    matte: bool = False


class PictureStore:
    """Decoded pictures and mattes by number. Use `build`.

    What is within the budget is in memory, the rest in a file that is mapped into memory. A
    store can be handed to worker processes in any way that Python starts them: a forked one
    shares both, a spawned one gets a copy of the first and maps the second again.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._parts: list[NDArray[np.uint8] | tuple[int, tuple[int, ...]]] = []
        self._pictures: list[int] = []
        self._mattes: dict[int, int] = {}
        self._mapped: NDArray[np.uint8] | None = None

    @classmethod
    def build(
        cls,
        wanted: Sequence[WantedPicture],
        *,
        side: int,
        budget: int,
        folder: Path,
        workers: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Self:
        """Read pictures through the guarded decoder, cut out their boxes and shrink them.

        Args:
            wanted: The pictures; their numbers are their places here.
            side: Largest side in pixels, at least 1; smaller pictures stay as they are.
            budget: Bytes of pixels that may stay in memory, at least 0.
            folder: Where the rest is written, as one file; made if it is needed.
            workers: Threads that read and decode; None for one for each processor.
            progress: Called with the number of pictures done and of all.

        Raises:
            TrainingError: If a picture cannot be read or decoded; names the file.
            ValueError: If `side`, `budget` or `workers` is out of range.
        """
        if side < 1 or budget < 0:
            raise ValueError(f"expected side >= 1 and budget >= 0, got {side} and {budget}")
        workers = (os.cpu_count() or 1) if workers is None else workers
        store = cls(folder / RAW_FILE)
        writer = _Writer(folder / RAW_FILE, budget)
        pairs = ordered_map(
            lambda one: _load(one, side), wanted, workers=workers, ahead=4 * workers
        )
        try:
            for number, (picture, matte) in enumerate(pairs):
                store._pictures.append(len(store._parts))
                store._parts.append(writer.keep(picture))
                if matte is not None:
                    store._mattes[number] = len(store._parts)
                    store._parts.append(writer.keep(matte))
                if progress is not None:
                    progress(number + 1, len(wanted))
        finally:
            writer.close()
        return store

    def __len__(self) -> int:
        return len(self._pictures)

    def picture(self, number: int) -> RGB:
        """Give a picture.

        Args:
            number: In [0, len).

        Returns:
            (H, W, 3) uint8, RGB, [0, 255]; not to be written to.
        """
        return self._part(self._pictures[number])

    def matte(self, number: int) -> NDArray[np.float32] | None:
        """Give a picture's matte.

        Args:
            number: In [0, len).

        Returns:
            (H, W) float32 in [0, 1], in steps of 1/255; None where none was wanted.
        """
        place = self._mattes.get(number)
        if place is None:
            return None
        return self._part(place).astype(np.float32) * np.float32(1 / 255)

    def close(self) -> None:
        """Remove the file, if there is one, and its folder; the pictures in it are gone."""
        self._mapped = None
        if self._file is not None and self._file.is_file():
            self._file.unlink()
            with contextlib.suppress(OSError):  # somebody else's file is in it
                self._file.parent.rmdir()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_mapped": None}

    def _part(self, place: int) -> NDArray[np.uint8]:
        part = self._parts[place]
        if isinstance(part, np.ndarray):
            return part
        start, shape = part
        if self._mapped is None:
            assert self._file is not None
            self._mapped = np.memmap(self._file, np.uint8, mode="r")
        size = int(np.prod(shape))
        return np.asarray(self._mapped[start : start + size]).reshape(shape)


class _Writer:
    """Keeps arrays in memory as long as they fit, then writes them one after the other."""

    def __init__(self, file: Path, budget: int) -> None:
        self._file = file
        self._left = budget
        self._stream: Any = None

    def keep(self, array: NDArray[np.uint8]) -> NDArray[np.uint8] | tuple[int, tuple[int, ...]]:
        """Give the array back, or where in the file it is."""
        if array.nbytes <= self._left and self._stream is None:
            self._left -= array.nbytes
            array.setflags(write=False)
            return array
        if self._stream is None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._file.open("wb")
        start: int = self._stream.tell()
        self._stream.write(np.ascontiguousarray(array).data)
        return start, array.shape

    def close(self) -> None:
        """End the file."""
        if self._stream is not None:
            self._stream.close()


def _load(wanted: WantedPicture, side: int) -> tuple[RGB, NDArray[np.uint8] | None]:
    """Decode a picture, cut its box out, shrink it and make its matte."""
    picture = read_training_picture(wanted.path, wanted.box)
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        shrunk: RGB = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        picture = shrunk
    # A part of a picture would keep all of it in memory.
    picture = picture if picture.base is None else picture.copy()
    if not wanted.matte:
        return picture, None
    return picture, np.round(alpha_matte(picture) * 255).astype(np.uint8)
