"""The optimiser of a training, and its learning rate by step, as Lightning wants them."""

from collections.abc import Sequence
from typing import Any, Protocol

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.rates import cosine_rate

with torch_extra():
    import torch

__all__ = ["OptimizerSettings", "make_optimizer"]


class OptimizerSettings(Protocol):
    """Settings that say how weights learn."""

    @property
    def optimizer(self) -> str:
        """``sgd`` or ``adamw``."""

    @property
    def momentum(self) -> float:
        """Of SGD."""

    @property
    def learning_rate(self) -> float:
        """Of the parameters that have none of their own."""

    @property
    def weight_decay(self) -> float:
        """Of all parameters."""

    @property
    def schedule(self) -> str:
        """``constant``, or falling as a ``cosine``."""

    @property
    def warmup_epochs(self) -> float:
        """Epochs that the learning rate rises over."""


def make_optimizer(
    groups: Sequence[dict[str, Any]],
    settings: OptimizerSettings,
    *,
    epochs: int,
    steps_per_epoch: int,
) -> dict[str, Any]:
    """Make the optimiser, and the learning rate's schedule by steps.

    Args:
        groups: Parameters with settings of their own, as PyTorch takes them.
        settings: Of the training.
        epochs: Of the whole training.
        steps_per_epoch: Batches of an epoch.

    Returns:
        What ``configure_optimizers`` gives.
    """
    shared: dict[str, Any] = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    optimizer: torch.optim.Optimizer
    if settings.optimizer == "adamw":
        optimizer = torch.optim.AdamW(groups, **shared)
    else:
        optimizer = torch.optim.SGD(groups, momentum=settings.momentum, **shared)
    warmup = settings.warmup_epochs * steps_per_epoch
    total = epochs * steps_per_epoch

    def rate(step: int) -> float:
        if settings.schedule == "constant" and step >= warmup:
            return 1.0
        return cosine_rate(step, steps=total, warmup=warmup)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
