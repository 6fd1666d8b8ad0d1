"""`TextReader`: the words on the packs that a picture shows."""

import hashlib
import threading
from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.text.line_finding import cut_line, find_lines
from snapshelf.text.line_reading import TextLine, likeliest_text, lines_batch
from snapshelf.text.text_models import FINDER, READER, Network, load_network, model_file
from snapshelf.text.words import words_of

__all__ = ["TextReader", "WordReader", "read_lines"]

SIDE = 800
"""A picture is scaled until its longer side has so many pixels, small ones at most by `LARGER`."""

LARGER = 5.0

STEP = 32
"""The sides of what the finding network takes are multiples of this."""

BATCH = 6
"""Lines read at a time, of similar lengths."""


class WordReader(Protocol):
    """Reads the words that a picture shows."""

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides what is read."""
        ...

    def read(self, picture: RGB) -> tuple[str, ...]:
        """Read a picture; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], from 1 x 1.

        Returns:
            Words as `words_of` gives them.
        """
        ...


class TextReader:
    """Reads with the published networks, which are loaded when the first picture comes.

    Raises:
        MissingWeightsError: If a network is not on this machine.
    """

    def __init__(self) -> None:
        self._files = model_file(FINDER), model_file(READER)
        self._lock = threading.Lock()
        self._loaded: tuple[Network, Network, Sequence[str]] | None = None

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides what is read."""
        parts = f"words 1 {SIDE} {LARGER} {FINDER.digest} {READER.digest}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def read(self, picture: RGB) -> tuple[str, ...]:
        """Read the words of a picture.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Raises:
            ModelError: If a network's file is not the published one.
        """
        return words_of(read_lines(picture, *self._networks()))

    def _networks(self) -> tuple[Network, Network, Sequence[str]]:
        with self._lock:
            if self._loaded is None:
                finder, _ = load_network(self._files[0], FINDER)
                reader, characters = load_network(self._files[1], READER)
                self._loaded = finder, reader, characters
            return self._loaded


def read_lines(
    picture: RGB, finder: Network, reader: Network, characters: Sequence[str]
) -> list[TextLine]:
    """Find the lines of text in a picture, and read them.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], from 1 x 1.
        finder: (1, 3, H', W') float32, BGR, [-1, 1], to (1, 1, H', W'), the map of `find_lines`.
        reader: What `lines_batch` gives to (B, T, C), what `likeliest_text` takes.
        characters: The C that the reader's outputs stand for.

    Returns:
        The lines, in no order; none of a blank or tiny picture.
    """
    scale = min(SIDE / max(picture.shape[:2]), LARGER)
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(picture, (width, height), interpolation=method), np.uint8)
    rows, columns = (max(1, round(side / STEP)) * STEP for side in (height, width))
    inputs = cv2.resize(scaled, (columns, rows)).astype(np.float32) / 127.5 - 1
    shown = finder(np.ascontiguousarray(inputs[:, :, ::-1].transpose(2, 0, 1)[np.newaxis]))[0, 0]
    back = np.array((width / columns, height / rows), np.float32)
    cut = [cut_line(scaled, corners * back) for corners in find_lines(shown)]
    # A line in a batch is filled up to the longest, so those of similar lengths go together.
    cut.sort(key=lambda line: line.shape[1] / line.shape[0])
    lines = []
    for start in range(0, len(cut), BATCH):
        outputs = reader(lines_batch(cut[start : start + BATCH]))
        lines += [likeliest_text(each, characters) for each in outputs]
    return lines
