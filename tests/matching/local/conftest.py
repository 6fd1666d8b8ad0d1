"""Prints with key points, and photos of them."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def draw_print(seed: int, size: int = 300) -> Picture:
    """Draw a label with many corners, on white."""
    rng = np.random.default_rng(seed)
    picture = np.full((size, size, 3), 255, np.uint8)
    for _ in range(70):
        x, y = (int(value) for value in rng.integers(20, size - 50, 2))
        colour = tuple(int(value) for value in rng.integers(0, 255, 3))
        width, height = (int(value) for value in rng.integers(5, 40, 2))
        cv2.rectangle(picture, (x, y), (x + width, y + height), colour, -1)
    return picture


def photograph(label: Picture, seed: int = 0) -> Picture:
    """Show a label from another side, smaller, on clutter."""
    size = len(label)
    corners = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    seen = np.array([[90, 60], [330, 80], [310, 330], [70, 300]], np.float32)
    mapping = cv2.getPerspectiveTransform(corners, seen)
    clutter = np.random.default_rng(seed).integers(0, 255, (20, 20, 3)).astype(np.uint8)
    ground = cv2.resize(clutter, (400, 400), interpolation=cv2.INTER_CUBIC)
    shown = cv2.warpPerspective(label, mapping, (400, 400))
    mask = cv2.warpPerspective(np.full(label.shape, 255, np.uint8), mapping, (400, 400))
    return np.where(mask > 0, shown, ground).astype(np.uint8)


@pytest.fixture(scope="session")
def labels() -> list[Picture]:
    return [draw_print(seed) for seed in range(6)]


@pytest.fixture(scope="session")
def photo(labels: list[Picture]) -> Picture:
    """A photo of the label number 4."""
    return photograph(labels[4])
