"""From the numbers that a search finds to what they show."""

import sqlite3

import numpy as np
from numpy.typing import NDArray

from snapshelf.store.reading import read_labels
from snapshelf.store.records import Hit
from snapshelf.store.view import View

__all__ = ["read_hits"]


def read_hits(
    db: sqlite3.Connection,
    view: View,
    regions: NDArray[np.int64],
    similarities: NDArray[np.float32],
) -> list[Hit]:
    """Tell what a ranking shows: from the index where it has the row, else from the database.

    Args:
        db: Inside a transaction that sees the view's version.
        view: The view that was searched.
        regions: (K,) int64, region numbers, best first.
        similarities: (K,) float32.
    """
    numbers = regions.tolist()
    labels = view.index.labels_of(regions) if view.index and len(view.index.regions) else {}
    if missing := [number for number in numbers if number not in labels]:
        labels |= read_labels(db, missing)
    return [
        Hit(*labels[number], similarity, number)
        for number, similarity in zip(numbers, similarities.tolist(), strict=True)
    ]
