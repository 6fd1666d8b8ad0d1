"""`GridParts`: parts that are where a grid says, whatever the picture shows."""

from dataclasses import dataclass

from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB

__all__ = ["GridParts"]


@dataclass(frozen=True, slots=True)
class GridParts:
    """Takes the cells of a grid over the whole picture as parts; neighbours overlap.

    Attributes:
        rows: At least 1.
        columns: At least 1.
        share: In (0, 1], how much of the picture's height and width a part covers. The parts are
            spread evenly, the outer ones flush with the picture's edges.

    Example:
        >>> import numpy as np
        >>> GridParts(1, 2, share=0.6)(np.zeros((10, 100, 3), np.uint8))
        ((0.0, 2.0, 60.0, 8.0), (40.0, 2.0, 100.0, 8.0))
    """

    rows: int = 2
    columns: int = 2
    share: float = 0.6

    def __post_init__(self) -> None:
        """Refuse a grid without a cell.

        Raises:
            ValueError: Names the attribute, what was expected and what came.
        """
        if self.rows < 1 or self.columns < 1:
            raise ValueError(f"rows and columns must be at least 1, got {self.rows, self.columns}")
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be in (0, 1], got {self.share}")

    @property
    def count(self) -> int:
        """How many parts there are."""
        return self.rows * self.columns

    @property
    def fingerprint(self) -> str:
        """The grid's numbers."""
        return f"grid {self.rows} x {self.columns} of {self.share}"

    def __call__(self, picture: RGB) -> tuple[Box, ...]:
        """Give the cells, row by row.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            `count` boxes within the picture.
        """
        height, width = picture.shape[:2]
        down = _spread(height, self.rows, self.share)
        across = _spread(width, self.columns, self.share)
        return tuple((left, top, right, bottom) for top, bottom in down for left, right in across)


def _spread(length: int, count: int, share: float) -> list[tuple[float, float]]:
    """Give the ends of so many equal parts of a side; one alone lies in the middle."""
    part = length * share
    free = length - part
    starts = [free / 2] if count == 1 else [free * n / (count - 1) for n in range(count)]
    return [(start, start + part) for start in starts]
