"""Where a triplet's negative comes from: any other product, or one that is hard to tell apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.training.affinity import nearest_items, pool_size
from snapshelf.training.attribute_distance import attribute_weight

__all__ = ["HardNegativePool", "Negatives", "RandomNegatives"]

WEIGHED = 2**20
"""Most labels looked up at a time while weights are computed (8 MiB of int64)."""


class Negatives(Protocol):
    """Draws a negative for an anchor."""

    def draw(self, item: int, rng: np.random.Generator) -> tuple[int, float]:
        """Draw another item.

        Args:
            item: The anchor's item number, in [0, N).
            rng: Decides the draw, and nothing else does.

        Returns:
            The negative's item number, never `item`, and the weight of the triplet.
        """
        ...


class RandomNegatives:
    """Every other item of the anchor's group alike, with weight 1: stage 1 of MTV-CNN.

    Args:
        groups: (N,) int64, the group of each item, such as its data set. A negative of another
            data set would be told apart without looking at the product.

    Raises:
        ValueError: If there is no item, or a group has one alone.

    Example:
        >>> import numpy as np
        >>> RandomNegatives(np.zeros(2, np.int64)).draw(0, np.random.default_rng(0))
        (1, 1.0)
    """

    def __init__(self, groups: NDArray[np.int64]) -> None:
        self._members = _group_members(groups)
        self._groups = np.unique(groups, return_inverse=True)[1]
        self._places = np.empty(len(groups), np.int64)
        for members in self._members:
            self._places[members] = np.arange(len(members))

    def draw(self, item: int, rng: np.random.Generator) -> tuple[int, float]:
        """Draw another item; see `Negatives.draw`.

        Raises:
            ValueError: If there is no such item.
        """
        _require_item(item, len(self._places))
        members = self._members[self._groups[item]]
        other = int(rng.integers(len(members) - 1))
        return int(members[other + (other >= self._places[item])]), 1.0


@dataclass(frozen=True, slots=True, eq=False)
class HardNegativePool:
    """Items that lie near the anchor's, weighted by how much their attributes differ.

    Stage 2 of Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Section 3.4. Use `refresh`, again
    whenever the embedding has changed. What is held of each item's pool is a sample of it, drawn
    in advance: N * s numbers and not 0.4 * N * N.

    Attributes:
        negatives: (N, s) int32, s item numbers for each item.
        weights: (N, s) float32, the weight of each such triplet, at least 0.
    """

    negatives: NDArray[np.int32]
    weights: NDArray[np.float32]

    def __post_init__(self) -> None:
        """Refuse a pool that cannot be drawn from.

        Raises:
            ValueError: If the two are not of one shape (N, s), with s of at least 1.
        """
        if self.negatives.ndim != 2 or not self.negatives.shape[1]:
            raise ValueError(f"negatives must be (N, s), got shape {self.negatives.shape}")
        if self.weights.shape != self.negatives.shape:
            raise ValueError(
                f"weights must be of the negatives' shape {self.negatives.shape}, "
                f"got {self.weights.shape}"
            )

    @classmethod
    def refresh(
        cls,
        embeddings: NDArray[np.floating],
        labels: NDArray[np.integer],
        level1: Sequence[NDArray[np.integer]],
        *,
        rng: np.random.Generator,
        groups: NDArray[np.int64] | None = None,
        share: float = 0.4,
        draws_per_item: int = 64,
        w1: float = 0.7,
        w2: float = 1.5,
        w3: float = 0.4,
        minimum_weight: float = 0.0,
        normalise: bool = False,
    ) -> Self:
        """Draw negatives for each item from the share of the others that is nearest to it.

        The negatives are drawn independently and uniformly from the pool (the paper's *Rate-1
        hard negative pool* at a share of 0.4); a smaller share is a harder pool. The same
        embeddings and the same state of `rng` give the same pool.

        The weights are the W_a of Eq. 8 (`attribute_weight`). As published, a negative with the
        same attributes as the anchor gets the weight 0 and its triplet teaches nothing, though
        it may be the hardest of all; and as W_a grows with the number of attributes, so does
        the triplet loss beside the other losses. `minimum_weight` and `normalise` mend the one
        and the other; by default all is as published.

        Args:
            embeddings: (N, D) floating, one for each item, N >= 2.
            labels: (N, M) integers, as `AttributeTable.labels` gives them.
            level1: As `AttributeTable.level1` gives it.
            rng: Decides the draws.
            groups: (N,) int64, the group of each item, such as its data set: negatives come from
                the anchor's own. None for one group.
            share: In (0, 1], the part of the group's other items that is drawn from.
            draws_per_item: How many negatives s to keep for each item, at least 1.
            w1: Distance of classes in one group, see `attribute_distances`.
            w2: Distance of classes of two groups.
            w3: Distance where a label is missing.
            minimum_weight: At least 0; smaller weights are raised to it.
            normalise: Whether to divide the weights by their mean afterwards.

        Returns:
            The pool.

        Raises:
            ValueError: If a group has fewer than two items, an argument has another shape or is
                out of range, or all weights are 0, so that no triplet would teach anything.
        """
        if draws_per_item < 1:
            raise ValueError(f"draws_per_item must be at least 1, got {draws_per_item}")
        if not 0 <= minimum_weight < np.inf:
            raise ValueError(f"minimum_weight must be finite and >= 0, got {minimum_weight}")
        if labels.ndim != 2 or len(labels) != len(embeddings):
            raise ValueError(
                f"labels must be ({len(embeddings)}, M), a row for each embedding, "
                f"got {labels.shape}"
            )
        if groups is None:
            groups = np.zeros(len(embeddings), np.int64)
        if groups.shape != embeddings.shape[:1]:
            raise ValueError(f"groups must be ({len(embeddings)},), got {groups.shape}")
        negatives = np.empty((len(embeddings), draws_per_item), np.int32)
        for members in _group_members(groups):
            count = pool_size(len(members), share)
            # All ranks at once, so that the draws do not depend on the blocks.
            ranks = rng.integers(count, size=(len(members), draws_per_item))
            for start, nearest in nearest_items(embeddings[members], count):
                part = slice(start, start + len(nearest))
                chosen = np.take_along_axis(nearest, ranks[part], axis=1)
                negatives[members[part]] = members[chosen]
        weights = np.empty(negatives.shape, np.float32)
        step = max(WEIGHED // (draws_per_item * max(labels.shape[1], 1)), 1)
        for start in range(0, len(labels), step):
            part = slice(start, start + step)
            weights[part] = attribute_weight(
                labels[part, None], labels[negatives[part]], level1, w1=w1, w2=w2, w3=w3
            )
        np.maximum(weights, np.float32(minimum_weight), out=weights)
        mean = float(weights.mean(dtype=np.float64))
        if mean == 0:
            raise ValueError(
                "every weight is 0: no two items drawn differ in an attribute, so no triplet "
                "would teach anything; give minimum_weight above 0, or items with attributes"
            )
        if normalise:
            weights /= np.float32(mean)
        return cls(negatives, weights)

    def draw(self, item: int, rng: np.random.Generator) -> tuple[int, float]:
        """Draw one of the item's negatives; see `Negatives.draw`.

        Raises:
            ValueError: If there is no such item.
        """
        _require_item(item, len(self.negatives))
        place = int(rng.integers(self.negatives.shape[1]))
        return int(self.negatives[item, place]), float(self.weights[item, place])


def _require_item(item: int, items: int) -> None:
    if not 0 <= item < items:
        raise ValueError(f"item must be in [0, {items}), got {item}")


def _group_members(groups: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Give the item numbers of each group, ascending.

    Args:
        groups: (N,) int64, the group of each item.

    Raises:
        ValueError: If there is no item, or a group has one alone.
    """
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    fewest = min(map(len, members), default=0)
    if fewest < 2:
        raise ValueError(
            "a negative is another product of the same group: at least two products are needed in "
            f"each, got {fewest}"
        )
    return members
