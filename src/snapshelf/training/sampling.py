"""Which views an epoch holds, and its triplets: all of it follows from (seed, epoch, index)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.training.mtv_settings import Side
from snapshelf.training.negatives import Negatives
from snapshelf.training.recolouring import draw_turn
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import ItemPictures, TrainingSet

__all__ = ["Sampler", "TripletSampler", "View", "ViewGroup", "source_counts", "source_shares"]

ANCHORS, DRAWS, VIEWS = 0, 1, 3
"""What a generator is for, as the third number of its seed; 2 is `mining`'s."""


@dataclass(frozen=True, slots=True)
class View:
    """One picture as the network shall see it.

    Attributes:
        picture: Its number in the training set.
        side: What it shall look like; a picture of the other side is turned into it.
    """

    picture: int
    side: Domain


@dataclass(frozen=True, slots=True)
class ViewGroup:
    """Views that a loss compares: a triplet with its bag, a pair, or one alone.

    Attributes:
        item: The number of the first view's item.
        weight: Of the loss.
        views: In the order that the loss expects.
        seed: Decides everything else about the views.
        turn: Degrees by which the hues of all views are turned, see `recolour`.
    """

    item: int
    weight: float
    views: tuple[View, ...]
    seed: tuple[int, ...]
    turn: float = 0.0


class Sampler(Protocol):
    """Draws the view groups of an epoch."""

    def __len__(self) -> int:
        """Groups in an epoch."""
        ...

    @property
    def views_per_group(self) -> int:
        """Views in every group."""
        ...

    def draw(self, epoch: int, indices: Sequence[int]) -> Iterator[ViewGroup]:
        """Draw some groups of an epoch.

        Args:
            epoch: Counted from 0.
            indices: Which groups, each in [0, len).

        Yields:
            The groups; each depends on the epoch and its index, whatever else is drawn.
        """
        ...


class TripletSampler:
    """Draws the triplets of an epoch: anchor, positive, negative, and the positive bag.

    An epoch goes through all anchor pictures once, in an order of its own, unless `sources` or
    `count` say otherwise. The positive and the bag are pictures of the anchor's item, the
    negative is a picture of what `Negatives` draws. An item without a picture of the side asked
    for gives one of its other side, to be turned into a view of that side.

    Args:
        training_set: The items and pictures.
        pool: Gives where the negatives of an epoch come from, once at its beginning.
        anchors: The side of the anchors.
        positives: The side of the positives and bags.
        negatives: The side of the negatives.
        bag: Pictures in a positive bag, at least 0.
        recoloured: In [0, 1], the part of the triplets whose views all have their hues turned
            alike: a product, and a wrong one, that nobody has.
        seed: At least 0.
        count: Triplets in an epoch; None for as many as there are anchor pictures.
        sources: Weights of the data sets by name; empty for all anchor pictures alike.

    Raises:
        TrainingError: If `sources` names other data sets than those given.
    """

    def __init__(
        self,
        training_set: TrainingSet,
        *,
        pool: Callable[[int], Negatives],
        anchors: Side = "street",
        positives: Side = "shop",
        negatives: Side = "shop",
        bag: int = 3,
        recoloured: float = 0.0,
        seed: int = 0,
        count: int | None = None,
        sources: Mapping[str, float] | None = None,
    ) -> None:
        self._set = training_set
        self._pool = pool
        self._sides = (anchors, positives, negatives)
        self._bag = bag
        self._recoloured = recoloured
        self._seed = seed
        pairs = [
            (source, item, picture)
            for item, (source, pictures) in enumerate(
                zip(training_set.sources, training_set.pictures, strict=True)
            )
            for picture in pictures.of(anchors)
        ]
        self._anchors = np.array(pairs, np.int64)
        self._shares = source_shares(training_set.names, sources) if sources else None
        self._count = len(pairs) if count is None else count

    def __len__(self) -> int:
        return self._count

    @property
    def views_per_group(self) -> int:
        """Views of a triplet: anchor, positive, negative and the bag."""
        return 3 + self._bag

    def draw(self, epoch: int, indices: Sequence[int]) -> Iterator[ViewGroup]:
        """Draw some triplets of an epoch.

        Args:
            epoch: Counted from 0.
            indices: Which triplets, each in [0, len).

        Yields:
            The triplets; each depends on the seed, the epoch, its index and the pool only.
        """
        negatives = self._pool(epoch)
        order = self._order(epoch)
        for index in indices:
            _, item, picture = self._anchors[order[index]]
            yield self._triplet(epoch, index, int(item), int(picture), negatives)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Give the numbers of the anchors of an epoch, (count,)."""
        rng = np.random.default_rng((self._seed, epoch, ANCHORS))
        if self._shares is None:
            return _deal(np.arange(len(self._anchors)), self._count, rng)
        dealt = [
            _deal(np.flatnonzero(self._anchors[:, 0] == source), count, rng)
            for source, count in enumerate(source_counts(self._shares, self._count))
        ]
        return rng.permutation(np.concatenate(dealt))

    def _triplet(
        self, epoch: int, index: int, item: int, anchor: int, negatives: Negatives
    ) -> ViewGroup:
        rng = np.random.default_rng((self._seed, epoch, DRAWS, index))
        other, weight = negatives.draw(item, rng)
        anchors, positives, negative_side = self._sides
        own = self._set.pictures[item]
        views = [self._view(anchor, anchors)]
        views.append(self._view(_one(own, positives, rng, avoid=anchor), positives))
        views.append(self._view(_one(self._set.pictures[other], negative_side, rng), negative_side))
        views += [
            self._view(picture, positives) for picture in _several(own, positives, self._bag, rng)
        ]
        turn = draw_turn(rng, self._recoloured)
        return ViewGroup(item, weight, tuple(views), (self._seed, epoch, VIEWS, index), turn)

    def _view(self, picture: int, side: Side) -> View:
        return View(picture, self._set.domains[picture] if side == "any" else Domain(side))


def _one(
    pictures: ItemPictures, side: Side, rng: np.random.Generator, avoid: int | None = None
) -> int:
    """Draw a picture; another than one that is to be avoided, if there is another."""
    choices = pictures.of(side)
    others = [picture for picture in choices if picture != avoid] or list(choices)
    return others[int(rng.integers(len(others)))]


def _several(pictures: ItemPictures, side: Side, count: int, rng: np.random.Generator) -> list[int]:
    """Draw so many pictures, each once before any comes again."""
    choices = np.array(pictures.of(side), np.int64)
    return [int(choice) for choice in _deal(choices, count, rng)]


def _deal(choices: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw `count` of the choices: whole permutations of them, one after the other."""
    rounds = -(-count // len(choices))
    dealt = [rng.permutation(choices) for _ in range(rounds)]
    return np.concatenate([*dealt, choices[:0]])[:count]


def source_shares(names: Sequence[str], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """Give each data set's part of an epoch.

    Args:
        names: The data sets.
        weights: Above 0, by name.

    Returns:
        (len(names),) float64, summing to 1.

    Raises:
        TrainingError: If the weights are of other data sets.
    """
    if set(weights) != set(names):
        raise TrainingError(
            f"sources must give a weight for each of the data sets {', '.join(names)}, "
            f"got {', '.join(weights)}"
        )
    values = np.array([weights[name] for name in names], np.float64)
    shares: NDArray[np.float64] = values / values.sum()
    return shares


def source_counts(shares: NDArray[np.float64], count: int) -> list[int]:
    """Share out a number.

    Args:
        shares: (S,) float64, summing to 1.
        count: At least 0.

    Returns:
        Whole numbers that sum to `count`, each within 1 of its share of it.
    """
    ends = np.round(np.cumsum(shares) * count).astype(np.int64)
    return [int(part) for part in np.diff(ends, prepend=0)]
