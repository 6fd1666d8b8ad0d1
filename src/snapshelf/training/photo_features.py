"""Photos whose features stay as they are, with the articles that each is compared with."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.article_draws import ArticleDraws
from snapshelf.training.match_batches import MatchBatch, PhotoSampler
from snapshelf.training.photo_queries import PhotoQuery
from snapshelf.training.resumable_batches import ResumableBatches
from snapshelf.training.training_error import TrainingError

with torch_extra():
    import torch

__all__ = ["FeatureMatches"]


class FeatureMatches(ResumableBatches[MatchBatch]):
    """What `MatchLoader` gives, with features in the place of pictures. `fit` trains on it.

    Args:
        queries: The photos.
        features: (Q, D) float32, of the photos.
        draws: Draws their articles.
        batch: Photos in a batch, at least 1. What is left over at an epoch's end is dropped.
        count: Photos in an epoch, at least 1; None for each once.
        seed: At least 0.

    Raises:
        TrainingError: If an epoch has fewer photos than a batch.
    """

    def __init__(
        self,
        queries: Sequence[PhotoQuery],
        features: NDArray[np.float32],
        draws: ArticleDraws,
        *,
        batch: int,
        count: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        self._sampler = PhotoSampler(queries, count=count, seed=seed)
        self._features = torch.from_numpy(features)
        self._draws = draws
        self._batch = batch
        if not len(self):
            raise TrainingError(
                f"an epoch has {len(self._sampler)} photos, fewer than the {batch} of one batch: "
                "give more photos, a longer epoch or a smaller batch"
            )

    def __len__(self) -> int:
        return len(self._sampler) // self._batch

    def _draw(self, number: int) -> MatchBatch:
        places = range(number * self._batch, (number + 1) * self._batch)
        photos = [group.item for group in self._sampler.draw(self._epoch, places)]
        articles, right = self._draws.draw(self._epoch, number, photos)
        return MatchBatch(
            self._features[photos], torch.from_numpy(articles), torch.from_numpy(right)
        )
