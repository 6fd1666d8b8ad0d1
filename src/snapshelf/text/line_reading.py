"""What a line of text says, from a network that gives every column's character.

Graves, Fernandez, Gomez, Schmidhuber: Connectionist Temporal Classification, ICML 2006; read by the
likeliest path (section 3.2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["TextLine", "likeliest_text", "lines_batch"]

HEIGHT = 48
"""Pixels of a line as the network takes it."""

LEAST_WIDTH = 320
MOST_WIDTH = 3200
"""The network's input has at least and at most so many pixels; shorter lines are filled up."""

BLANK = 0
"""Number of the output that stands for no character."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text that was read.

    Attributes:
        text: What it says.
        confidence: In [0, 1].
    """

    text: str
    confidence: float


def lines_batch(lines: Sequence[RGB]) -> NDArray[np.float32]:
    """Put lines into one input of the network.

    Args:
        lines: Each (h, w, 3) uint8, RGB, [0, 255]; at least one.

    Returns:
        (B, 3, 48, W) float32, BGR, [-1, 1]; shorter lines are filled up with 0.
    """
    widest = max(line.shape[1] / line.shape[0] for line in lines)
    width = min(max(LEAST_WIDTH, int(HEIGHT * widest)), MOST_WIDTH)
    batch = np.zeros((len(lines), 3, HEIGHT, width), np.float32)
    for row, line in zip(batch, lines, strict=True):
        own = min(width, max(1, math.ceil(HEIGHT * line.shape[1] / line.shape[0])))
        scaled = cv2.resize(line, (own, HEIGHT)).astype(np.float32)
        row[:, :, :own] = scaled[:, :, ::-1].transpose(2, 0, 1) / 127.5 - 1
    return batch


def likeliest_text(probabilities: NDArray[np.float32], characters: Sequence[str]) -> TextLine:
    """Read a line by the likeliest path: characters that repeat are one, blanks are left out.

    Args:
        probabilities: (T, C) float32, of each column's characters.
        characters: C of them; the first stands for none.

    Returns:
        The text, and the mean probability of the columns that its characters were read from; 0
        of an empty text.
    """
    path = probabilities.argmax(axis=1)
    read = path != BLANK
    read[1:] &= path[1:] != path[:-1]
    text = "".join(characters[number] for number in path[read])
    confidence = float(probabilities.max(axis=1)[read].mean()) if text else 0.0
    return TextLine(text, confidence)
