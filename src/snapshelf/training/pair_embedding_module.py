"""`PairEmbeddingModule`: one layer over features, learned from pairs; rows CS and RC of Video2Shop.

Cheng, Wu, Liu, Hua: Video2Shop, Section 6.5.
"""

from typing import Any, NamedTuple

import numpy as np

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.asymnet_settings import AsymNetSettings
from snapshelf.training.losses.contrastive import contrastive
from snapshelf.training.losses.pair_softmax import pair_softmax
from snapshelf.training.losses.robust_contrastive import robust_contrastive
from snapshelf.training.optimising import make_optimizer
from snapshelf.training.resumable_batches import ResumableBatches
from snapshelf.training.trajectory_batches import FeatureSource
from snapshelf.training.trajectory_draws import TrajectoryDraws

with torch_extra():
    import lightning
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import normalize

__all__ = ["PairBatch", "PairBatches", "PairEmbeddingModule"]

FRAMES = 9
"""What a generator is for, as the third number of its seed."""

MARGIN = 1.0
"""Distance from which on wrong pairs are left alone; unit vectors are at most 2 apart."""

NEAR = 0.3
"""Distance up to which the robust loss leaves right pairs alone."""


class PairBatch(NamedTuple):
    """Pairs of a frame and a shop picture.

    Attributes:
        frames: (B, D) float32, features.
        pictures: (B, D) float32.
        same: (B,) bool.
        frame_kinds: (B,) int64, numbers of categories.
        picture_kinds: (B,) int64.
    """

    frames: Tensor
    pictures: Tensor
    same: Tensor
    frame_kinds: Tensor
    picture_kinds: Tensor


class PairBatches(ResumableBatches[PairBatch]):
    """Draws trajectories and pictures as AsymNet's training does, and one frame for each pair.

    Args:
        draws: Say which.
        source: Gives them.
        trajectory_kinds: The number of each trajectory's category.
        picture_kinds: The number of each picture's.
        seed: At least 0; decides the frames.
    """

    def __init__(
        self,
        draws: TrajectoryDraws,
        source: FeatureSource,
        trajectory_kinds: Tensor,
        picture_kinds: Tensor,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(seed)
        self._draws, self._source = draws, source
        self._kinds = trajectory_kinds, picture_kinds

    def __len__(self) -> int:
        return len(self._draws)

    def _draw(self, number: int) -> PairBatch:
        rows = self._draws.draw(self._epoch, number)
        clips, shown = torch.from_numpy(rows.trajectories), torch.from_numpy(rows.pictures)
        rng = np.random.default_rng((self._seed, self._epoch, FRAMES, number))
        steps = self._source.trajectories[clips]
        places = torch.from_numpy(rng.integers(steps.shape[1], size=rows.pictures.shape))
        frames = steps.gather(1, places[:, :, None].expand(-1, -1, steps.shape[2]))
        kinds = self._kinds[0][clips][:, None].expand(shown.shape)
        return PairBatch(
            frames.flatten(0, 1),
            self._source.pictures[shown.flatten()],
            torch.from_numpy(rows.right).flatten(),
            kinds.flatten(),
            self._kinds[1][shown.flatten()],
        )


class PairEmbeddingModule(lightning.LightningModule):
    """A linear layer to embeddings of unit length, and one that tells categories by them.

    Args:
        axes: (K, D) float32, what the layer begins as: the features' principal axes.
        kinds: Number of categories, at least 1.
        settings: The recipe.
        robust: Whether right pairs need only come near (RC), or as near as can be (CS).
        steps_per_epoch: Batches of an epoch.
    """

    def __init__(
        self,
        axes: Tensor,
        kinds: int,
        settings: AsymNetSettings,
        *,
        robust: bool,
        steps_per_epoch: int,
    ) -> None:
        super().__init__()
        self.layer = nn.Linear(axes.shape[1], axes.shape[0])
        with torch.no_grad():
            self.layer.weight.copy_(axes)
            self.layer.bias.zero_()
        self.kinds = nn.Linear(axes.shape[0], kinds)
        self.settings, self._robust, self._steps = settings, robust, steps_per_epoch

    def forward(self, features: Tensor) -> Tensor:
        """Give (..., K) float, L2-normalised, for (..., D) float."""
        return normalize(self.layer(features), dim=-1)

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Learn from a batch.

        Args:
            batch: Of pairs.
            batch_idx: Makes no difference.
        """
        one, other = self(batch.frames), self(batch.pictures)
        if self._robust:
            pairs = robust_contrastive(one, other, batch.same, near=NEAR, margin=MARGIN)
        else:
            pairs = contrastive(one, other, batch.same, margin=MARGIN)
        told = (self.kinds(one), self.kinds(other), batch.frame_kinds, batch.picture_kinds)
        loss = pair_softmax(pairs, *told, weight=0.1).mean()
        self.log("loss", loss, on_step=False, on_epoch=True, batch_size=len(one))
        return loss

    def configure_optimizers(self) -> Any:
        """Make the optimiser, and the learning rate's schedule by steps."""
        settings = self.settings
        rate = settings.learning_rate * settings.head_rate
        return make_optimizer(
            [{"params": list(self.parameters()), "lr": rate}],
            settings,
            epochs=settings.epochs,
            steps_per_epoch=self._steps,
        )
