"""Which single views an epoch holds: all of it follows from (seed, epoch, index)."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from snapshelf.features.encoder import Domain
from snapshelf.training.sampling import View, ViewGroup, source_shares
from snapshelf.training.training_set import TrainingSet

__all__ = ["PictureSampler"]

DRAWS, VIEWS = 1, 3
"""What a generator is for, as the third number of its seed."""


class PictureSampler:
    """Draws views of both sides, one at a time, for learning from a teacher.

    Each draw chooses a data set, an item of it, a side and a picture, so an item with many
    pictures is not drawn more often than others.

    Args:
        training_set: The items and pictures.
        count: Views in an epoch, at least 1.
        sources: Weights of the data sets by name; empty for equal parts.
        street: In [0, 1], the part of the views that are of the street side.
        seed: At least 0.

    Raises:
        TrainingError: If `sources` names other data sets than those given.
    """

    views_per_group = 1

    def __init__(
        self,
        training_set: TrainingSet,
        *,
        count: int,
        sources: Mapping[str, float] | None = None,
        street: float = 0.75,
        seed: int = 0,
    ) -> None:
        self._set = training_set
        self._count = count
        self._street = street
        self._seed = seed
        weights = sources or dict.fromkeys(training_set.names, 1.0)
        self._shares = source_shares(training_set.names, weights)
        self._items = [
            np.flatnonzero(np.equal(training_set.sources, source))
            for source in range(len(training_set.names))
        ]

    def __len__(self) -> int:
        return self._count

    def draw(self, epoch: int, indices: Sequence[int]) -> Iterator[ViewGroup]:
        """Draw some views of an epoch.

        Args:
            epoch: Counted from 0.
            indices: Which views, each in [0, len).

        Yields:
            The views, each alone; it depends on the seed, the epoch and its index only.
        """
        for index in indices:
            rng = np.random.default_rng((self._seed, epoch, DRAWS, index))
            items = self._items[int(rng.choice(len(self._shares), p=self._shares))]
            item = int(items[int(rng.integers(len(items)))])
            side = Domain.STREET if rng.random() < self._street else Domain.SHOP
            pictures = self._set.pictures[item].of(side)
            view = View(pictures[int(rng.integers(len(pictures)))], side)
            yield ViewGroup(item, 1.0, (view,), (self._seed, epoch, VIEWS, index))
