"""`MtvModule`: the losses and the optimiser of MTV-CNN, as Lightning runs them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.embedding_network import EmbeddingNetwork
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.attribute_targets import AttributeTargets
from snapshelf.training.batches import ViewBatch
from snapshelf.training.losses import (
    class_weights,
    contrastive,
    hinge_triplet,
    multi_task,
    ratio_triplet,
    ratio_tuplet,
    view_invariance,
)
from snapshelf.training.mining import NegativeSchedule
from snapshelf.training.mtv_settings import MtvSettings
from snapshelf.training.normaliser import Normaliser
from snapshelf.training.optimising import make_optimizer

with torch_extra():
    import lightning
    import torch
    from torch import Tensor
    from torch.nn.functional import dropout, normalize

__all__ = ["MtvModule"]


class MtvModule(lightning.LightningModule):
    """One network over anchor, positive, negative and bag, and the multi-task loss (Eq. 7, 10).

    Args:
        network: To be trained.
        preprocessing: Its mean and standard deviation, applied on the device.
        settings: The recipe.
        labels: (N, M) int64, the attribute labels of the training items, -1 for none.
        counts: For each of M attributes the number of items of each class.
        negatives: Kept in checkpoints with the network.
        steps_per_epoch: Batches of an epoch, for the learning rate's schedule.
    """

    def __init__(
        self,
        network: EmbeddingNetwork,
        preprocessing: Preprocessing,
        settings: MtvSettings,
        *,
        labels: NDArray[np.int64],
        counts: Sequence[Sequence[int]],
        negatives: NegativeSchedule,
        steps_per_epoch: int,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last).train()
        self.settings = settings
        self.negatives = negatives
        self._steps_per_epoch = steps_per_epoch
        self.normalise = Normaliser(preprocessing)
        weights = [class_weights(torch.tensor(count)) for count in counts]
        self.targets = AttributeTargets(labels, weights)

    def embed(self, pictures: Tensor) -> Tensor:
        """Embed pictures, all at once: the parallel networks share their weights.

        Args:
            pictures: (T, V, 3, S, S) uint8, RGB, [0, 255].

        Returns:
            (T, V, D) float32, as the network gives them, with dropout.
        """
        pooled = self.network.pooled(self.normalise(pictures.flatten(0, 1)))
        raw: Tensor = self.network.embedding(dropout(pooled, self.settings.dropout)).float()
        return raw.reshape(*pictures.shape[:2], -1)

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Compute the multi-task loss of a batch.

        Args:
            batch: Of triplets.
            batch_idx: Makes no difference.

        Returns:
            () float32.
        """
        settings = self.settings
        raw = self.embed(batch.pictures)
        scale = settings.embedding_scale
        views = raw if scale is None else normalize(raw, dim=-1)
        triplet = self._triplet_loss(views if scale is None else views * scale, batch.items)
        nothing = torch.zeros_like(triplet)
        view = view_invariance(views[:, 3:]) if settings.view_invariance else nothing
        attribute = self._attribute_loss(raw[:, 0], batch) if len(self.targets) else nothing
        loss = multi_task(
            triplet,
            view,
            attribute,
            alpha_v=settings.alpha_v,
            beta_a=settings.beta_a,
            weights=batch.weights,
        )
        means = {"triplet": triplet, "view": view, "attribute": attribute}
        self.log_dict(
            {"loss": loss.detach()} | {name: part.detach().mean() for name, part in means.items()},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(triplet),
        )
        return loss

    def configure_optimizers(self) -> Any:
        """Make the optimiser, and the learning rate's schedule by steps."""
        settings = self.settings
        heads = [*self.network.embedding.parameters(), *self.network.attributes.parameters()]
        groups: list[dict[str, Any]] = [
            {"params": list(self.network.backbone.parameters())},
            {"params": heads, "lr": settings.learning_rate * settings.embedding_rate},
        ]
        return make_optimizer(
            groups, settings, epochs=settings.epochs, steps_per_epoch=self._steps_per_epoch
        )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Put the pool of negatives into a checkpoint."""
        checkpoint["negatives"] = self.negatives.state_dict()

    def on_load_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        """Take the pool of negatives back."""
        self.negatives.load_state_dict(checkpoint["negatives"])

    def _triplet_loss(self, embeddings: Tensor, items: Tensor) -> Tensor:
        """Give the main loss of each triplet, (T,)."""
        anchor, positive, negative = embeddings[:, 0], embeddings[:, 1], embeddings[:, 2]
        if self.settings.batch_negatives:
            return ratio_tuplet(anchor, positive, negative, items[:, None] == items)
        if self.settings.loss == "ratio":
            return ratio_triplet(anchor, positive, negative)
        if self.settings.loss == "hinge":
            return hinge_triplet(anchor, positive, negative, margin=self.settings.margin)
        margin = self.settings.contrastive_margin
        same = torch.ones(len(anchor), dtype=torch.bool, device=anchor.device)
        matched = contrastive(anchor, positive, same, margin=margin)
        return matched + contrastive(anchor, negative, ~same, margin=margin)

    def _attribute_loss(self, raw: Tensor, batch: ViewBatch) -> Tensor:
        """Give the attribute loss of each anchor, (T,)."""
        return self.targets.loss(self.network.attribute_logits(raw), batch.items, batch.recoloured)
