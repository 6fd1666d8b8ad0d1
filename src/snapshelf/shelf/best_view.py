"""Which of a trajectory's steps shows its item best."""

import heapq
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.media.picture import RGB

__all__ = ["BestViews", "View", "detail"]

_SIDE = 160
"""Pixels of the longer side at which detail is measured: more of them tell no more of an item."""


def detail(picture: RGB) -> float:
    """Measure how much detail a picture of an item has: how sharp and how large it is at once.

    The standard deviation of the Laplacian (Pech-Pacheco and others: Diatom autofocusing in
    brightfield microscopy, ICPR 2000, has its variance) once the longer side is brought to 160
    pixels. Blur takes it away, and a small picture, being enlarged, has as little.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].

    Returns:
        At least 0, 0 for a plain one.
    """
    height, width = picture.shape[:2]
    ratio = _SIDE / max(height, width)
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    method = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    return float(cv2.Laplacian(cv2.resize(grey, size, interpolation=method), cv2.CV_32F).std())


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A step of a trajectory.

    Attributes:
        step: Its place among those looked at.
        detail: See `detail`.
        picture: (h, w, 3) uint8, RGB, cut to the item.
    """

    step: int
    detail: float
    picture: RGB


class BestViews:
    """Keeps the few steps of a trajectory with the most detail, as they come.

    Args:
        most: How many, at least 1.
    """

    def __init__(self, most: int = 3) -> None:
        self._most = most
        self._kept: list[tuple[float, int, View]] = []

    def add(self, step: int, picture: RGB) -> None:
        """Look at a step.

        Args:
            step: Its place; each once.
            picture: (h, w, 3) uint8, RGB, cut to the item.
        """
        view = View(step, detail(picture), picture)
        entry = (view.detail, -step, view)
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, entry)
        else:
            heapq.heappushpop(self._kept, entry)

    def most_typical(self, embeddings: NDArray[np.float32]) -> View:
        """Give the one of them that looks most like all steps together.

        What passes in front of an item is sharp too, and the mean tells it from the item.

        Args:
            embeddings: (L, D) float32, one row for each step added.

        Returns:
            The view whose embedding is nearest to the mean of all.
        """
        mean = embeddings.mean(axis=0)
        views = sorted((view for _, _, view in self._kept), key=lambda view: -view.detail)
        return max(views, key=lambda view: float(embeddings[view.step] @ mean))
