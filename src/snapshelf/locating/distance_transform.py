"""The best place of a part for each place of its root: a generalised distance transform.

Felzenszwalb, Huttenlocher: Distance Transforms of Sampled Functions, 2004; as used in Section 3.3
of Felzenszwalb, Girshick, McAllester, Ramanan, PAMI 2010, Eq. 9.
"""

import numpy as np
from numpy.typing import NDArray

__all__ = ["Deformation", "best_displacement", "deformation_cost", "distance_transform"]

Deformation = tuple[float, float, float, float]
"""What a displacement (dx, dy) costs: the weights of ``(dx, dy, dx^2, dy^2)``; the last two are
positive."""


def deformation_cost(
    deformation: Deformation, right: NDArray[np.floating], down: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Give what displacements cost, ``d . (dx, dy, dx^2, dy^2)``.

    Args:
        deformation: The weights d.
        right: Displacements dx in cells.
        down: Displacements dy in cells, of a shape that goes with `right`.

    Returns:
        The costs.
    """
    across, along, across2, along2 = deformation
    cost: NDArray[np.floating] = (
        across * right + along * down + across2 * right**2 + along2 * down**2
    )
    return cost


def distance_transform(
    values: NDArray[np.float32],
    deformation: Deformation,
    *,
    start: tuple[int, int] = (0, 0),
    step: int = 1,
    size: tuple[int, int] | None = None,
) -> NDArray[np.float32]:
    """Give ``D(y, x) = max over (dy, dx) of values[y + dy, x + dx] - cost(dx, dy)``.

    The cost has no mixed term, so columns are done first and rows then. Every row is done at a
    time, displacement by displacement, and no farther than the span of the values can pay for:
    that is exact, and for parts a handful of displacements.

    Args:
        values: (H, W) float32, finite: a part filter's responses.
        deformation: The weights of the cost.
        start: First row and column at which D is wanted.
        step: Rows and columns from one to the next.
        size: Rows and columns that are wanted; None for all from `start` on.

    Returns:
        float32 of that size.

    Raises:
        ValueError: If a weight of a square is not positive, or what is wanted lies outside.

    Example:
        >>> values = np.array([[0, 0, 5, 0]], np.float32)
        >>> distance_transform(values, (0, 0, 1, 1)).tolist()
        [[1.0, 4.0, 5.0, 4.0]]
    """
    across, along, across2, along2 = deformation
    if not (across2 > 0 and along2 > 0):
        raise ValueError(f"the weights of squares must be positive, got {across2} and {along2}")
    places = []
    for length, first, count in zip(values.shape, start, size or (None, None), strict=True):
        if count is None:
            count = len(range(first, length, step))
        if first < 0 or step < 1 or count < 0 or (count and first + (count - 1) * step >= length):
            raise ValueError(
                f"start {start}, step {step} and size {size} must lie in {values.shape}"
            )
        places.append((first, count))
    if not (places[0][1] and places[1][1]):
        return np.zeros((places[0][1], places[1][1]), np.float32)
    (row, rows), (column, columns) = places
    # Rows lie along the last axis in both turns, where memory is contiguous.
    turned = _transform_rows(values.T, along, along2, row, step, rows)
    return _transform_rows(turned.T, across, across2, column, step, columns)


def best_displacement(
    values: NDArray[np.float32], deformation: Deformation, row: int, column: int
) -> tuple[int, int]:
    """Find where a part is best placed.

    Args:
        values: (H, W) float32: a part filter's responses.
        deformation: The weights of the cost.
        row: The part's place without displacement; it may lie outside of `values`.
        column: Likewise.

    Returns:
        The row and column of the best place; of equal ones the first.
    """
    down = np.arange(values.shape[0], dtype=np.float32)[:, None] - row
    right = np.arange(values.shape[1], dtype=np.float32)[None] - column
    best = int(np.argmax(values - deformation_cost(deformation, right, down)))
    return best // values.shape[1], best % values.shape[1]


def _transform_rows(
    values: NDArray[np.float32], linear: float, square: float, first: int, step: int, count: int
) -> NDArray[np.float32]:
    """Transform along the last axis only: (..., W) to (..., count)."""
    length = values.shape[-1]
    best = np.full((*values.shape[:-1], count), -np.inf, np.float32)
    span = float(values.max() - values.min())
    for direction in (1, -1):
        for distance in range(0 if direction == 1 else 1, length):
            shift = direction * distance
            cost = linear * shift + square * shift**2
            rising = 2 * square * distance + direction * linear >= 0
            # No displacement of this side from here on can be the best one: it costs more than
            # the best value is above the worst, which costs nothing where it is.
            if rising and cost > span:
                break
            # Those of the wanted places from which the displaced one lies inside.
            begin = max(0, -((first + shift) // step))
            end = min(count, (length - 1 - first - shift) // step + 1)
            if begin >= end:
                continue
            origin = first + shift + begin * step
            moved = values[..., origin : origin + (end - begin - 1) * step + 1 : step]
            np.maximum(best[..., begin:end], moved - np.float32(cost), out=best[..., begin:end])
    return best
