"""What a picture teaches a deformable part model: its objects as placed, and what is mistaken."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxes import Boxes, clip_boxes, iou
from snapshelf.locating.feature_pyramid import feature_pyramid
from snapshelf.locating.latent_examples import example
from snapshelf.locating.part_model import PartModel
from snapshelf.locating.part_model_settings import PartModelSettings
from snapshelf.locating.part_scores import LevelScores, score_level
from snapshelf.locating.suppression import suppress
from snapshelf.media.picture import RGB

__all__ = ["MARGIN", "Mined", "mine_examples"]

MARGIN = -1.0
"""A negative example that scores more is hard: it costs something."""

MOST_COMPARED = 200
"""Of a component's hard negatives in a picture, as many of the best are looked at."""

SAME = 0.7
"""Hard negatives whose IoU is larger tell the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Mined:
    """An example of one component.

    Attributes:
        component: Its number.
        place: (level, row, column) of the root; with the picture it tells a negative.
        object: Number of the object in its picture, -1 of a negative.
        features: (D,) float32, as `snapshelf.locating.latent_examples` lays them out.
    """

    component: int
    place: tuple[int, int, int]
    object: int
    features: NDArray[np.float32]

    @property
    def positive(self) -> bool:
        """Whether it is an object."""
        return self.object >= 0


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Every place of one component on one level."""

    number: int
    component: int
    boxes: Boxes
    scores: NDArray[np.float32]
    overlaps: NDArray[np.float32]  # (N, objects)


def mine_examples(
    model: PartModel,
    picture: RGB,
    boxes: Boxes,
    settings: PartModelSettings,
    groups: NDArray[np.intp] | None = None,
) -> list[Mined]:
    """Place the model on a picture's objects, and find where it is wrong.

    An object's latent values are the component, place and scale with the best score of all whose
    root overlaps its box enough (Section 5.1 of the PAMI paper, step 1); one that none overlaps
    enough is passed over. Hard negatives are places away from all objects that score above the
    margin, the worst first.

    Args:
        model: As trained so far.
        picture: (H, W, 3) uint8, RGB, [0, 255].
        boxes: (N, 4) float32: its objects, all of them.
        settings: What overlaps enough, and how many negatives.
        groups: (N,) int: the only component that each object may have; None for any.
    """
    levels = [score_level(model, level) for level in feature_pyramid(picture, model.pyramid)]
    places = [
        place
        for number, level in enumerate(levels)
        for place in _level_places(model, number, level, boxes, picture.shape)
    ]
    chosen = [
        *_positives(places, boxes, settings, groups),
        *((place, index, -1) for place, index in _negatives(model, places, settings)),
    ]
    mined = []
    for place, index, object_ in chosen:
        level = levels[place.number]
        columns = level.scores[place.component].shape[1]
        row, column = index // columns, index % columns
        component = model.components[place.component]
        features = example(level, component, place.component, row, column)
        mined.append(Mined(place.component, (place.number, row, column), object_, features))
    return mined


def _level_places(
    model: PartModel, number: int, level: LevelScores, boxes: Boxes, shape: tuple[int, ...]
) -> Iterator[_Places]:
    for component, scores in enumerate(level.scores):
        if scores.size:
            rows, columns = np.indices(scores.shape).reshape(2, -1)
            found = level.level.boxes(rows, columns, model.components[component].size)
            found = clip_boxes(found, shape)
            yield _Places(number, component, found, scores.ravel(), iou(found, boxes))


def _positives(
    places: list[_Places],
    boxes: Boxes,
    settings: PartModelSettings,
    groups: NDArray[np.intp] | None,
) -> Iterator[tuple[_Places, int, int]]:
    for object_ in range(len(boxes)):
        best: tuple[float, _Places, int] | None = None
        for place in places:
            if groups is not None and groups[object_] != place.component:
                continue
            near = np.flatnonzero(place.overlaps[:, object_] >= settings.overlap)
            if not len(near):
                continue
            index = int(near[np.argmax(place.scores[near])])
            score = float(place.scores[index])
            if best is None or score > best[0]:
                best = score, place, index
        if best is not None:
            yield best[1], best[2], object_


def _negatives(
    model: PartModel, places: list[_Places], settings: PartModelSettings
) -> Iterator[tuple[_Places, int]]:
    for component in range(len(model.components)):
        mine = [place for place in places if place.component == component]
        hard = [
            np.flatnonzero(
                (place.scores > MARGIN) & (place.overlaps.max(axis=1, initial=0) < settings.apart)
            )
            for place in mine
        ]
        owners = np.repeat(np.arange(len(mine)), [len(indices) for indices in hard])
        if not len(owners):
            continue
        indices = np.concatenate(hard)
        found = list(zip(mine, hard, strict=True))
        scores = np.concatenate([place.scores[kept] for place, kept in found])
        boxes = np.concatenate([place.boxes[kept] for place, kept in found])
        best = np.argsort(-scores, kind="stable")[:MOST_COMPARED]
        for kept in suppress(
            boxes[best], scores[best], overlap=SAME, most=settings.negatives_of_picture
        ):
            yield mine[owners[best[kept]]], int(indices[best[kept]])
