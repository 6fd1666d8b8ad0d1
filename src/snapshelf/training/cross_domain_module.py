"""`CrossDomainModule`: street and shop views of a product are drawn together, under Lightning."""

from typing import Any

from snapshelf.features.embedding_network import EmbeddingNetwork
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.batches import ViewBatch
from snapshelf.training.losses import info_nce
from snapshelf.training.normaliser import Normaliser
from snapshelf.training.rates import cosine_rate

with torch_extra():
    import lightning
    import torch
    from torch import Tensor

__all__ = ["CrossDomainModule"]


class CrossDomainModule(lightning.LightningModule):
    """One network over both sides; each street view has to find its shop view, and the reverse.

    Args:
        network: To be trained.
        preprocessing: Its mean and standard deviation, applied on the device.
        temperature: Above 0, of the similarities.
        learning_rate: Above 0.
        weight_decay: At least 0.
        warmup: Steps that the learning rate rises over.
        steps: Batches of the whole training.
    """

    def __init__(
        self,
        network: EmbeddingNetwork,
        preprocessing: Preprocessing,
        *,
        temperature: float,
        learning_rate: float,
        weight_decay: float,
        warmup: int,
        steps: int,
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last).train()
        self.normalise = Normaliser(preprocessing)
        self._temperature = temperature
        self._learning_rate, self._weight_decay = learning_rate, weight_decay
        self._warmup, self._steps = warmup, steps

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Compute the loss of a batch of pairs, all of different items.

        Args:
            batch: Of (B, 2, 3, S, S) pictures: street view and shop view.
            batch_idx: Makes no difference.

        Returns:
            () float32: the mean of both directions, as in CLIP.
        """
        embeddings = self.network.features(self.normalise(batch.pictures.flatten(0, 1)))
        street, shop = embeddings.float().reshape(len(batch.pictures), 2, -1).unbind(1)
        targets = torch.arange(len(street), device=street.device)
        temperature = self._temperature
        found = info_nce(street, shop, targets, temperature=temperature)
        found_back = info_nce(shop, street, targets, temperature=temperature)
        loss = (found + found_back).mean() / 2
        self.log(
            "loss",
            loss.detach(),
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(street),
        )
        return loss

    def configure_optimizers(self) -> Any:
        """Make AdamW, and the learning rate's schedule by steps."""
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self._learning_rate, weight_decay=self._weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: cosine_rate(step, steps=self._steps, warmup=self._warmup)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
