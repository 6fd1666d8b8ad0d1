"""Objects in a picture and their parts, by a deformable part model."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes, clip_boxes, empty_boxes, iou
from snapshelf.locating.feature_pyramid import feature_pyramid
from snapshelf.locating.part_model import PartModel
from snapshelf.locating.part_scores import LevelScores, score_level
from snapshelf.locating.region import Box
from snapshelf.locating.suppression import suppress
from snapshelf.media.picture import RGB

__all__ = ["PartDetection", "detect_parts", "detect_roots", "proposal_confidences"]

MOST_PLACES = 5000
"""Of the places above the threshold, as many of the best are looked at."""


@dataclass(frozen=True, slots=True)
class PartDetection:
    """An object that a part model found.

    Attributes:
        box: Of the root, in pixels, cut off at the picture's border.
        score: The model's; larger is better, and 0 is where training parted objects from the
            rest.
        component: Number of the component.
        parts: The box of each of the component's parts, cut off likewise; one that lies wholly
            outside has no area.
    """

    box: Box
    score: float
    component: int
    parts: tuple[Box, ...]


def detect_parts(
    model: PartModel,
    picture: RGB,
    *,
    threshold: float = -1.0,
    overlap: float = 0.5,
    most: int = 100,
) -> tuple[PartDetection, ...]:
    """Find objects and their parts.

    Args:
        model: The model.
        picture: (H, W, 3) uint8, RGB, [0, 255].
        threshold: The least score.
        overlap: In [0, 1]. Of objects whose IoU is larger only the best is given.
        most: Objects to give at most, at least 1.

    Returns:
        Best first; none where nothing scores enough, as in a picture that is too small.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8, or an argument is out
            of range.
    """
    found = _find(model, picture, threshold, overlap, most)
    return tuple(
        PartDetection(
            _box(box),
            float(score),
            int(place[1]),
            _part_boxes(model, found.levels, place, picture.shape),
        )
        for box, score, place in zip(found.boxes, found.scores, found.places, strict=True)
    )


def detect_roots(
    model: PartModel, picture: RGB, *, threshold: float, overlap: float, most: int
) -> tuple[Boxes, NDArray[np.float32]]:
    """Find objects as `detect_parts` does, without telling where their parts are.

    Args:
        model: The model.
        picture: (H, W, 3) uint8, RGB, [0, 255].
        threshold: The least score.
        overlap: In [0, 1].
        most: Objects to give at most.

    Returns:
        (N, 4) float32 boxes and (N,) float32 scores, best first.

    Raises:
        ValueError: As `detect_parts`.
    """
    found = _find(model, picture, threshold, overlap, most)
    return found.boxes, found.scores


def proposal_confidences(
    boxes: Boxes, found: Boxes, scores: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Give each proposal its best detection.

    A detection counts by its score, brought to [0, 1] by the logistic function, times its IoU with
    the proposal, so that of proposals around one object that which fits it best has the most.

    Args:
        boxes: (P, 4) float32.
        found: (N, 4) float32: what was detected in the same picture; they may overlap much.
        scores: (N,) float32.

    Returns:
        (P,) float32, [0, 1]; 0 of a proposal that no detection overlaps.
    """
    if not len(found):
        return np.zeros(len(boxes), np.float32)
    likely = 1 / (1 + np.exp(-np.clip(scores.astype(np.float64), -50, 50)))
    best: NDArray[np.float32] = (iou(boxes, found) * likely).max(axis=1).astype(np.float32)
    return best


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """What was found, best first; a place is its level, component, row and column."""

    levels: list[LevelScores]
    places: NDArray[np.intp]
    scores: NDArray[np.float32]
    boxes: Boxes


def _find(model: PartModel, picture: RGB, threshold: float, overlap: float, most: int) -> _Found:
    levels = [score_level(model, level) for level in feature_pyramid(picture, model.pyramid)]
    places, scores = _places(levels, threshold)
    boxes = clip_boxes(_root_boxes(model, levels, places), picture.shape)
    chosen = suppress(boxes, scores, overlap=overlap, most=most)
    return _Found(levels, places[chosen], scores[chosen], boxes[chosen])


def _places(
    levels: Sequence[LevelScores], threshold: float
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """List the best places: (N, 4) of level, component, row, column; and their (N,) scores."""
    places, scores = [np.empty((0, 4), np.intp)], [np.empty(0, np.float32)]
    for number, level in enumerate(levels):
        for component, values in enumerate(level.scores):
            rows, columns = np.nonzero(values >= threshold)
            labels = np.broadcast_to(np.array([[number, component]]), (len(rows), 2))
            places.append(np.concatenate([labels, rows[:, None], columns[:, None]], axis=1))
            scores.append(values[rows, columns])
    every, value = np.concatenate(places), np.concatenate(scores)
    best = np.argsort(-value, kind="stable")[:MOST_PLACES]
    return every[best], value[best]


def _root_boxes(model: PartModel, levels: Sequence[LevelScores], places: NDArray[np.intp]) -> Boxes:
    boxes = np.zeros((len(places), 4), np.float32)
    for number, level in enumerate(levels):
        for component, part in enumerate(model.components):
            mine = (places[:, 0] == number) & (places[:, 1] == component)
            boxes[mine] = level.level.boxes(places[mine, 2], places[mine, 3], part.size)
    return boxes


def _part_boxes(
    model: PartModel,
    levels: Sequence[LevelScores],
    place: NDArray[np.intp],
    shape: tuple[int, ...],
) -> tuple[Box, ...]:
    number, component, row, column = (int(value) for value in place)
    level, owner = levels[number], model.components[component]
    boxes = empty_boxes()
    for part, spot in zip(
        owner.parts, level.place_parts(owner, component, row, column), strict=True
    ):
        rows, columns = np.array(spot)[:, None]
        box = level.level.part_boxes(rows, columns, (part.filter.shape[0], part.filter.shape[1]))
        boxes = np.concatenate([boxes, box])
    return tuple(_box(box) for box in clip_boxes(boxes, shape))


def _box(values: NDArray[np.float32]) -> Box:
    x0, y0, x1, y1 = (float(value) for value in values)
    return x0, y0, x1, y1
