"""`MetricModule`: the loss and the optimiser of a metric network, as Lightning runs them."""

from typing import Any

import numpy as np

from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.metric_network import MetricNetwork
from snapshelf.training.feature_pairs import PairBatch
from snapshelf.training.metric_settings import MetricSettings
from snapshelf.training.optimising import make_optimizer

with torch_extra():
    import lightning
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import binary_cross_entropy_with_logits, dropout

__all__ = ["MetricModule"]


class MetricModule(lightning.LightningModule):
    """Two layers over a pair of features, learning whether they are of one product.

    Features of unit length are made as long as so many numbers of unit variance are, for the
    layers' usual start; `network` takes that into the weights.

    Args:
        length: Of a feature, F.
        settings: The recipe.
        steps_per_epoch: Batches of an epoch, for the learning rate's schedule.
    """

    def __init__(self, length: int, settings: MetricSettings, *, steps_per_epoch: int) -> None:
        super().__init__()
        self.settings = settings
        self.hidden = nn.Linear(2 * length, settings.hidden)
        self.output = nn.Linear(settings.hidden, 1)
        self._length = length
        self._steps_per_epoch = steps_per_epoch

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Compute the cross-entropy of same and different.

        Args:
            batch: Of pairs.
            batch_idx: Makes no difference.

        Returns:
            () float32.
        """
        pairs = torch.cat([batch.street, batch.shop], dim=1) * self._length**0.5
        hidden = dropout(self.hidden(pairs).relu(), self.settings.dropout)
        loss = binary_cross_entropy_with_logits(self.output(hidden)[:, 0], batch.same.float())
        self.log(
            "loss",
            loss.detach(),
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(batch.same),
        )
        return loss

    def configure_optimizers(self) -> Any:
        """Make the optimiser, and the learning rate's schedule by steps."""
        groups = [{"params": list(self.parameters())}]
        settings = self.settings
        return make_optimizer(
            groups, settings, epochs=settings.epochs, steps_per_epoch=self._steps_per_epoch
        )

    def network(self) -> MetricNetwork:
        """Give what has been learned."""
        weight = self.hidden.weight.detach().cpu().numpy().T * self._length**0.5
        return MetricNetwork(
            street=np.ascontiguousarray(weight[: self._length], np.float32),
            shop=np.ascontiguousarray(weight[self._length :], np.float32),
            bias=self.hidden.bias.detach().cpu().numpy().copy(),
            output=self.output.weight.detach().cpu().numpy()[0].copy(),
            offset=self.output.bias.detach().cpu().numpy().copy(),
        )
