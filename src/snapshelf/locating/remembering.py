"""Locators that look for the regions or parts of each picture once, over many systems."""

import hashlib
from collections.abc import Callable
from typing import TypeVar

from snapshelf.locating.locator import Locator
from snapshelf.locating.part_locator import PartLocator
from snapshelf.locating.region import Box, Region
from snapshelf.media.picture import RGB

__all__ = ["RememberingLocator", "RememberingParts"]

T = TypeVar("T")


class RememberingLocator:
    """Gives what another locator gives, and remembers it in memory by the picture's pixels.

    May be used by several threads where the other one may: at worst two look for the same regions.

    Args:
        locator: Locates in pictures that have not been seen yet.
    """

    def __init__(self, locator: Locator) -> None:
        self._locator = locator
        self._located: dict[bytes, tuple[Region, ...]] = {}
        self._candidates: dict[bytes, tuple[Region, ...]] = {}

    @property
    def fingerprint(self) -> str:
        """That of the other locator: the regions are the same."""
        return self._locator.fingerprint

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        """Give the other locator's regions.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
        """
        return _remembered(self._located, self._locator.locate, picture)

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        """Give the other locator's candidates.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
        """
        return _remembered(self._candidates, self._locator.candidates, picture)


class RememberingParts:
    """Gives what another part locator gives, and remembers it in memory by the picture's pixels.

    May be used by several threads, as `RememberingLocator`.

    Args:
        parts: Finds the parts of pictures that have not been seen yet.
    """

    def __init__(self, parts: PartLocator) -> None:
        self._parts = parts
        self._known: dict[bytes, tuple[Box, ...]] = {}

    @property
    def count(self) -> int:
        """How many parts there are."""
        return self._parts.count

    @property
    def fingerprint(self) -> str:
        """That of the other part locator: the boxes are the same."""
        return self._parts.fingerprint

    def __call__(self, picture: RGB) -> tuple[Box, ...]:
        """Give the other part locator's boxes.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
        """
        return _remembered(self._known, self._parts, picture)


def _remembered(known: dict[bytes, T], find: Callable[[RGB], T], picture: RGB) -> T:
    digest = hashlib.blake2b(str(picture.shape).encode(), digest_size=16)
    digest.update(picture.tobytes())
    key = digest.digest()
    if key not in known:
        known[key] = find(picture)
    return known[key]
