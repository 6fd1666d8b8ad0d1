"""A component as one vector of weights, and a placed object as one vector of features.

Their dot product is the score (Eq. 4-5 of Felzenszwalb et al., PAMI 2010): the filters and the
cells under them, the deformations and the negative displacements, the bias and 1.
"""

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.distance_transform import Deformation
from snapshelf.locating.margin_fitting import Prior
from snapshelf.locating.part_model import Component, Part
from snapshelf.locating.part_scores import LevelScores

__all__ = ["START", "component_vector", "component_with", "example", "weights_prior"]

START: Deformation = (0.0, 0.0, 0.1, 0.1)
"""Of the paper: a part may move about at first, and pays for the square of it."""

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


def weights_prior(component: Component) -> Prior:
    """Give what a component's weights are without any example: filters nothing, parts in place.

    The published training pulls deformations to nothing, as it does filters, so that a part that
    few examples tell of may go anywhere.

    Returns:
        In the order of `component_vector`.
    """
    values = [(np.ones(component.root.size), 0.0, -np.inf)]
    for part in component.parts:
        values.append((np.ones(part.filter.size), 0.0, -np.inf))
        values += [(np.full(1, DEFORMATION_PENALTY), weight, -np.inf) for weight in START[:2]]
        values += [(np.full(1, DEFORMATION_PENALTY), weight, LEAST_SQUARE) for weight in START[2:]]
    values.append((np.zeros(1), 0.0, -np.inf))
    penalty, centre, least = (
        np.concatenate(column).astype(np.float32)
        for column in zip(
            *((held, np.full(len(held), to), np.full(len(held), low)) for held, to, low in values),
            strict=True,
        )
    )
    return Prior(penalty, centre, least)


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
