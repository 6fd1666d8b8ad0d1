"""Pictures, sources and settings that the tests of the augmentation share."""

from dataclasses import replace

import cv2
import numpy as np

from snapshelf.features.encoder import Domain
from snapshelf.training.augmentation import DomainShift, Effect, Source


def mug(size=(90, 70), colour=(30, 60, 170)):
    """A blue box with a white label on white, and its exact matte."""
    matte = np.zeros(size, np.float32)
    top, left = size[0] // 6, size[1] // 6
    matte[top : size[0] - top, left : size[1] - left] = 1
    picture = np.full((*size, 3), 255, np.uint8)
    picture[matte == 1] = colour
    picture[size[0] // 2 : size[0] // 2 + 6, left + 4 : size[1] // 2] = 250
    return Source(picture, matte, Domain.SHOP)


def photo(size=(80, 110), seed=0):
    """A smooth picture without a plain border."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 7, 3), np.uint8)
    picture = cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC)
    return Source(picture, None, Domain.STREET)


def only(**effects):
    """Settings under which nothing but this happens; True stands for always, at full strength."""
    always = Effect(1.0, (1.0, 1.0))
    values = {name: always if value is True else value for name, value in effects.items()}
    return replace(DomainShift.none(), **values)
