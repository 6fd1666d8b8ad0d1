"""Which pictures a trajectory is compared with in a step: as many right ones as wrong ones.

Cheng, Wu, Liu, Hua: Video2Shop, Section 5 and Algorithm 1, step 1.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snapshelf.training.training_error import TrainingError

__all__ = ["TrajectoryDraws", "TrajectoryRows"]

ORDER, PICTURES = 0, 7
"""What a generator is for, as the third number of its seed."""


class TrajectoryRows(NamedTuple):
    """A batch by numbers.

    Attributes:
        trajectories: (n,) int64.
        pictures: (n, 2 S) int64, the right ones first.
        right: (n, 2 S) bool.
    """

    trajectories: NDArray[np.int64]
    pictures: NDArray[np.int64]
    right: NDArray[np.bool_]


class TrajectoryDraws:
    """Draws batches; all of it follows from (seed, epoch, batch).

    Every trajectory comes once in an epoch, in an order of the epoch's own. Its S right pictures
    are of its product, each once before one comes again; of its S wrong ones each is of another
    product, each product as likely, as far as there are so many.

    Args:
        trajectories: N numbers of products, of each trajectory.
        pictures: P numbers of products, of each shop picture.
        batch: Trajectories in a batch, n, at least 1; all where there are fewer.
        positives: S, at least 1.
        categories: Of each product; wrong pictures are then of the trajectory's own category, in
            which a search looks. None: of any product.
        category: Trajectories of this one alone, for a model of its own; None for all.
        seed: At least 0.

    Raises:
        TrainingError: If no trajectory is left that has a right and a wrong picture.
        ValueError: If a number is out of range, or a category is asked for and none are given.
    """

    def __init__(
        self,
        trajectories: Sequence[int],
        pictures: Sequence[int],
        *,
        batch: int,
        positives: int,
        categories: Mapping[int, str] | None = None,
        category: str | None = None,
        seed: int = 0,
    ) -> None:
        if batch < 1 or positives < 1:
            raise ValueError(f"batch and positives must be at least 1, got {batch}, {positives}")
        if category is not None and categories is None:
            raise ValueError(f"the category {category!r} needs the products' categories")
        self._products = list(trajectories)
        self._pictures: dict[int, list[int]] = {}
        for row, product in enumerate(pictures):
            self._pictures.setdefault(product, []).append(row)
        known = {*self._products, *self._pictures}
        self._group = {each: "" if categories is None else categories[each] for each in known}
        self._members: dict[str, list[int]] = {}
        for product in sorted(self._pictures):
            self._members.setdefault(self._group[product], []).append(product)
        self._rows = np.array(
            [
                row
                for row, product in enumerate(self._products)
                if product in self._pictures
                and len(self._members[self._group[product]]) > 1
                and category in (None, self._group[product])
            ],
            np.int64,
        )
        if not len(self._rows):
            where = "" if category is None else f" in the category {category!r}"
            raise TrainingError(
                f"none of {len(self._products)} trajectories{where} has a shop picture of its "
                "product and one of another; add a data set that has some"
            )
        self._batch, self._positives, self._seed = min(batch, len(self._rows)), positives, seed

    def __len__(self) -> int:
        """Give the number of batches in an epoch; what is left over behind the last is dropped."""
        return len(self._rows) // self._batch

    @property
    def usable(self) -> int:
        """How many trajectories are drawn from."""
        return len(self._rows)

    @property
    def pairs(self) -> int:
        """How many pairs a batch has, 2 S n."""
        return 2 * self._positives * self._batch

    def draw(self, epoch: int, number: int) -> TrajectoryRows:
        """Draw a batch.

        Args:
            epoch: Counted from 0.
            number: Of the batch, in [0, len).
        """
        order = np.random.default_rng((self._seed, epoch, ORDER)).permutation(self._rows)
        chosen = order[number * self._batch : (number + 1) * self._batch]
        rng = np.random.default_rng((self._seed, epoch, PICTURES, number))
        many = self._positives
        rows = np.empty((len(chosen), 2 * many), np.int64)
        for row, trajectory in zip(rows, chosen.tolist(), strict=True):
            product = self._products[trajectory]
            row[:many] = _take(rng, self._pictures[product], many)
            others = [each for each in self._members[self._group[product]] if each != product]
            for place, other in enumerate(_take(rng, others, many).tolist(), many):
                row[place] = rng.choice(self._pictures[other])
        right = np.broadcast_to(np.arange(2 * many) < many, rows.shape)
        return TrajectoryRows(chosen, rows, right.copy())


def _take(rng: np.random.Generator, values: Sequence[int], count: int) -> NDArray[np.int64]:
    """Draw values, each once before one comes again."""
    turns = [rng.permutation(values) for _ in range(-(-count // len(values)))]
    return np.concatenate(turns)[:count]
