"""The settings of a training of `metric`."""

from dataclasses import dataclass

from snapshelf.training.mtv_settings import Optimizer, Schedule
from snapshelf.training.ranges import above_zero, at_least, below_one

__all__ = ["MetricSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricSettings:
    """How a metric network is trained on the features of another system.

    The papers tell of the two layers and the cross-entropy, and nothing of the numbers.

    Attributes:
        base: Name or folder of the system whose embeddings are the features.
        hidden: Length of the hidden layer, at least 1.
        depth: Candidates that are compared, at least 1. The papers compare a query with the
            whole gallery; the candidates beyond this many keep the base's order.
        negatives: Wrong pairs for each right one, at least 1.
        epochs: At least 1.
        batch: Right pairs in a batch, at least 1.
        pairs_per_epoch: Right pairs in an epoch, at least 1; None for one for each street photo.
        dropout: In [0, 1), the part of the hidden layer that is left out in training.
        optimizer: ``adamw`` or ``sgd``.
        momentum: Of SGD, in [0, 1).
        learning_rate: Above 0.
        weight_decay: At least 0.
        schedule: ``constant``, or falling as a ``cosine`` to 0.
        warmup_epochs: At least 0, at most `epochs`.
        keep_checkpoints: Epochs whose checkpoints are kept besides the last, at least 0.
        seed: At least 0; decides the initial weights and the pairs.
    """

    base: str = "mobilenetv2"
    hidden: int = 512
    depth: int = 10_000
    negatives: int = 3
    epochs: int = 30
    batch: int = 64
    pairs_per_epoch: int | None = None
    dropout: float = 0.5
    optimizer: Optimizer = "adamw"
    momentum: float = 0.9
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    schedule: Schedule = "cosine"
    warmup_epochs: float = 0.0
    keep_checkpoints: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if not self.base:
            raise ValueError("base must be the name or folder of a system, got ''")
        below_one(self, "momentum", "dropout")
        if not 0 <= self.warmup_epochs <= self.epochs:
            raise ValueError(
                f"warmup_epochs must be in [0, {self.epochs}], got {self.warmup_epochs}"
            )
        at_least(self, 1, "hidden", "depth", "negatives", "epochs", "batch", "pairs_per_epoch")
        at_least(self, 0, "weight_decay", "keep_checkpoints", "seed")
        above_zero(self, "learning_rate")
