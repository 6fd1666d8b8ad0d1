"""`QueryNetwork`: a photo's features in the space of the articles' static features.

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles, Section 4.1
and the table "Architecture of Studio2Shop" of the appendix.
"""

from typing import Self

from snapshelf.features.backbones import feature_map
from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm, hold_batch_norms
from snapshelf.features.folding import fold_batch_norm
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import adaptive_avg_pool2d

__all__ = ["QUERY_SIZE", "QueryNetwork"]

QUERY_SIZE = (224, 155)
"""(height, width) of the paper's inputs in pixels."""


class QueryNetwork(nn.Module):
    """A backbone's last feature map, flattened, and dense layers on top.

    The paper's is VGG16, whose map of 7 x 4 x 512 is flattened to 14,336 numbers (14,436 in
    print; the count of weights tells), two layers of 2048 with a ReLU and a dropout of 0.5, and a
    linear layer of 128. All of it is trained.

    Args:
        backbone: As `create_backbone` makes it, filled with its weights.
        size: (height, width) of the inputs in pixels.
        grid: (rows, columns) that the map is averaged to; None for the map as it is.
        hidden: Length of the two dense layers, at least 1.
        dropout: In [0, 1), the part of each that is left out in training.
        dimension: Length D of the features, at least 1.
        batch_norm: What becomes of the backbone's batch norms, see `BATCH_NORMS`; ``fold``
            changes the backbone in place at once.

    Attributes:
        grid: (rows, columns) of the map that is flattened.
        dimension: As given.
        batch_norm: As given.

    Raises:
        ModelError: If the backbone takes no inputs of that size, or gives no map.
        ValueError: If a number is out of range.
    """

    def __init__(
        self,
        backbone: nn.Module,
        *,
        size: tuple[int, int] = QUERY_SIZE,
        grid: tuple[int, int] | None = None,
        hidden: int = 2048,
        dropout: float = 0.5,
        dimension: int = 128,
        batch_norm: BatchNorm = "fold",
    ) -> None:
        super().__init__()
        if batch_norm not in BATCH_NORMS:
            raise ValueError(
                f"batch_norm must be one of {', '.join(BATCH_NORMS)}, got {batch_norm!r}"
            )
        if min(hidden, dimension, *(grid or ())) < 1:
            raise ValueError(
                "hidden, dimension and the grid's rows and columns must be at least 1, "
                f"got {hidden}, {dimension} and {grid}"
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {dropout}")
        self.batch_norm = batch_norm
        self.dimension = dimension
        example = torch.zeros(1, 3, *size)
        if batch_norm == "fold":
            fold_batch_norm(backbone, example)
        with torch.no_grad():
            _, channels, rows, columns = feature_map(backbone.eval(), example).shape
        self.backbone = backbone
        self.grid = grid or (rows, columns)
        self.layers = nn.Sequential(
            nn.Linear(channels * self.grid[0] * self.grid[1], hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, dimension),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Give the features of photos, of any length: the matcher has a norm of its own.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, D) float.
        """
        cells = adaptive_avg_pool2d(feature_map(self.backbone, inputs), self.grid).flatten(1)
        features: Tensor = self.layers(cells)
        return features

    def train(self, mode: bool = True) -> Self:
        """Switch to training or evaluation; batch norms follow only where they are to train.

        Args:
            mode: Whether to train.
        """
        super().train(mode)
        hold_batch_norms(self.backbone, self.batch_norm)
        return self
