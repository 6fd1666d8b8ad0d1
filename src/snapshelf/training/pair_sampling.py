"""Which pairs of a street and a shop view a batch holds: all follows from (seed, epoch, index)."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from snapshelf.features.encoder import Domain
from snapshelf.training.recolouring import draw_turn
from snapshelf.training.sampling import View, ViewGroup, source_counts, source_shares
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import TrainingSet

__all__ = ["PairSampler"]

ITEMS, DRAWS, VIEWS = 0, 1, 3
"""What a generator is for, as the third number of its seed."""


class PairSampler:
    """Draws pairs of views of one item, in batches whose items all differ.

    The first view of a pair is of the street side, the second of the shop side. All other pairs
    of a batch are wrong for a pair, so each batch has the same part of each data set in it: a
    photo of food is to be told from other food, not only from clothes.

    A pair can be *recoloured*: the hues of both views are turned alike, which makes a product that
    nobody has. It can be *generated*: its street view is made from a shop picture though the item
    has street photos.

    Args:
        training_set: The items and pictures.
        batch: Pairs in a batch, at least 2.
        batches: Of an epoch, at least 1.
        sources: Weights of the data sets by name; empty for equal parts.
        generated: In [0, 1], the part of the street views that are generated.
        recoloured: In [0, 1], the part of the pairs that are recoloured.
        seed: At least 0.

    Raises:
        TrainingError: If `sources` names other data sets than those given, or a data set has fewer
            items than its part of a batch.
    """

    views_per_group = 2

    def __init__(
        self,
        training_set: TrainingSet,
        *,
        batch: int,
        batches: int,
        sources: Mapping[str, float] | None = None,
        generated: float = 0.25,
        recoloured: float = 0.6,
        seed: int = 0,
    ) -> None:
        self._set = training_set
        self._batch = batch
        self._count = batch * batches
        self._generated, self._recoloured = generated, recoloured
        self._seed = seed
        weights = sources or dict.fromkeys(training_set.names, 1.0)
        shares = source_shares(training_set.names, weights)
        self._parts = source_counts(shares, batch)
        self._items = [
            np.flatnonzero(np.equal(training_set.sources, source))
            for source in range(len(training_set.names))
        ]
        for name, part, items in zip(training_set.names, self._parts, self._items, strict=True):
            if part > len(items):
                raise TrainingError(
                    f"a batch wants {part} different products of {name}, which has {len(items)}: "
                    "give it a smaller weight in sources, or lower batch_pairs"
                )

    def __len__(self) -> int:
        return self._count

    def draw(self, epoch: int, indices: Sequence[int]) -> Iterator[ViewGroup]:
        """Draw some pairs of an epoch.

        Args:
            epoch: Counted from 0.
            indices: Which pairs, each in [0, len).

        Yields:
            The pairs; each depends on the seed, the epoch and its index only.
        """
        current, items = -1, np.empty(0, np.int64)
        for index in indices:
            batch, place = divmod(index, self._batch)
            if batch != current:
                current, items = batch, self._drawn(epoch, batch)
            yield self._pair(epoch, index, int(items[place]))

    def _drawn(self, epoch: int, batch: int) -> np.ndarray:
        """Draw the items of a batch, (batch,) int64."""
        rng = np.random.default_rng((self._seed, epoch, ITEMS, batch))
        chosen = [
            rng.choice(items, part, replace=False)
            for items, part in zip(self._items, self._parts, strict=True)
        ]
        return np.concatenate(chosen)

    def _pair(self, epoch: int, index: int, item: int) -> ViewGroup:
        rng = np.random.default_rng((self._seed, epoch, DRAWS, index))
        pictures = self._set.pictures[item]
        generated = rng.random() < self._generated
        street = pictures.of("shop" if generated else "street")
        shop = pictures.of("shop")
        turn = draw_turn(rng, self._recoloured)
        views = (
            View(street[int(rng.integers(len(street)))], Domain.STREET),
            View(shop[int(rng.integers(len(shop)))], Domain.SHOP),
        )
        return ViewGroup(item, 1.0, views, (self._seed, epoch, VIEWS, index), turn)
