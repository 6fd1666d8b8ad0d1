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
    weights_prior,
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
    2. The same where objects may be placed and scaled as fits best, against hard negatives of the
       same pictures.
    3. Parts are laid where the roots have energy, and all is trained as in 2.

    A round goes over all pictures, chooses their objects' latent values anew and adds hard
    negatives. The weights are fitted after the first round of a phase, and from then on after each
    few pictures, so that negatives are those of the weights as they are; what is easy by then is
    forgotten. An object belongs to the component of its aspect ratio: with a few hundred boxes,
    components that compete for them starve one another.

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
    """
    settings = settings or PartModelSettings()
    model = PartModel(train_roots(pictures, settings, tell), settings.pyramid)
    model = _train(model, pictures, settings, settings.root_rounds, tell)
    if settings.parts:
        components = tuple(
            place_parts(component, settings.parts, settings.part_size)
            for component in model.components
        )
        model = PartModel(components, settings.pyramid)
        model = _train(model, pictures, settings, settings.part_rounds, tell)
    return model


def _train(
    model: PartModel,
    pictures: Sequence[BoxedPicture],
    settings: PartModelSettings,
    rounds: int,
    tell: Callable[[str], None],
) -> PartModel:
    kept = [_Examples(settings.negatives) for _ in model.components]
    for round_ in range(rounds):
        hard = 0
        for number, picture in enumerate(pictures):
            boxes = _sound(picture.boxes)
            groups = _nearest_aspect(model, boxes)
            for mined in mine_examples(model, picture.read(), boxes, settings, groups):
                kept[mined.component].add(number, mined)
                hard += not mined.positive
            last = number == len(pictures) - 1
            if last or (round_ and (number + 1) % settings.fit_after == 0):
                components = tuple(
                    examples.fit(component, settings.trade_off)
                    for component, examples in zip(model.components, kept, strict=True)
                )
                model = PartModel(components, model.pyramid)
        tell(
            f"round {round_ + 1} of {rounds}, {len(model.components[0].parts)} parts: "
            f"{[len(examples.positive) for examples in kept]} objects, {hard} hard negatives, "
            f"{[len(examples.negative) for examples in kept]} kept"
        )
    return model


def _sound(boxes: Boxes) -> Boxes:
    return boxes[((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)]


def _nearest_aspect(model: PartModel, boxes: Boxes) -> NDArray[np.intp]:
    """Give the component of each box whose root is most of its shape."""
    sides = boxes[:, 2:] - boxes[:, :2]
    roots = np.array([component.size[0] / component.size[1] for component in model.components])
    ratios = np.log(sides[:, 1] / sides[:, 0])[:, None] - np.log(roots)[None]
    nearest: NDArray[np.intp] = np.abs(ratios).argmin(axis=1)
    return nearest


class _Examples:
    """The examples of one component: each object as placed last, and the hard negatives."""

    def __init__(self, most_negatives: int) -> None:
        self._most = most_negatives
        self.positive: dict[tuple[int, int], NDArray[np.float32]] = {}
        self.negative: dict[tuple[int, ...], NDArray[np.float32]] = {}

    def add(self, picture: int, mined: Mined) -> None:
        if mined.positive:
            self.positive[picture, mined.object] = mined.features
        else:
            self.negative[picture, *mined.place] = mined.features

    def fit(self, component: Component, trade_off: float) -> Component:
        """Fit a component; without objects, or anything to tell them from, it stays as it is."""
        if not self.positive or not self.negative:
            return component
        examples = np.stack([*self.positive.values(), *self.negative.values()])
        prior = weights_prior(component)
        vector = fit_margin(
            examples,
            np.arange(len(examples)) < len(self.positive),
            trade_off=trade_off,
            start=component_vector(component),
            prior=prior,
        )
        self._forget_easy(examples[len(self.positive) :] @ vector)
        return component_with(component, vector)

    def _forget_easy(self, scores: NDArray[np.float32]) -> None:
        keys = list(self.negative)
        order = np.argsort(-scores, kind="stable")[: self._most]
        kept = [keys[index] for index in order if scores[index] > MARGIN]
        self.negative = {key: self.negative[key] for key in kept}
