"""Backgrounds: photos of streets, shops and homes, of which views take random parts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import cv2
import numpy as np

from snapshelf.errors import DatasetError, PictureError
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.media.picture_file import read_picture_file
from snapshelf.training.augmentation.clutter import draw_clutter
from snapshelf.training.augmentation.layers import Layer, colours, opaque
from snapshelf.training.augmentation.light import exposure
from snapshelf.training.augmentation.source import Source, can_be_cut_out, cut_out
from snapshelf.training.augmentation.warps import corners_of, resample

__all__ = ["Backgrounds"]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".heic"})
SMALLEST_PART = 0.3
TURN = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backgrounds:
    """What stands behind, beside and in front of an item.

    Attributes:
        pictures: Photos, (H, W, 3) uint8 each, RGB; where there are none, clutter is drawn.
        items: Other items, cut out, that may stand beside an item or hide a part of it:
            (h, w, 4) uint8 each, premultiplied; see `with_items`.
        skipped: What could not be read: file and reason each.
    """

    pictures: Sequence[RGB] = ()
    items: Sequence[Layer] = ()
    skipped: Sequence[str] = ()

    @classmethod
    def from_folder(
        cls,
        folder: Path,
        *,
        longest_side: int = 256,
        at_most: int | None = None,
    ) -> Self:
        """Read the pictures of a folder and of those below it, in the order of their paths.

        Args:
            folder: Holds JPEG, PNG, WebP or HEIC files.
            longest_side: Larger ones are shrunk to it. Twice the side of a view is plenty; a
                thousand pictures of 256 pixels take about 130 MB.
            at_most: Read so many, spread evenly over the folder; None reads all.

        Returns:
            The pictures that could be read; the others are in `skipped`.

        Raises:
            DatasetError: If there is no such folder, or no picture in it can be read.
            ValueError: If `longest_side` or `at_most` is below 1.
        """
        _check_side(longest_side)
        if at_most is not None and at_most < 1:
            raise ValueError(f"at_most must be at least 1, got {at_most}")
        if not folder.is_dir():
            raise DatasetError(f"{folder} is no folder, expected one of pictures for backgrounds")
        files = sorted(
            path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()
        )
        if at_most is not None and len(files) > at_most:
            files = [files[len(files) * number // at_most] for number in range(at_most)]
        pictures, skipped = [], []
        for file in files:
            try:
                pictures.append(_shrunk(decode_picture(read_picture_file(file)), longest_side))
            except PictureError as error:
                skipped.append(f"{file.relative_to(folder)}: {error}")
        if not pictures:
            reason = f"; the first was refused: {skipped[0]}" if skipped else ""
            raise DatasetError(
                f"{folder} holds no picture that can be a background "
                f"(JPEG, PNG, WebP or HEIC){reason}"
            )
        return cls(pictures=tuple(pictures), skipped=tuple(skipped))

    def with_items(self, sources: Sequence[Source], *, longest_side: int = 160) -> Self:
        """Give the same backgrounds with other items.

        Args:
            sources: Pictures with mattes; those whose item can't be told from the background
                are left out.
            longest_side: Larger ones are shrunk to it.

        Raises:
            ValueError: If `longest_side` is below 1.
        """
        _check_side(longest_side)
        layers = [
            _shrunk(cut_out(source), longest_side) for source in sources if can_be_cut_out(source)
        ]
        return replace(self, items=tuple(layers))

    def draw(
        self, size: tuple[int, int], rng: np.random.Generator, *, procedural: float = 0.0
    ) -> RGB:
        """Give a background: a part of one of the pictures, turned, lit anew and often blurred.

        Args:
            size: (H, W) in pixels.
            rng: Draws the picture, its part and the rest.
            procedural: Probability of drawn clutter though there are pictures.

        Returns:
            (H, W, 3) uint8, RGB, [0, 255]; a new array.
        """
        drawn = rng.random() < procedural
        if drawn or not self.pictures:
            return draw_clutter(size, rng)
        picture = self.pictures[int(rng.integers(len(self.pictures)))]
        view = _part(picture, size, rng)
        view = exposure(view, rng, 0.6)
        if rng.random() < 0.5:
            side = 2 * round(rng.uniform(0, 0.02) * max(size)) + 1
            # A box twice is near enough to a lens for what isn't looked at.
            view = np.asarray(cv2.blur(cv2.blur(view, (side, side)), (side, side)), np.uint8)
        return view


def _check_side(longest_side: int) -> None:
    if longest_side < 1:
        raise ValueError(f"longest_side must be at least 1, got {longest_side}")


def _shrunk(picture: Layer, longest_side: int) -> Layer:
    scale = longest_side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _part(picture: RGB, size: tuple[int, int], rng: np.random.Generator) -> RGB:
    """Bring a random part of a picture, mirrored half the time and turned a little, to a size."""
    height, width = picture.shape[:2]
    share = rng.uniform(SMALLEST_PART, 1.0)
    scale = max(size[1] / width, size[0] / height) / share
    part = (size[1] / scale, size[0] / scale)
    x = rng.uniform(part[0] / 2, max(width - part[0] / 2, part[0] / 2))
    y = rng.uniform(part[1] / 2, max(height - part[1] / 2, part[1] / 2))
    degrees = rng.uniform(-TURN, TURN)
    # Only the part, and what turning brings in, is worth the work.
    reach = 0.6 * max(part) + 2
    left, right = max(0, int(x - reach)), min(width, int(x + reach) + 1)
    top, bottom = max(0, int(y - reach)), min(height, int(y + reach) + 1)
    cut = np.ascontiguousarray(picture[top:bottom, left:right])
    centre = (
        size[1] / 2 + ((left + right) / 2 - x) * scale,
        size[0] / 2 + ((top + bottom) / 2 - y) * scale,
    )
    sides = ((right - left) * scale, (bottom - top) * scale)
    corners = corners_of(centre, sides, degrees)
    if rng.random() < 0.5:
        corners[:, 0] = size[1] - corners[:, 0]
    view = resample(opaque(cut), corners, size, border=cv2.BORDER_REFLECT_101, whole=True).layer
    return colours(view)
