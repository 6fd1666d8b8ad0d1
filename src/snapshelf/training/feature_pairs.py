"""Pairs of a street and a shop feature, right and wrong ones, as batches of an epoch."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.resumable_batches import ResumableBatches
from snapshelf.training.training_error import TrainingError

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["FeaturePairs", "PairBatch"]


class PairBatch(NamedTuple):
    """What a metric network is trained on in one step.

    Attributes:
        street: (B, F) float32.
        shop: (B, F) float32.
        same: (B,) bool, whether both are of one product.
    """

    street: Tensor
    shop: Tensor
    same: Tensor


class FeaturePairs(ResumableBatches[PairBatch]):
    """Draws pairs; all of it follows from (seed, epoch, batch). `fit` trains on it.

    A right pair is a street photo, each as likely, and a shop picture of its product; each of its
    wrong pairs is the photo and a shop picture of another product, each product as likely.

    Args:
        street: (N, F) float32.
        shop: (M, F) float32.
        street_products: N numbers of products in [0, P).
        shop_products: M numbers of products.
        batch: Right pairs in a batch, at least 1; of an epoch with fewer, all.
        negatives: Wrong pairs for each right one, at least 1.
        count: Right pairs in an epoch, at least 1; None for N. What is left over behind the last
            batch is dropped.
        seed: At least 0.

    Raises:
        TrainingError: If no photo's product has a shop picture, or there is no other product.
    """

    def __init__(
        self,
        street: NDArray[np.float32],
        shop: NDArray[np.float32],
        *,
        street_products: Sequence[int],
        shop_products: Sequence[int],
        batch: int,
        negatives: int,
        count: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        self._street, self._shop = torch.from_numpy(street), torch.from_numpy(shop)
        self._pictures: dict[int, list[int]] = {}
        for place, product in enumerate(shop_products):
            self._pictures.setdefault(product, []).append(place)
        self._photos = [
            (place, product)
            for place, product in enumerate(street_products)
            if product in self._pictures
        ]
        self._products = sorted(self._pictures)
        if not self._photos or len(self._products) < 2:
            raise TrainingError(
                "a metric network learns from street photos of products with a shop picture, and "
                f"from those of other products: got {len(self._photos)} such photos and "
                f"{len(self._products)} products with shop pictures; add a data set that has some"
            )
        self._count = len(self._photos) if count is None else count
        self._batch = min(batch, self._count)
        self._negatives = negatives

    def __len__(self) -> int:
        return self._count // self._batch

    @property
    def pairs_per_batch(self) -> int:
        """Right and wrong ones."""
        return self._batch * (1 + self._negatives)

    def _draw(self, number: int) -> PairBatch:
        rng = np.random.default_rng((self._seed, self._epoch, number))
        street, shop, same = [], [], []
        for place in rng.integers(len(self._photos), size=self._batch).tolist():
            photo, product = self._photos[place]
            others = rng.integers(len(self._products) - 1, size=self._negatives).tolist()
            own = self._products.index(product)
            # Numbers from the own one on are one further: every other product, and not the own.
            wrong = [self._products[other + (other >= own)] for other in others]
            for each in (product, *wrong):
                pictures = self._pictures[each]
                street.append(photo)
                shop.append(pictures[int(rng.integers(len(pictures)))])
                same.append(each == product)
        return PairBatch(self._street[street], self._shop[shop], torch.tensor(same))
