"""``clips.csv`` of `ClipPairs`: where an item is at one time of a video."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from snapshelf.datasets.clips.table_reading import TEST, TRAIN, named_rows, number
from snapshelf.datasets.published_files import find_picture
from snapshelf.errors import DatasetError
from snapshelf.locating.region import Box

__all__ = ["ClipRow", "read_clip_rows"]

SIDES = ("x0", "y0", "x1", "y1")


@dataclass(frozen=True, slots=True)
class ClipRow:
    """One row.

    Attributes:
        where: ``FILE:LINE``.
        video: Its path relative to the folder.
        time: In seconds, at least 0.
        box: The item in pixels of the frame; None where the row tells none.
        product_id: What the item is; not empty.
        track: Tells items of the same product in one video apart; "" where there is no need.
        split: "train" or "test".
    """

    where: str
    video: str
    time: float
    box: Box | None
    product_id: str
    track: str
    split: str


def read_clip_rows(root: Path) -> Iterator[ClipRow]:
    """Read the rows of ``clips.csv``.

    Args:
        root: The folder that holds it and, below it, the videos.

    Raises:
        DatasetError: If the table is missing or malformed or has no row, or a video is not there
            or outside the folder.
    """
    path = root / "clips.csv"
    expected = "a folder with clips.csv and products.csv (see docs/clips.md)"
    needed = ("clip", "time", *SIDES, "product")
    found = False
    for where, row in named_rows(path, needed, ("split", "track"), expected):
        found = True
        if not row["clip"] or not row["product"]:
            raise DatasetError(f"{where}: expected a clip and a product, got {dict(row)}")
        time = number(where, "time", row["time"])
        if time < 0:
            raise DatasetError(f"{where}: expected time to be at least 0, got {time:g}")
        split = row["split"] or TEST
        if split not in (TRAIN, TEST):
            raise DatasetError(f"{where}: expected split to be train or test, got {split[:40]!r}")
        yield ClipRow(
            where,
            find_picture(root, where, row["clip"]),
            time,
            _box(where, row),
            row["product"],
            row["track"],
            split,
        )
    if not found:
        raise DatasetError(f"{path} lists no clip, expected some")


def _box(where: str, row: Mapping[str, str]) -> Box | None:
    if not any(row[side] for side in SIDES):
        return None
    x0, y0, x1, y1 = (number(where, side, row[side]) for side in SIDES)
    if x1 <= x0 or y1 <= y0:
        raise DatasetError(
            f"{where}: expected x0 < x1 and y0 < y1 in pixels, or all four empty for the whole "
            f"frame, got {x0:g}, {y0:g}, {x1:g}, {y1:g}"
        )
    return x0, y0, x1, y1
