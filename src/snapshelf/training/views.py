"""`ViewMaker`: a stored picture as the network sees it in training."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.media.picture import RGB
from snapshelf.training.augmentation import (
    Backgrounds,
    DomainShift,
    Source,
    shop_view,
    street_view,
)
from snapshelf.training.picture_store import PictureStore
from snapshelf.training.recolouring import recolour
from snapshelf.training.sampling import View, ViewGroup
from snapshelf.training.training_set import TrainingSet

__all__ = ["ViewMaker", "neighbours"]

STILL = 8
"""What a generator is for, as the first number of its seed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewMaker:
    """Makes the pictures of view groups; worker processes each have one.

    Attributes:
        training_set: Says which side each picture comes from.
        store: Holds the pictures.
        preprocessing: Gives the input size; without augmentation it makes the views.
        domain_shift: Settings of the augmentation; None for none, which leaves a picture as it is
            searched with.
        backgrounds: What cut-out items are shown on.
    """

    training_set: TrainingSet
    store: PictureStore
    preprocessing: Preprocessing
    domain_shift: DomainShift | None = None
    backgrounds: Backgrounds = field(default_factory=Backgrounds)

    def group(self, group: ViewGroup) -> NDArray[np.uint8]:
        """Make the views of a group.

        Args:
            group: Its seed decides the views.

        Returns:
            (V, S, S, 3) uint8, RGB, [0, 255].
        """
        rng = np.random.default_rng(group.seed)
        views = [recolour(self.view(view, rng), group.turn) for view in group.views]
        return np.stack(views)

    def view(self, view: View, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Make one view.

        Args:
            view: Which picture, and what it shall look like.
            rng: Decides the augmentation.

        Returns:
            (S, S, 3) uint8, RGB, [0, 255].
        """
        picture = self.store.picture(view.picture)
        if self.domain_shift is None:
            return prepare(picture, self.preprocessing)
        domain = self.training_set.domains[view.picture]
        source = Source(picture, self.store.matte(view.picture), domain)
        size, settings = self.preprocessing.size, self.domain_shift
        if view.side is Domain.SHOP:
            return shop_view(source, size=size, rng=rng, settings=settings)
        return street_view(
            source, size=size, rng=rng, settings=settings, backgrounds=self.backgrounds
        )

    def still(self, number: int) -> RGB:
        """Give a picture as a photo that no augmentation changes from one time to the next.

        Args:
            number: Of the picture.

        Returns:
            (H, W, 3) uint8, RGB, [0, 255]: a street picture as it is stored; of a shop picture,
            where there is an augmentation, one street view, the same every time.
        """
        is_street = self.training_set.domains[number] is Domain.STREET
        if is_street or self.domain_shift is None:
            return self.store.picture(number)
        return self.view(View(number, Domain.STREET), np.random.default_rng((STILL, number)))


def neighbours(
    training_set: TrainingSet, store: PictureStore, *, count: int, seed: int
) -> tuple[Source, ...]:
    """Choose items that may stand beside or in front of another in its street views.

    Args:
        training_set: Says where the pictures come from.
        store: Holds them and their mattes.
        count: How many at most.
        seed: Decides the choice.

    Returns:
        Shop pictures with their mattes.
    """
    shop = [
        number
        for number, (domain, wanted) in enumerate(
            zip(training_set.domains, training_set.wanted, strict=True)
        )
        if domain is Domain.SHOP and wanted.matte
    ]
    chosen = np.random.default_rng(seed).permutation(shop)[:count]
    return tuple(
        Source(store.picture(number), store.matte(number), Domain.SHOP)
        for number in map(int, chosen)
    )
