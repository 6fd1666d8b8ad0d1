"""Photos beside a title picture of an article that they show, and the others' as wrong ones."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np

from snapshelf.features.encoder import Domain
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.batches import ViewLoader
from snapshelf.training.match_batches import PhotoSampler
from snapshelf.training.sampling import View, ViewGroup
from snapshelf.training.studio_articles import StudioArticles

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["PairedBatch", "PairedLoader", "PairedSampler"]

RIGHT, WRONG = 6, 7
"""What a generator is for, as the third number of its seed."""


class PairedBatch(NamedTuple):
    """What two networks are trained on in one step.

    Attributes:
        photos: (B, 3, H, W) uint8, RGB, [0, 255].
        titles: (B, 3, H, W) uint8, RGB, [0, 255], of an article that each photo shows.
        items: (B,) int64, the items of these articles.
        articles: (B, M) int64, the titles that each photo is compared with, numbers in the batch.
        right: (B, M) bool, whether it is the photo's own.
    """

    photos: Tensor
    titles: Tensor
    items: Tensor
    articles: Tensor
    right: Tensor


class PairedSampler:
    """Goes through the photos as `PhotoSampler` does, each with one of its articles drawn anew.

    Args:
        articles: What is shown where.
        titles: For each article the number of its title picture in the training set.
        count: Photos in an epoch, at least 1; None for each once.
        seed: At least 0.
    """

    views_per_group = 2

    def __init__(
        self,
        articles: StudioArticles,
        titles: Sequence[int],
        *,
        count: int | None = None,
        seed: int = 0,
    ) -> None:
        self._photos = PhotoSampler(articles.queries, count=count, seed=seed)
        self._right, self._titles = articles.right, titles
        self._starts = np.cumsum([0, *(len(rows) for rows in articles.right)])
        self._seed = seed

    def __len__(self) -> int:
        return len(self._photos)

    def draw(self, epoch: int, indices: Sequence[int]) -> Iterator[ViewGroup]:
        """Draw some photos of an epoch with their articles.

        Args:
            epoch: Counted from 0.
            indices: Which photos, each in [0, len).

        Yields:
            A street and a shop view, whose item is the number of the pair (see `pair`); it
            depends on the seed, the epoch and its index only.
        """
        for index, group in zip(indices, self._photos.draw(epoch, indices), strict=True):
            own = self._right[group.item]
            rng = np.random.default_rng((self._seed, epoch, RIGHT, index))
            place = int(rng.integers(len(own)))
            views = (*group.views, View(self._titles[own[place]], Domain.SHOP))
            yield ViewGroup(int(self._starts[group.item]) + place, 1.0, views, group.seed)

    def pair(self, number: int) -> tuple[int, int]:
        """Give the photo and the article's row of a pair, by its number."""
        photo = int(np.searchsorted(self._starts, number, side="right")) - 1
        return photo, self._right[photo][number - int(self._starts[photo])]


class PairedLoader:
    """Adds to a `ViewLoader`'s pairs what each photo is compared with; `fit` trains on it.

    A title picture goes through a network that learns, so a photo's wrong articles are those of
    the other photos of its batch: with 64 photos there are the paper's 50. Its other right ones
    are never among them.

    Args:
        pairs: Gives the batches of a `PairedSampler`.
        sampler: That one.
        articles: What is shown where.
        compared: Articles that a photo is compared with at most, at least 2. Fewer where the
            photo of the batch that has least has fewer.
        seed: At least 0.
        rank: Which of several training processes this is.
        world: How many there are.
    """

    def __init__(
        self,
        pairs: ViewLoader,
        sampler: PairedSampler,
        articles: StudioArticles,
        *,
        compared: int,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._pairs, self._sampler, self._articles = pairs, sampler, articles
        self._compared, self._seed = compared, seed
        self._rank, self._world = rank, world
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._pairs)

    def __iter__(self) -> Iterator[PairedBatch]:
        for batch in self._pairs:
            number = self._pairs.state_dict()["batches"] - 1
            drawn = [self._sampler.pair(each) for each in batch.items.tolist()]
            rng = np.random.default_rng(
                (self._seed, self._epoch, WRONG, number * self._world + self._rank)
            )
            articles = self._compare(drawn, rng)
            right = np.zeros(articles.shape, bool)
            right[:, 0] = True
            items = [self._articles.items[row] for _, row in drawn]
            yield PairedBatch(
                batch.pictures[:, 0],
                batch.pictures[:, 1],
                torch.tensor(items),
                torch.from_numpy(articles),
                torch.from_numpy(right),
            )

    def _compare(
        self, drawn: Sequence[tuple[int, int]], rng: np.random.Generator
    ) -> "np.ndarray[tuple[int, int], np.dtype[np.int64]]":
        """Give for each pair its own number and those of others' articles, each article once."""
        places = {row: place for place, (_, row) in enumerate(drawn)}
        wrong = [
            [place for row, place in places.items() if row not in self._articles.right[photo]]
            for photo, _ in drawn
        ]
        count = min(self._compared - 1, *(len(each) for each in wrong))
        return np.array(
            [
                [own, *rng.choice(np.array(each, np.int64), count, replace=False)]
                for own, each in enumerate(wrong)
            ],
            np.int64,
        )

    @property
    def sampler(self) -> Self:
        """This object, where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is of; Lightning calls it."""
        self._epoch = epoch
        self._pairs.set_epoch(epoch)

    def state_dict(self) -> dict[str, int]:
        """Say how far the epoch is; Lightning puts it into checkpoints."""
        return self._pairs.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where the checkpoint was made; Lightning calls it."""
        self._pairs.load_state_dict(state)

    def close(self) -> None:
        """End the processes that make pictures."""
        self._pairs.close()
