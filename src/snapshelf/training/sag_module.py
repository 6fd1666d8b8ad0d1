"""`SagModule`: the attribute loss and the optimiser of a SAG-CNN, as Lightning runs them."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.attribute_network import AttributeNetwork
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.attribute_targets import AttributeTargets
from snapshelf.training.attributes import UNLABELLED
from snapshelf.training.batches import ViewBatch
from snapshelf.training.losses import class_weights
from snapshelf.training.normaliser import Normaliser
from snapshelf.training.optimising import OptimizerSettings, make_optimizer

with torch_extra():
    import lightning
    import torch
    from torch import Tensor
    from torch.nn.functional import dropout

__all__ = ["SagModule", "SagSettings"]


class SagSettings(OptimizerSettings, Protocol):
    """Settings that say how attributes are learned."""

    @property
    def dropout(self) -> float:
        """The part of FC1 that is left out in training."""

    @property
    def balanced(self) -> bool:
        """Whether the values of an attribute weigh inversely to how often they are."""

    @property
    def branch_rate(self) -> float:
        """Times the learning rate that the branches learn at."""


class SagModule(lightning.LightningModule):
    """The network of one side, learning to predict the attributes of single pictures.

    It serves `three-level` and FashionDNA, whose paper has "multiple categorical cross-entropy
    losses, one for each attribute". The paper of `three-level` does not print its loss; units that
    give "the probability of having the corresponding attribute value" (Section III-A) are read as
    a softmax for each attribute, and the loss as the mean of the attributes' cross-entropies. What
    an item is not labelled with adds 0.

    Args:
        network: To be trained.
        preprocessing: Its mean and standard deviation, applied on the device.
        settings: The recipe.
        labels: (N, M) int64, the attribute labels of the training items, -1 for none.
        counts: For each of M attributes the number of items of each class.
        epochs: Of the whole training.
        steps_per_epoch: Batches of an epoch, for the learning rate's schedule.
    """

    def __init__(
        self,
        network: AttributeNetwork,
        preprocessing: Preprocessing,
        settings: SagSettings,
        *,
        labels: NDArray[np.int64],
        counts: Sequence[Sequence[int]],
        epochs: int,
        steps_per_epoch: int,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last).train()
        self.settings = settings
        self.normalise = Normaliser(preprocessing)
        self._epochs, self._steps_per_epoch = epochs, steps_per_epoch
        # Those of MTV-CNN sum to 1; times G they are 1 where all values are as frequent.
        weights = [
            class_weights(torch.tensor(count)) * len(count)
            if settings.balanced
            else torch.ones(len(count))
            for count in counts
        ]
        self.targets = AttributeTargets(labels, weights)

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Compute the attribute loss of a batch of single views.

        Args:
            batch: Of (B, 1, 3, S, S) pictures.
            batch_idx: Makes no difference.

        Returns:
            () float32.
        """
        fc1 = self.network(self.normalise(batch.pictures.flatten(0, 1)))
        logits = self.network.attribute_logits(dropout(fc1, self.settings.dropout))
        loss = self.targets.loss(logits, batch.items).mean()
        with torch.no_grad():
            labels = self.targets.labels[batch.items]
            chosen = torch.stack([each.argmax(1) for each in logits], dim=1)
            known = labels != UNLABELLED
            right = ((chosen == labels) & known).sum() / known.sum().clamp(min=1)
        self.log_dict(
            {"loss": loss.detach(), "right": right},
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(labels),
        )
        return loss

    def configure_optimizers(self) -> Any:
        """Make the optimiser, and the learning rate's schedule by steps."""
        settings, network = self.settings, self.network
        shared = [*network.backbone.parameters(), *network.first.parameters()]
        groups: list[dict[str, Any]] = [
            {"params": shared},
            {
                "params": list(network.branches.parameters()),
                "lr": settings.learning_rate * settings.branch_rate,
            },
        ]
        return make_optimizer(
            groups, settings, epochs=self._epochs, steps_per_epoch=self._steps_per_epoch
        )
