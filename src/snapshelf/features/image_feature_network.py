"""`ImageFeatureNetwork`: a region of any size to features of one length, AsymNet's IFN.

Cheng, Wu, Liu, Hua: Video2Shop, Section 3.1 and Fig. 2.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Self, get_args

from snapshelf.features.backbones import feature_map
from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm, hold_batch_norms
from snapshelf.features.folding import fold_batch_norm
from snapshelf.features.spatial_pyramid import pyramid_maxima, pyramid_means
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import interpolate

__all__ = ["PYRAMIDS", "ImageFeatureNetwork", "Pyramid"]

Pyramid = Literal["max", "mean"]

PYRAMIDS: tuple[str, ...] = get_args(Pyramid)
"""What is kept of each cell of the pyramid."""

_POOLS: Mapping[str, Callable[[Tensor, Sequence[int]], Tensor]] = {
    "max": pyramid_maxima,
    "mean": pyramid_means,
}


class ImageFeatureNetwork(nn.Module):
    """A backbone's last feature map, pooled over a spatial pyramid, and dense layers on top.

    The paper's backbone is VGG16, and "a spatial pyramid pooling layer is inserted between the
    convolutional layers and the fully-connected layers": the two of 4096 with a ReLU and a
    dropout. It does not print the pyramid; the default is that of the publication that it follows,
    see `pyramid_maxima`. Frames of clips and shop pictures go through one network.

    Args:
        backbone: As `create_backbone` makes it, filled with its weights.
        size: (height, width) in pixels of the example that the batch norms are folded on.
        grids: Cells on a side of each grid of the pyramid.
        pyramid: One of `PYRAMIDS`.
        dense: Lengths of the dense layers, at least one; the last is the features' length.
        dropout: In [0, 1), the part of each dense layer that is left out in training.
        least_side: A shorter side of a region is stretched to so many pixels, at least 1, since
            a backbone makes no map of a few pixels.
        batch_norm: What becomes of the backbone's batch norms, see `BATCH_NORMS`; ``fold``
            changes the backbone in place at once.

    Attributes:
        dimension: Length D of the features.
        batch_norm: As given.

    Raises:
        ModelError: If the backbone takes no inputs of that size, or gives no map.
        ValueError: If a number is out of range or a name unknown.
    """

    def __init__(
        self,
        backbone: nn.Module,
        *,
        size: tuple[int, int],
        grids: Sequence[int] = (6, 3, 2, 1),
        pyramid: Pyramid = "max",
        dense: Sequence[int] = (4096, 4096),
        dropout: float = 0.5,
        least_side: int = 32,
        batch_norm: BatchNorm = "fold",
    ) -> None:
        super().__init__()
        if pyramid not in PYRAMIDS:
            raise ValueError(f"pyramid must be one of {', '.join(PYRAMIDS)}, got {pyramid!r}")
        if batch_norm not in BATCH_NORMS:
            raise ValueError(
                f"batch_norm must be one of {', '.join(BATCH_NORMS)}, got {batch_norm!r}"
            )
        if not dense or min(*dense, least_side) < 1:
            raise ValueError(
                "dense must be at least one length from 1 and least_side at least 1, got "
                f"{list(dense)} and {least_side}"
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {dropout}")
        self.batch_norm = batch_norm
        self.dimension = dense[-1]
        self._grids, self._pool, self._least_side = tuple(grids), _POOLS[pyramid], least_side
        example = torch.zeros(1, 3, *size)
        if batch_norm == "fold":
            fold_batch_norm(backbone, example)
        self.backbone = backbone.eval()
        with torch.no_grad():
            length = self.pooled(example).shape[1]
        layers: list[nn.Module] = []
        for width in dense:
            layers += [nn.Linear(length, width), nn.ReLU(), nn.Dropout(dropout)]
            length = width
        self.layers = nn.Sequential(*layers)

    def pooled(self, inputs: Tensor) -> Tensor:
        """Give what the dense layers are made of.

        Args:
            inputs: (B, 3, H, W) float, normalised, H and W at least 1.

        Returns:
            (B, P) float, P the same for every H and W.
        """
        # Each side by itself: a strip one pixel wide must not grow a hundred times longer.
        sides = [max(side, self._least_side) for side in inputs.shape[-2:]]
        if sides != list(inputs.shape[-2:]):
            inputs = interpolate(inputs, size=sides, mode="bilinear")
        return self._pool(feature_map(self.backbone, inputs), self._grids)

    def forward(self, inputs: Tensor) -> Tensor:
        """Give the features of regions of one size.

        Args:
            inputs: (B, 3, H, W) float, normalised, H and W at least 1.

        Returns:
            (B, D) float, at least 0.
        """
        features: Tensor = self.layers(self.pooled(inputs))
        return features

    def regions(self, regions: Sequence[Tensor]) -> Tensor:
        """Give the features of regions of any sizes; those of one size go through together.

        Args:
            regions: B >= 0 of (3, H, W) float, normalised, H and W at least 1.

        Returns:
            (B, D) float, at least 0, in the order of the regions.
        """
        places: dict[tuple[int, ...], list[int]] = {}
        for place, region in enumerate(regions):
            places.setdefault(tuple(region.shape), []).append(place)
        if not places:
            return next(self.layers.parameters()).new_zeros(0, self.dimension)
        found = [self(torch.stack([regions[n] for n in same])) for same in places.values()]
        order = [place for same in places.values() for place in same]
        rows = torch.tensor(order, device=found[0].device).argsort()
        return torch.cat(found)[rows]

    def train(self, mode: bool = True) -> Self:
        """Switch to training or evaluation; batch norms follow only where they are to train.

        Args:
            mode: Whether to train.
        """
        super().train(mode)
        hold_batch_norms(self.backbone, self.batch_norm)
        return self
