"""A component as one vector of weights, and a placed object as one vector of features.

Their dot product is the score (Eq. 4-5 of Felzenszwalb et al., PAMI 2010): the filters and the
cells under them, the deformations and the negative displacements, the bias and 1.
"""

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.part_model import Component, Part
from snapshelf.locating.part_scores import LevelScores

__all__ = ["component_vector", "component_with", "example", "penalties_and_bounds"]

LEAST_SQUARE = 0.01
"""Of a deformation's weights of squares, so that a part stays near its anchor."""

DEFORMATION_PENALTY = 10.0
"""Of a deformation's weights, against 1 of a filter's; the bias is free."""


def component_vector(component: Component) -> NDArray[np.float32]:
    """Give a component's weights: root, then each part's filter and deformation, then the bias.

    Returns:
        (D,) float32.
    """
    values = [component.root.ravel()]
    for part in component.parts:
        values += [part.filter.ravel(), np.array(part.deformation)]
    return np.concatenate([*values, np.array([component.bias])]).astype(np.float32)


def component_with(component: Component, vector: NDArray[np.float32]) -> Component:
    """Give a component of the same shape with other weights.

    Args:
        component: Its sizes and anchors are taken.
        vector: (D,) float32, as `component_vector` gives it.
    """
    position = component.root.size
    root = vector[:position].reshape(component.root.shape).copy()
    parts = []
    for part in component.parts:
        weights = vector[position : position + part.filter.size]
        position += part.filter.size
        across, along, across2, along2 = (float(v) for v in vector[position : position + 4])
        position += 4
        parts.append(
            Part(
                weights.reshape(part.filter.shape).copy(),
                part.anchor,
                (across, along, across2, along2),
            )
        )
    return Component(root, float(vector[position]), tuple(parts))


def penalties_and_bounds(
    component: Component,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give how much each weight is held back, and how small it may become.

    Returns:
        Two (D,) float32, in the order of `component_vector`.
    """
    penalty, least = [np.ones(component.root.size)], [np.full(component.root.size, -np.inf)]
    for part in component.parts:
        penalty += [np.ones(part.filter.size), np.full(4, DEFORMATION_PENALTY)]
        least += [
            np.full(part.filter.size, -np.inf),
            np.array([-np.inf, -np.inf, LEAST_SQUARE, LEAST_SQUARE]),
        ]
    return (
        np.concatenate([*penalty, np.zeros(1)]).astype(np.float32),
        np.concatenate([*least, np.array([-np.inf])]).astype(np.float32),
    )


def example(
    found: LevelScores, component: Component, number: int, row: int, column: int
) -> NDArray[np.float32]:
    """Give the features of an object whose root lies at a place, its parts where they fit best.

    Args:
        found: The scores of the level.
        component: The component.
        number: Its number in the model.
        row: The first row of its root.
        column: The first column.

    Returns:
        (D,) float32, in the order of `component_vector`.
    """
    rows, columns = component.size
    values = [found.level.cells[row : row + rows, column : column + columns].ravel()]
    spots = found.place_parts(component, number, row, column)
    for part, (part_row, part_column) in zip(component.parts, spots, strict=True):
        height, width = part.filter.shape[:2]
        cells = found.level.parts[part_row : part_row + height, part_column : part_column + width]
        down = part_row - (2 * row + part.anchor[0])
        right = part_column - (2 * column + part.anchor[1])
        values += [cells.ravel(), -np.array([right, down, right**2, down**2])]
    vector = np.concatenate([*values, np.ones(1)]).astype(np.float32)
    assert len(vector) == component.root.size + 1 + sum(
        part.filter.size + 4 for part in component.parts
    )
    return vector
