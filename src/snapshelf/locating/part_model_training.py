"""Training of a deformable part model: a latent support vector machine.

Felzenszwalb, Girshick, McAllester, Ramanan: Object Detection with Discriminatively Trained
Part-Based Models, PAMI 2010, Section 5. Where the latent values of the positive examples are fixed
and each place of a negative picture is an example of its own, the components have no weight in
common, so each is a convex problem of its own.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.boxed_picture import BoxedPicture
from snapshelf.locating.boxes import Boxes
from snapshelf.locating.example_mining import MARGIN, Mined, mine_examples
from snapshelf.locating.latent_examples import (
    component_vector,
    component_with,
    penalties_and_bounds,
)
from snapshelf.locating.margin_fitting import fit_margin
from snapshelf.locating.part_initialisation import place_parts
from snapshelf.locating.part_model import Component, PartModel
from snapshelf.locating.part_model_settings import PartModelSettings
from snapshelf.locating.root_training import train_roots

__all__ = ["train_part_model"]


def train_part_model(
    pictures: Sequence[BoxedPicture],
    settings: PartModelSettings | None = None,
    *,
    tell: Callable[[str], None] = lambda _line: None,
) -> PartModel:
    """Train a model of the objects that pictures have boxed.

    1. Root filters, on boxes brought to the sizes of the groups of their aspect ratios.
    2. The same where objects may be placed and scaled as fits best, each by the component of its
       aspect ratio, against hard negatives of the same pictures.
    3. Parts are laid where the roots have energy, and all is trained as in 2, but that an object
       may go to any component.

    Each round over the pictures chooses the latent values anew and adds hard negatives; between
    rounds the weights are fitted, and negatives that are easy now are forgotten.

    Args:
        pictures: At least one, with all of their objects boxed; what lies beside the boxes is
            background. They are read in each round.
        settings: None for the default.
        tell: Called with a line on what has been done.

    Returns:
        The model.

    Raises:
        ValueError: If there are fewer boxes than components, or no room for negatives.
        PictureError: If a picture cannot be read.
        ModelError: If scipy is not installed.

    Example:
        model = train_part_model(data.boxed_photos("train"), tell=print)
    """
    settings = settings or PartModelSettings()
    model = PartModel(train_roots(pictures, settings, tell), settings.pyramid)
    model = _rounds(model, pictures, settings, settings.root_rounds, tell, by_aspect=True)
    if settings.parts:
        components = tuple(
            place_parts(component, settings.parts, settings.part_size)
            for component in model.components
        )
        model = PartModel(components, settings.pyramid)
        model = _rounds(model, pictures, settings, settings.part_rounds, tell)
    return model


def _rounds(
    model: PartModel,
    pictures: Sequence[BoxedPicture],
    settings: PartModelSettings,
    rounds: int,
    tell: Callable[[str], None],
    *,
    by_aspect: bool = False,
) -> PartModel:
    negatives = [_Negatives(settings.negatives) for _ in model.components]
    for round_ in range(rounds):
        positives: list[list[NDArray[np.float32]]] = [[] for _ in model.components]
        hard = 0
        for number, picture in enumerate(pictures):
            boxes = _sound(picture.boxes)
            groups = _nearest_aspect(model, boxes) if by_aspect else None
            for mined in mine_examples(model, picture.read(), boxes, settings, groups):
                if mined.positive:
                    positives[mined.component].append(mined.features)
                else:
                    hard += 1
                    negatives[mined.component].add(number, mined)
        components = tuple(
            _fit(component, found, kept, settings)
            for component, found, kept in zip(model.components, positives, negatives, strict=True)
        )
        model = PartModel(components, model.pyramid)
        tell(
            f"round {round_ + 1} of {rounds} with {len(components[0].parts)} parts: objects of "
            f"each component {[len(found) for found in positives]}, {hard} hard negatives"
        )
    return model


def _fit(
    component: Component,
    positives: list[NDArray[np.float32]],
    negatives: "_Negatives",
    settings: PartModelSettings,
) -> Component:
    """Fit a component; without objects, or without anything to tell them from, it stays."""
    if not positives or not len(negatives):
        return component
    examples = np.stack([*positives, *negatives.features()])
    penalty, least = penalties_and_bounds(component)
    vector = fit_margin(
        examples,
        np.arange(len(examples)) < len(positives),
        trade_off=settings.trade_off,
        start=component_vector(component),
        penalty=penalty,
        least=least,
    )
    negatives.forget_easy(vector)
    return component_with(component, vector)


def _sound(boxes: Boxes) -> Boxes:
    return boxes[((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)]


def _nearest_aspect(model: PartModel, boxes: Boxes) -> NDArray[np.intp]:
    """Give the component of each box whose root is most of its shape."""
    sides = boxes[:, 2:] - boxes[:, :2]
    roots = np.array([component.size[0] / component.size[1] for component in model.components])
    ratios = np.log(sides[:, 1] / sides[:, 0])[:, None] - np.log(roots)[None]
    nearest: NDArray[np.intp] = np.abs(ratios).argmin(axis=1)
    return nearest


class _Negatives:
    """The hard negatives of one component."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: dict[tuple[int, ...], NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def features(self) -> list[NDArray[np.float32]]:
        return list(self._kept.values())

    def add(self, picture: int, mined: Mined) -> None:
        self._kept[picture, *mined.place] = mined.features

    def forget_easy(self, vector: NDArray[np.float32]) -> None:
        """Keep what scores above the margin, and of that the worst; but never nothing."""
        scores = np.stack(self.features()) @ vector
        keys = list(self._kept)
        order = np.argsort(-scores, kind="stable")[: self._most]
        kept = order[scores[order] > MARGIN]
        self._kept = {keys[index]: self._kept[keys[index]] for index in kept}
