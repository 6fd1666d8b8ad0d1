"""A picture's HOG cells at many scales, each once for root filters and twice as fine for parts."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes
from snapshelf.locating.hog import hog, pad_cells
from snapshelf.media.picture import RGB

__all__ = ["Level", "PyramidSettings", "feature_pyramid"]

LEAST_CELLS = 5
"""The pyramid ends where a side of the picture has fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PyramidSettings:
    """How a pyramid is made.

    Attributes:
        cell: Side of a root filter's cell in pixels, even; a part filter's is half of it.
        levels: Levels to an octave.
        longest: Pixels. A picture with a longer side is scaled down first.
        pad: Cells of a root filter that lie around the picture on each side, so that an object
            may stick out of it; parts have twice as many.
    """

    cell: int = 8
    levels: int = 5
    longest: int = 640
    pad: int = 3

    def __post_init__(self) -> None:
        """Refuse settings that make no pyramid.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if self.cell < 4 or self.cell % 2:
            raise ValueError(f"cell must be even and at least 4 pixels, got {self.cell}")
        if self.levels < 1:
            raise ValueError(f"levels must be at least 1 to an octave, got {self.levels}")
        if self.longest < 3 * self.cell:
            raise ValueError(f"longest must be at least 3 cells, got {self.longest} pixels")
        if self.pad < 1:
            raise ValueError(f"pad must be at least 1 cell, got {self.pad}")


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One scale of a picture.

    Attributes:
        cells: (R, C, 32) float32, for root filters, surrounded by `pad` cells.
        parts: (2R, 2C, 32) float32, the same at twice the resolution: cell (r, c) of `cells`
            covers (2r, 2c) to (2r + 1, 2c + 1).
        pad: As `PyramidSettings` has it.
        step: Pixels of the picture to a cell of `cells`: (down, across).
    """

    cells: NDArray[np.float32]
    parts: NDArray[np.float32]
    pad: int
    step: tuple[float, float]

    def boxes(
        self, rows: NDArray[np.intp], columns: NDArray[np.intp], size: tuple[int, int]
    ) -> Boxes:
        """Give where filters lie in the picture.

        Args:
            rows: (N,) int: the first row of `cells` that each filter covers.
            columns: (N,) int.
            size: (rows, columns) of the filter.

        Returns:
            (N, 4) float32 in pixels of the picture; a box may stick out of it.
        """
        top, left = np.asarray(rows) - self.pad, np.asarray(columns) - self.pad
        down, across = self.step
        return np.stack(
            [left * across, top * down, (left + size[1]) * across, (top + size[0]) * down], axis=-1
        ).astype(np.float32)

    def part_boxes(
        self, rows: NDArray[np.intp], columns: NDArray[np.intp], size: tuple[int, int]
    ) -> Boxes:
        """Give where part filters lie in the picture.

        Args:
            rows: (N,) int: the first row of `parts` that each filter covers.
            columns: (N,) int.
            size: (rows, columns) of the filter.

        Returns:
            (N, 4) float32 in pixels of the picture; a box may stick out of it.
        """
        fine = Level(self.parts, self.parts, 2 * self.pad, (self.step[0] / 2, self.step[1] / 2))
        return fine.boxes(rows, columns, size)


def feature_pyramid(picture: RGB, settings: PyramidSettings) -> list[Level]:
    """Describe a picture at many scales.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].
        settings: How.

    Returns:
        At least one level, the finest first: each ``2 ** (-1 / levels)`` times the one before.
        An octave below the finest, the cells of parts are those of roots an octave above.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.
    """
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise ValueError(
            f"picture must be (H, W, 3) uint8 with pixels, got {picture.shape} of {picture.dtype}"
        )
    size = (picture.shape[0], picture.shape[1])
    largest = _scaled(picture, min(1.0, settings.longest / max(size)))
    plain: list[NDArray[np.float32]] = []
    levels: list[Level] = []
    while True:
        number = len(levels)
        scaled = _scaled(largest, 2 ** (-number / settings.levels))
        if number and min(scaled.shape[:2]) < LEAST_CELLS * settings.cell:
            return levels
        plain.append(hog(scaled, settings.cell))
        if number < settings.levels:
            parts = hog(scaled, settings.cell // 2)
        else:
            parts = plain[number - settings.levels]
        levels.append(_level(plain[-1], parts, scaled.shape, size, settings))


def _level(
    cells: NDArray[np.float32],
    parts: NDArray[np.float32],
    scaled: tuple[int, ...],
    size: tuple[int, int],
    settings: PyramidSettings,
) -> Level:
    # The picture's outermost cells, which `hog` leaves out, are outside too.
    rows, columns = (max(round(side / settings.cell), 1) + 2 * settings.pad for side in scaled[:2])
    return Level(
        pad_cells(cells, (rows, columns), settings.pad + 1),
        pad_cells(parts, (2 * rows, 2 * columns), 2 * settings.pad + 1),
        settings.pad,
        (settings.cell * size[0] / scaled[0], settings.cell * size[1] / scaled[1]),
    )


def _scaled(picture: RGB, scale: float) -> RGB:
    height, width = (max(1, round(side * scale)) for side in picture.shape[:2])
    if (height, width) == picture.shape[:2]:
        return picture
    scaled = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return scaled.astype(np.uint8, copy=False)
