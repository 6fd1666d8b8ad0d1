"""What a deformable part model starts from: aspect ratios of boxes, and the energy of its roots.

Felzenszwalb, Girshick, McAllester, Ramanan, PAMI 2010, Section 5.2.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes
from snapshelf.locating.latent_examples import START
from snapshelf.locating.part_model import Component, Part

__all__ = ["aspect_clusters", "place_parts", "root_size"]


def aspect_clusters(boxes: Boxes, count: int) -> NDArray[np.intp]:
    """Part boxes into groups of equal size by height over width.

    Args:
        boxes: (N, 4) float32, none degenerate.
        count: Groups, at least 1.

    Returns:
        (N,) int in [0, count): the group of each box, 0 the widest ones. Boxes that are as wide
        go by their order, so it may be that equal ones are parted.

    Raises:
        ValueError: If a box is degenerate, or there are fewer boxes than groups.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    if not (sides > 0).all():
        raise ValueError("boxes must have width and height, got a degenerate one")
    if not 1 <= count <= len(boxes):
        raise ValueError(f"count must be in [1, {len(boxes)}], the number of boxes, got {count}")
    groups = np.empty(len(boxes), np.intp)
    order = np.argsort(sides[:, 1] / sides[:, 0], kind="stable")
    groups[order] = np.arange(len(boxes)) * count // len(boxes)
    return groups


def root_size(boxes: Boxes, cells: int) -> tuple[int, int]:
    """Give the size of a root filter for boxes of about one shape.

    Args:
        boxes: (N, 4) float32, none degenerate.
        cells: About how many cells the filter shall have, at least 9.

    Returns:
        (rows, columns), each at least 3, of the boxes' median aspect ratio.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    aspect = float(np.median(sides[:, 1] / sides[:, 0]))
    aspect = min(max(aspect, 9 / cells), cells / 9)
    rows, columns = round((cells * aspect) ** 0.5), round((cells / aspect) ** 0.5)
    return max(rows, 3), max(columns, 3)


def place_parts(component: Component, count: int, size: tuple[int, int]) -> Component:
    """Give a component parts where its root filter has the most energy.

    Greedily: the part lies where the positive weights under it have the largest sum of squares;
    these are then set to nothing, so that the next part goes elsewhere. A part's filter starts as
    what lies under it in the root filter, at twice its resolution.

    Args:
        component: With a root; its parts are dropped.
        count: Parts, at least 1.
        size: (rows, columns) of a part, in finer cells; cut to what the root has.

    Returns:
        A new component. It may have fewer parts where there is no energy left.

    Raises:
        ValueError: If `count` or a side is below 1.
    """
    if count < 1 or min(size) < 1:
        raise ValueError(f"count and size must be at least 1, got {count} of {size}")
    fine = _twice_as_fine(component.root)
    rows, columns = (min(side, most) for side, most in zip(size, fine.shape[:2], strict=True))
    energy = np.square(np.maximum(fine, 0)).sum(axis=2)
    parts: list[Part] = []
    while len(parts) < count:
        windows = np.lib.stride_tricks.sliding_window_view(energy, (rows, columns))
        sums = windows.sum(axis=(2, 3))
        best = int(np.argmax(sums))
        row, column = best // sums.shape[1], best % sums.shape[1]
        if sums[row, column] <= 0:
            break
        under = (slice(row, row + rows), slice(column, column + columns))
        parts.append(Part(fine[under].copy(), (row, column), START))
        energy[under] = 0
    return Component(component.root, component.bias, tuple(parts))


def _twice_as_fine(root: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns, length = root.shape
    layers = [
        cv2.resize(
            np.ascontiguousarray(root[..., layer]),
            (2 * columns, 2 * rows),
            interpolation=cv2.INTER_CUBIC,
        ).astype(np.float32, copy=False)
        for layer in range(length)
    ]
    return np.stack(layers, axis=2)
