"""Batches of photos with the articles that each is compared with."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np

from snapshelf.features.encoder import Domain
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.article_draws import ArticleDraws
from snapshelf.training.batches import ViewLoader
from snapshelf.training.photo_queries import PhotoQuery
from snapshelf.training.sampling import View, ViewGroup

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["MatchBatch", "MatchLoader", "PhotoSampler"]

ORDER, VIEWS = 0, 3
"""What a generator is for, as the third number of its seed."""


class MatchBatch(NamedTuple):
    """What Studio2Shop is trained on in one step.

    Attributes:
        pictures: (B, 3, H, W) uint8, RGB, [0, 255], the photos.
        articles: (B, M) int64, rows of the articles that each photo is compared with.
        right: (B, M) bool, whether the photo shows the article.
    """

    pictures: Tensor
    articles: Tensor
    right: Tensor


class PhotoSampler:
    """Goes through all photos in an order of each epoch's own, once or as often as need be.

    Args:
        queries: The photos; a group's item is the number of its query.
        count: Photos in an epoch, at least 1; None for each once.
        seed: At least 0.
    """

    views_per_group = 1

    def __init__(
        self, queries: Sequence[PhotoQuery], *, count: int | None = None, seed: int = 0
    ) -> None:
        self._queries = queries
        self._count = len(queries) if count is None else count
        self._seed = seed

    def __len__(self) -> int:
        return self._count

    def draw(self, epoch: int, indices: Sequence[int]) -> Iterator[ViewGroup]:
        """Draw some photos of an epoch.

        Args:
            epoch: Counted from 0.
            indices: Which photos, each in [0, len).

        Yields:
            The photos, each alone; it depends on the seed, the epoch and its index only.
        """
        many, turn, order = len(self._queries), -1, np.empty(0, np.int64)
        for index in indices:
            if index // many != turn:
                turn = index // many
                order = np.random.default_rng((self._seed, epoch, ORDER, turn)).permutation(many)
            query = int(order[index % many])
            view = View(self._queries[query].picture, Domain.STREET)
            yield ViewGroup(query, 1.0, (view,), (self._seed, epoch, VIEWS, index))


class MatchLoader:
    """Adds the articles to a `ViewLoader`'s batches; `fit` trains on it.

    Args:
        photos: Gives the batches of photos of a `PhotoSampler`.
        draws: Draws their articles.
        rank: Which of several training processes this is; each draws articles of its own.
        world: How many there are.
    """

    def __init__(
        self, photos: ViewLoader, draws: ArticleDraws, *, rank: int = 0, world: int = 1
    ) -> None:
        self._photos, self._draws = photos, draws
        self._rank, self._world = rank, world
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._photos)

    def __iter__(self) -> Iterator[MatchBatch]:
        for batch in self._photos:
            # The loader counts a batch when it hands it out, so that it can go on in mid-epoch.
            number = self._photos.state_dict()["batches"] - 1
            articles, right = self._draws.draw(
                self._epoch, number * self._world + self._rank, batch.items.tolist()
            )
            yield MatchBatch(
                batch.pictures[:, 0], torch.from_numpy(articles), torch.from_numpy(right)
            )

    @property
    def sampler(self) -> Self:
        """This object, where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is of; Lightning calls it."""
        self._epoch = epoch
        self._photos.set_epoch(epoch)

    def state_dict(self) -> dict[str, int]:
        """Say how far the epoch is; Lightning puts it into checkpoints."""
        return self._photos.state_dict()

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where the checkpoint was made; Lightning calls it."""
        self._photos.load_state_dict(state)

    def close(self) -> None:
        """End the processes that make pictures."""
        self._photos.close()
