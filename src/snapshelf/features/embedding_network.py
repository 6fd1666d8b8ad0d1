"""`EmbeddingNetwork`: a backbone with an embedding learned on top, and heads for attributes."""

from collections.abc import Sequence
from typing import Literal, Self, get_args

from snapshelf.features.backbones import feature_map
from snapshelf.features.folding import fold_batch_norm
from snapshelf.features.pooling import POOLINGS
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import normalize
    from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["BATCH_NORMS", "BatchNorm", "EmbeddingNetwork", "hold_batch_norms"]

BatchNorm = Literal["fold", "freeze", "train"]

BATCH_NORMS: tuple[str, ...] = get_args(BatchNorm)
"""What becomes of a backbone's batch norms in training: folded into the convolutions, with
frozen statistics (the same, but slower, and their scales learn by themselves), or as usual."""


class EmbeddingNetwork(nn.Module):
    """Backbone, pooling, a linear embedding, and a linear head for each attribute on top of it.

    Args:
        backbone: As `create_backbone` makes it, filled with its weights.
        size: (height, width) of the inputs in pixels.
        pooling: A name of `POOLINGS`.
        normalised: Whether pooled features are L2-normalised before the embedding, so that it
            sees how they point and not how strong they are.
        dimension: Length D of the embedding, at least 1.
        batch_norm: What becomes of the backbone's batch norms in training; ``fold`` changes the
            backbone in place at once.
        attributes: For each of M attributes its number of classes G_m, at least 1.

    Attributes:
        dimension: As given.
        batch_norm: As given.

    Raises:
        ModelError: If the backbone takes no inputs of that size, or gives no map to pool.
        ValueError: If the pooling is unknown, or a number is out of range.
    """

    def __init__(
        self,
        backbone: nn.Module,
        *,
        size: tuple[int, int],
        pooling: str = "gap",
        normalised: bool = False,
        dimension: int = 512,
        batch_norm: BatchNorm = "fold",
        attributes: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {', '.join(POOLINGS)}, got {pooling!r}")
        if batch_norm not in BATCH_NORMS:
            raise ValueError(
                f"batch_norm must be one of {', '.join(BATCH_NORMS)}, got {batch_norm!r}"
            )
        if dimension < 1 or any(classes < 1 for classes in attributes):
            raise ValueError(
                "dimension and the classes of each attribute must be at least 1, "
                f"got {dimension} and {list(attributes)}"
            )
        self.pooling = POOLINGS[pooling]
        self.normalised = normalised
        self.dimension = dimension
        self.batch_norm = batch_norm
        example = torch.zeros(1, 3, *size)
        if batch_norm == "fold":
            fold_batch_norm(backbone, example)
        with torch.no_grad():
            channels = self.pooling(feature_map(backbone.eval(), example)).shape[1]
        self.backbone = backbone
        self.embedding = nn.Linear(channels, dimension)
        self.attributes = nn.ModuleList(nn.Linear(dimension, classes) for classes in attributes)

    def pooled(self, inputs: Tensor) -> Tensor:
        """Give what the embedding is made of.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, C) float, L2-normalised if the network was made so.
        """
        pooled: Tensor = self.pooling(feature_map(self.backbone, inputs))
        return normalize(pooled) if self.normalised else pooled

    def features(self, inputs: Tensor) -> Tensor:
        """Give the embedding as it is, of any length: what the published losses compare.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, D) float.
        """
        raw: Tensor = self.embedding(self.pooled(inputs))
        return raw

    def forward(self, inputs: Tensor) -> Tensor:
        """Give `features`."""
        return self.features(inputs)

    def attribute_logits(self, raw: Tensor) -> list[Tensor]:
        """Predict the attributes.

        Args:
            raw: (B, D) float, what `features` gives.

        Returns:
            For each of M attributes (B, G_m) float, logits.
        """
        return [head(raw) for head in self.attributes]

    def train(self, mode: bool = True) -> Self:
        """Switch to training or evaluation; batch norms follow only where they are to train.

        Args:
            mode: Whether to train.
        """
        super().train(mode)
        hold_batch_norms(self.backbone, self.batch_norm)
        return self


def hold_batch_norms(backbone: nn.Module, batch_norm: BatchNorm) -> None:
    """Put batch norms back into evaluation mode, unless they are to train.

    Args:
        backbone: That has been put into training or evaluation mode.
        batch_norm: See `BATCH_NORMS`.
    """
    if batch_norm != "train":
        for module in backbone.modules():
            if isinstance(module, _BatchNorm):
                module.eval()
