"""Which articles a photo is compared with in a step: its right ones, and others drawn anew."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["ArticleDraws"]

ARTICLES = 5
"""What a generator is for, as the third number of its seed."""


class ArticleDraws:
    """Draws a photo's articles; all of it follows from (seed, epoch, batch, place in the batch).

    Lasserre, Rasch, Vollgraf: Studio2Shop, Section 4.1: the articles "contain the (at least 1)
    annotated matching articles", and the others, "drawn randomly without replacement", are drawn
    anew for each photo, batch and epoch. A photo with more right articles than are compared is
    compared with some of them, and one with more than `most_right` with so many; the rest of
    its right ones are never taken for wrong.

    Args:
        right: For each photo the rows of its right articles, at least one.
        candidates: (N,) rows of all articles that may be drawn, each once.
        articles: Compared with a photo at a time, M, at least 2. Fewer where there are not so
            many besides the right ones of the photo that has most.
        most_right: Right ones among them, at least 1; None for all. The ranking loss has 1.
        seed: At least 0.

    Raises:
        ValueError: If a photo has no right article or a number is out of range.
    """

    def __init__(
        self,
        right: Sequence[Sequence[int]],
        candidates: Sequence[int],
        *,
        articles: int,
        most_right: int | None = None,
        seed: int = 0,
    ) -> None:
        if articles < 2 or (most_right is not None and most_right < 1):
            raise ValueError(
                f"articles must be at least 2 and most_right at least 1, got {articles}, "
                f"{most_right}"
            )
        self._candidates = np.unique(np.asarray(candidates, np.int64))
        self._right = [np.unique(np.asarray(rows, np.int64)) for rows in right]
        for photo, rows in enumerate(self._right):
            if not len(rows) or not np.isin(rows, self._candidates).all():
                raise ValueError(
                    f"the right articles of photo {photo} must be at least one of the candidates, "
                    f"got {rows.tolist()}"
                )
        self._most_right = most_right
        self._seed = seed
        # As many for every photo, so that a batch is one array.
        fewest = min(self._taken(rows, articles) + self._wrong(rows) for rows in self._right)
        self._articles = min(articles, fewest)

    @property
    def articles(self) -> int:
        """Articles that each photo is compared with, M."""
        return self._articles

    def draw(
        self, epoch: int, batch: int, photos: Sequence[int]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Draw the articles of a batch.

        Args:
            epoch: Counted from 0.
            batch: Of the epoch, from 0.
            photos: Numbers of B photos; one may be there twice.

        Returns:
            (B, M) int64, rows of articles, each once in a photo's row, and (B, M) bool, whether
            each is right.
        """
        rows = np.empty((len(photos), self._articles), np.int64)
        truth = np.zeros((len(photos), self._articles), bool)
        for place, photo in enumerate(photos):
            rng = np.random.default_rng((self._seed, epoch, ARTICLES, batch, place))
            right = self._right[photo]
            taken = self._taken(right, self._articles)
            rows[place, :taken] = rng.choice(right, taken, replace=False)
            truth[place, :taken] = True
            rows[place, taken:] = self._draw_wrong(rng, right, self._articles - taken)
        return rows, truth

    def _taken(self, right: NDArray[np.int64], articles: int) -> int:
        """Give how many right articles of a photo are compared."""
        return min(len(right), articles, self._most_right or articles)

    def _wrong(self, right: NDArray[np.int64]) -> int:
        return len(self._candidates) - len(right)

    def _draw_wrong(
        self, rng: np.random.Generator, right: NDArray[np.int64], count: int
    ) -> NDArray[np.int64]:
        """Draw rows of articles that are not right, each once and each set as likely."""
        drawn = rng.choice(self._wrong(right), count, replace=False, shuffle=False)
        # Numbers of the wrong ones alone: each is as much further as there are right ones before.
        places = np.searchsorted(self._candidates, right)
        for place in places:
            drawn += drawn >= place
        found: NDArray[np.int64] = self._candidates[drawn]
        return found
