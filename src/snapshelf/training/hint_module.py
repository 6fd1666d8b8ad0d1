"""`HintModule`: a backbone learns its teacher's feature maps stage by stage, under Lightning."""

from collections.abc import Sequence
from typing import Any

from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.backbone_stages import backbone_stages
from snapshelf.training.batches import ViewBatch
from snapshelf.training.hints import hint_losses
from snapshelf.training.normaliser import Normaliser
from snapshelf.training.rates import cosine_rate

with torch_extra():
    import lightning
    import torch
    from timm.optim.muon import Muon
    from torch import Tensor, nn

__all__ = ["HintModule"]

LARGEST_GRADIENT = 2.0
"""Largest norm of a stage's gradient."""

REST = 0.1
"""Of a stage's rate, for what Muon leaves to AdamW: depthwise convolutions and biases."""


class HintModule(lightning.LightningModule):
    """Trains all stages of a student at once, each with a gradient, clipping and rate of its own.

    The optimizer is Muon (Jordan et al.: Muon: An optimizer for hidden layers in neural networks,
    2024), with the scale of its steps matched to AdamW's (Liu et al.: Muon is Scalable for LLM
    Training, 2025): a stage is mostly matrices, and learns them in fewer steps than by AdamW.

    Args:
        student: Of the teacher's architecture, without batch norms; its stages are evened out.
        teacher: Is not trained, nor kept in checkpoints.
        preprocessing: Its mean and standard deviation, applied on the device.
        learning_rate: Above 0, of the stages for which `factors` says 1.
        factors: Of the learning rate, for the first stages; the last of them is for all others.
        weight_decay: At least 0.
        warmup: Steps that the learning rate rises over.
        steps: Batches of the whole training.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module,
        preprocessing: Preprocessing,
        *,
        learning_rate: float,
        factors: Sequence[float],
        weight_decay: float,
        warmup: int,
        steps: int,
    ) -> None:
        super().__init__()
        self.student = student.to(memory_format=torch.channels_last).train()
        teacher.requires_grad_(False).eval().to(memory_format=torch.channels_last)
        # In tuples: Lightning must neither move these to checkpoints nor count them twice.
        self._teachers = (teacher, tuple(backbone_stages(teacher)))
        self._students = tuple(backbone_stages(student))
        self.normalise = Normaliser(preprocessing)
        self._rates = [
            learning_rate * factors[min(number, len(factors) - 1)]
            for number in range(len(self._students))
        ]
        self._weight_decay = weight_decay
        self._warmup, self._steps = warmup, steps

    def on_fit_start(self) -> None:
        """Bring the teacher to where the student is."""
        self._teachers[0].to(self.device)

    def training_step(self, batch: ViewBatch, batch_idx: int) -> Tensor:  # noqa: ARG002
        """Add up the losses of the stages.

        Args:
            batch: Of (B, 1, 3, S, S) pictures.
            batch_idx: Makes no difference.

        Returns:
            () float32.
        """
        losses = hint_losses(
            self._students, self._teachers[1], self.normalise(batch.pictures.flatten(0, 1))
        )
        parts = {f"stage {number}": loss.detach() for number, loss in enumerate(losses)}
        self.log_dict(
            {"loss": losses.detach().sum()} | parts,
            on_step=False,
            on_epoch=True,
            sync_dist=True,
            batch_size=len(batch.pictures),
        )
        return losses.sum()

    def configure_optimizers(self) -> Any:
        """Make Muon with a rate for each stage, and the schedule by steps."""
        groups = [
            {"params": list(stage.parameters()), "lr": rate}
            for stage, rate in zip(self._students, self._rates, strict=True)
        ]
        optimizer = Muon(
            groups, weight_decay=self._weight_decay, nesterov=True, fallback_lr_scale=REST
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: cosine_rate(step, steps=self._steps, warmup=self._warmup)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_before_optimizer_step(self, optimizer: Any) -> None:  # noqa: ARG002
        """Clip each stage's gradient by itself: a stage learns from its own loss only."""
        for stage in self._students:
            torch.nn.utils.clip_grad_norm_(stage.parameters(), LARGEST_GRADIENT)
