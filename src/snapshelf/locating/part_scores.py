"""The score of a deformable part model at every place of one level of a pyramid."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.distance_transform import best_displacement, distance_transform
from snapshelf.locating.feature_pyramid import Level
from snapshelf.locating.filter_response import filter_responses
from snapshelf.locating.part_model import Component, PartModel

__all__ = ["LevelScores", "score_level"]


@dataclass(frozen=True, slots=True, eq=False)
class LevelScores:
    """How well each component fits at each place of a level.

    Attributes:
        level: The level.
        scores: For each component (R', C') float32: its score with its root's first cell there.
            Empty where the root does not fit.
        parts: For each component and part (R'', C'') float32: what its filter answers at twice
            the resolution, without any cost.
    """

    level: Level
    scores: tuple[NDArray[np.float32], ...]
    parts: tuple[tuple[NDArray[np.float32], ...], ...]

    def place_parts(
        self, component: Component, number: int, row: int, column: int
    ) -> list[tuple[int, int]]:
        """Find where the parts of an object lie.

        Args:
            component: The component.
            number: Its number in the model.
            row: The first row of the root, in `Level.cells`.
            column: Its first column.

        Returns:
            (row, column) of each part's first cell, in `Level.parts`.
        """
        return [
            best_displacement(
                responses, part.deformation, 2 * row + part.anchor[0], 2 * column + part.anchor[1]
            )
            for part, responses in zip(component.parts, self.parts[number], strict=True)
        ]


def score_level(model: PartModel, level: Level) -> LevelScores:
    """Score a model wherever it fits (Eq. 9 of the PAMI paper).

    The score at a root's place is the root filter's answer, and for each part the most that its
    filter's answer less the cost of the displacement can be, and the bias.

    Args:
        model: The model.
        level: Of a pyramid with the model's settings.
    """
    responses = _part_responses(model, level)
    scores = tuple(
        _component_scores(component, parts, level)
        for component, parts in zip(model.components, responses, strict=True)
    )
    return LevelScores(level, scores, responses)


def _part_responses(model: PartModel, level: Level) -> tuple[tuple[NDArray[np.float32], ...], ...]:
    """Filter for all parts of one size at a time."""
    answers: dict[tuple[int, int], NDArray[np.float32]] = {}
    by_size: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for number, component in enumerate(model.components):
        for place, part in enumerate(component.parts):
            by_size.setdefault(part.filter.shape, []).append((number, place))
    for keys in by_size.values():
        filters = np.stack([model.components[number].parts[place].filter for number, place in keys])
        answers.update(zip(keys, filter_responses(level.parts, filters), strict=True))
    return tuple(
        tuple(answers[number, place] for place in range(len(component.parts)))
        for number, component in enumerate(model.components)
    )


def _component_scores(
    component: Component, responses: tuple[NDArray[np.float32], ...], level: Level
) -> NDArray[np.float32]:
    scores: NDArray[np.float32] = filter_responses(level.cells, component.root[None])[0]
    scores += np.float32(component.bias)
    if not scores.size:
        return scores
    size = (scores.shape[0], scores.shape[1])
    for part, answers in zip(component.parts, responses, strict=True):
        scores += distance_transform(
            answers, part.deformation, start=part.anchor, step=2, size=size
        )
    return scores
