"""Drawn pictures with objects whose boxes are known, and small part models."""

from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from snapshelf.locating.boxes import as_boxes
from snapshelf.locating.feature_pyramid import PyramidSettings
from snapshelf.locating.part_model import Component, Part, PartModel


@dataclass(frozen=True)
class Drawn:
    """A `BoxedPicture` in memory."""

    pixels: np.ndarray
    boxes: np.ndarray

    def read(self):
        return self.pixels


@pytest.fixture(scope="session")
def draw():
    """Draw lamps, a disc on a foot, among bars and discs alone."""

    def draw_picture(seed, objects=1, size=(170, 210)):
        rng = np.random.default_rng(seed)
        pixels = np.full((*size, 3), rng.integers(90, 160, 3), np.uint8)
        for _ in range(6):
            x, y = (int(value) for value in rng.integers(0, size[1], 2))
            colour = tuple(int(value) for value in rng.integers(0, 255, 3))
            if rng.random() < 0.5:
                cv2.rectangle(pixels, (x, y), (x + int(rng.integers(5, 60)), y + 7), colour, -1)
            else:
                cv2.circle(pixels, (x, y), int(rng.integers(4, 14)), colour, -1)
        boxes = []
        for number in range(objects):
            scale = rng.uniform(0.9, 1.5)
            width, height = round(44 * scale), round(60 * scale)
            room = size[1] // objects
            x = number * room + int(rng.integers(0, max(room - width, 1)))
            y = int(rng.integers(0, size[0] - height))
            dark = tuple(int(value) for value in rng.integers(0, 60, 3))
            shift = int(rng.integers(-4, 5) * scale)
            middle = (x + width // 2 + shift, y + round(20 * scale))
            cv2.rectangle(pixels, (x, y), (x + width - 1, y + height - 1), (235, 235, 235), -1)
            cv2.circle(pixels, middle, round(16 * scale), dark, -1)
            foot = y + round(48 * scale)
            cv2.rectangle(pixels, (x + 4, foot), (x + width - 5, y + height - 4), dark, -1)
            boxes.append((x, y, x + width, y + height))
        return Drawn(pixels, as_boxes(boxes))

    return draw_picture


@pytest.fixture
def random_model():
    """A model of random weights: two components, with and without parts."""

    def make(seed=0, scale=0.05, parts=2):
        rng = np.random.default_rng(seed)

        def weights(*size):
            return rng.normal(0, scale, (*size, 32)).astype(np.float32)

        def part(height, width, row, column):
            deformation = (*rng.normal(0, 0.02, 2), *rng.uniform(0.01, 0.1, 2))
            return Part(weights(height, width), (row, column), tuple(map(float, deformation)))

        chosen = (part(3, 4, 0, 1), part(2, 2, 4, 5), part(3, 4, 2, 0))[:parts]
        components = (
            Component(weights(4, 5), float(rng.normal()), chosen),
            Component(weights(3, 3), float(rng.normal())),
        )
        return PartModel(components, PyramidSettings(levels=2, longest=120, pad=2))

    return make
