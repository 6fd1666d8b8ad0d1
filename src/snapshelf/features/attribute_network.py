"""`AttributeNetwork`: SAG-CNN, a backbone whose FC1 a tree of attribute layers grows on."""

from collections.abc import Sequence
from typing import Self

from snapshelf.features.backbones import feature_map
from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm, hold_batch_norms
from snapshelf.features.folding import fold_batch_norm
from snapshelf.features.spatial_pyramid import pyramid_means
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import adaptive_avg_pool2d, normalize

__all__ = ["PYRAMID", "AttributeNetwork", "LevelFeatures"]

PYRAMID = (2, 1)
"""Grids of the pyramid on the last feature map, Section III-B."""

LONGEST_BRANCH = 1024
"""Of FashionDNA's branches, as those of its commodity groups and brands have."""

PYRAMID_CELLS = sum(grid * grid for grid in PYRAMID)


class AttributeNetwork(nn.Module):
    """Backbone, FC1 with a ReLU, and for each attribute a branch of two fully connected layers.

    Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
    Section III-A and Fig. 3. The convolutions and FC1 are shared by all attributes; a branch's
    first layer gives features of its attribute, its last one as many units as the attribute has
    values. The paper does not tell how long the branches' first layers are.

    Args:
        backbone: As `create_backbone` makes it, filled with its weights.
        size: (height, width) of the inputs in pixels.
        grid: Cells that the map is averaged to before FC1 reads it, on a side or as (rows,
            columns), at least 1 each.
        fc1: Length F of what FC1 gives, at least 1; None for as long as what it reads.
        branch: Length of the branches' first layers, at least 1; None for twice as many units as
            the attribute has classes, and `LONGEST_BRANCH` at most, as FashionDNA has.
        batch_norm: What becomes of the backbone's batch norms, see `BATCH_NORMS`; ``fold``
            changes the backbone in place at once.
        attributes: For each of M attributes its number of classes G_m, at least 1.

    Attributes:
        channels: Channels C of the last feature map.
        dimension: Length F of what FC1 gives.
        batch_norm: As given.

    Raises:
        ModelError: If the backbone takes no inputs of that size, or gives no map.
        ValueError: If a number is out of range.
    """

    def __init__(
        self,
        backbone: nn.Module,
        *,
        size: tuple[int, int],
        grid: int | tuple[int, int] = 1,
        fc1: int | None = None,
        branch: int | None = 256,
        batch_norm: BatchNorm = "fold",
        attributes: Sequence[int] = (),
    ) -> None:
        super().__init__()
        if batch_norm not in BATCH_NORMS:
            raise ValueError(
                f"batch_norm must be one of {', '.join(BATCH_NORMS)}, got {batch_norm!r}"
            )
        rows, columns = (grid, grid) if isinstance(grid, int) else grid
        if (
            min(rows, columns, *(each for each in (fc1, branch) if each is not None), *attributes)
            < 1
        ):
            raise ValueError(
                "grid, fc1, branch and the classes of each attribute must be at least 1, "
                f"got {grid}, {fc1}, {branch} and {list(attributes)}"
            )
        self.grid = grid
        self.batch_norm = batch_norm
        example = torch.zeros(1, 3, *size)
        if batch_norm == "fold":
            fold_batch_norm(backbone, example)
        with torch.no_grad():
            self.channels = feature_map(backbone.eval(), example).shape[1]
        self.backbone = backbone
        read = self.channels * rows * columns
        self.first = nn.Linear(read, fc1 or read)
        self.dimension = self.first.out_features
        lengths = [branch or min(2 * classes, LONGEST_BRANCH) for classes in attributes]
        self.branches = nn.ModuleList(
            nn.Sequential(nn.Linear(self.dimension, length), nn.ReLU(), nn.Linear(length, classes))
            for length, classes in zip(lengths, attributes, strict=True)
        )

    def fc1(self, features: Tensor) -> Tensor:
        """Give the activation of FC1.

        Args:
            features: (B, C, H, W) float, what `feature_map` gives of the backbone.

        Returns:
            (B, F) float, at least 0.
        """
        cells = adaptive_avg_pool2d(features, self.grid).flatten(1)
        activation: Tensor = self.first(cells).relu()
        return activation

    def forward(self, inputs: Tensor) -> Tensor:
        """Give the activation of FC1.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, F) float, at least 0.
        """
        return self.fc1(feature_map(self.backbone, inputs))

    def attribute_logits(self, fc1: Tensor) -> list[Tensor]:
        """Predict the attributes.

        Args:
            fc1: (B, F) float, activations of FC1.

        Returns:
            For each of M attributes (B, G_m) float, logits.
        """
        return [branch(fc1) for branch in self.branches]

    def train(self, mode: bool = True) -> Self:
        """Switch to training or evaluation; batch norms follow only where they are to train.

        Args:
            mode: Whether to train.
        """
        super().train(mode)
        hold_batch_norms(self.backbone, self.batch_norm)
        return self


class LevelFeatures(nn.Module):
    """What one picture, region or part is described by: the pyramid of the last map, and FC1.

    Each of the two is L2-normalised by itself, so that neither drowns the other; the paper does
    not tell whether it does so.

    Args:
        network: Gives both.

    Attributes:
        network: As given.
    """

    def __init__(self, network: AttributeNetwork) -> None:
        super().__init__()
        self.network = network

    @property
    def pyramid_length(self) -> int:
        """Numbers of the pyramid, which come first."""
        return self.network.channels * PYRAMID_CELLS

    def forward(self, inputs: Tensor) -> Tensor:
        """Describe pictures: with AlexNet by ``256 * 5 + 4096 = 5376`` numbers (Section III-B).

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, 5 C + F) float: two vectors of unit length (or of zeros), one behind the other.
        """
        features = feature_map(self.network.backbone, inputs)
        fc1 = self.network.fc1(features)
        return torch.cat([normalize(pyramid_means(features, PYRAMID)), normalize(fc1)], dim=1)
