"""`NegativeSchedule`: which negatives each epoch draws, stage by stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.attributes import AttributeTable
from snapshelf.training.mtv_settings import MtvSettings
from snapshelf.training.negatives import HardNegativePool, Negatives, RandomNegatives
from snapshelf.training.training_error import TrainingError

with torch_extra():
    import torch

__all__ = ["NegativeSchedule"]

POOL = 2
"""What a generator is for, as the third number of its seed, as in `sampling`."""


@dataclass(frozen=True, slots=True)
class _Unweighted:
    """Negatives whose triplets all weigh the same."""

    negatives: Negatives

    def draw(self, item: int, rng: np.random.Generator) -> tuple[int, float]:
        return self.negatives.draw(item, rng)[0], 1.0


class NegativeSchedule:
    """Random negatives, or a pool that is made anew while the network learns.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Section 3.4. The pool is kept in checkpoints,
    since the network that it was made with is gone when a training goes on from one.

    Args:
        settings: The stages, and the weights' constants.
        table: The attributes; triplets are not weighted if there are none.
        labels: (N, M) int64, of the items.
        sources: (N,) int64, the data set of each item; negatives come from the anchor's own.
        embed: Gives the items' embeddings as they are now, (N, D) float32.
    """

    def __init__(
        self,
        settings: MtvSettings,
        table: AttributeTable,
        labels: NDArray[np.int64],
        sources: NDArray[np.int64],
        embed: Callable[[], NDArray[np.float32]],
    ) -> None:
        self._settings = settings
        self._table = table
        self._labels = labels
        self._sources = sources
        self._embed = embed
        self._pool: HardNegativePool | None = None
        self._made_for: int | None = None

    def at(self, epoch: int) -> Negatives:
        """Give the negatives of an epoch; embeds the items first if a new pool is due.

        Args:
            epoch: Counted from 0 over all stages; to be asked for in order.

        Raises:
            TrainingError: If the embeddings are not finite.
        """
        number, inside = self._settings.stage_at(epoch)
        stage = self._settings.stages[number]
        if stage.share is None:
            self._pool = None
            return RandomNegatives(self._sources)
        weighting = stage.weighting and bool(self._table.names)
        due = inside == 0 if stage.refresh_epochs is None else inside % stage.refresh_epochs == 0
        # An epoch that is gone on with in its midst keeps the pool that it began with.
        if self._pool is None or (due and epoch != self._made_for):
            self._pool = self._make(epoch, stage.share, weighting)
            self._made_for = epoch
        return self._pool if weighting else _Unweighted(self._pool)

    def state_dict(self) -> dict[str, Any]:
        """Give the pool as tensors, and the epoch it was made for; empty where there is none."""
        if self._pool is None:
            return {}
        return {
            "epoch": self._made_for,
            "negatives": torch.from_numpy(self._pool.negatives),
            "weights": torch.from_numpy(self._pool.weights),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self._made_for = state.get("epoch")
        self._pool = (
            HardNegativePool(state["negatives"].numpy(), state["weights"].numpy())
            if state
            else None
        )

    def _make(self, epoch: int, share: float, weighting: bool) -> HardNegativePool:
        settings = self._settings
        embeddings = self._embed()
        if not np.isfinite(embeddings).all():
            raise TrainingError(
                "training has diverged: embeddings are not finite; lower the learning rate, or set "
                "gradient_clip"
            )
        return HardNegativePool.refresh(
            embeddings,
            self._labels,
            self._table.level1,
            groups=self._sources,
            rng=np.random.default_rng((settings.seed, epoch, POOL)),
            share=share,
            draws_per_item=settings.draws_per_item,
            w1=settings.w1,
            w2=settings.w2,
            w3=settings.w3,
            # Where nothing is weighted, weights of 0 are no reason to complain.
            minimum_weight=settings.minimum_weight if weighting else 1.0,
            normalise=settings.normalise_weights,
        )
