"""`DnaConvolutions`: the convolutions of FashionDNA, as a backbone.

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles, Table 5.
"""

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    from torch import Tensor, nn

__all__ = ["DNA_SIZE", "DnaConvolutions"]

DNA_SIZE = (256, 177)
"""(height, width) of the paper's inputs in pixels."""


class DnaConvolutions(nn.Module):
    """Five convolutions with three poolings, much as AlexNet's.

    The table prints kernels and sizes. They tell the rest: the first convolution has steps of 4
    and no padding (256 x 177 to 62 x 42), the others keep the size, and poolings halve it (two by
    two: three by three would give 30 x 20 behind the first). Of the local response normalisation
    nothing is printed; it has AlexNet's numbers, k = 2, n = 5, alpha = 1e-4, beta = 0.75.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pretrained_cfg = {
            "input_size": (3, *DNA_SIZE),
            "crop_pct": 1.0,
            "crop_mode": "border",
            "interpolation": "bicubic",
            "mean": (0.485, 0.456, 0.406),
            "std": (0.229, 0.224, 0.225),
        }
        # PyTorch divides alpha by the number of channels, AlexNet's paper doesn't.
        normalise = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 96, 11, stride=4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            normalise,
            nn.Conv2d(96, 256, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            normalise,
            nn.Conv2d(256, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )

    def forward_features(self, inputs: Tensor) -> Tensor:
        """Give the last feature map, under the name that timm's backbones have for it.

        Args:
            inputs: (B, 3, H, W) float, normalised, of 51 pixels each way at least.

        Returns:
            (B, 256, H', W') float, at least 0; 7 x 5 for inputs of 256 x 177.
        """
        features: Tensor = self.layers(inputs)
        return features

    def forward(self, inputs: Tensor) -> Tensor:
        """Give `forward_features`."""
        return self.forward_features(inputs)
