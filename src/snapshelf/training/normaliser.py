"""`Normaliser`: pixels to what a network takes, on the device that it is on."""

from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["Normaliser"]


class Normaliser(nn.Module):
    """Applies a preprocessing's mean and standard deviation; batches are moved as bytes.

    Args:
        preprocessing: Whose mean and standard deviation.
    """

    factor: Tensor
    offset: Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        std = torch.tensor(preprocessing.std).reshape(3, 1, 1)
        mean = torch.tensor(preprocessing.mean).reshape(3, 1, 1)
        self.register_buffer("factor", 1 / (255 * std), persistent=False)
        self.register_buffer("offset", -mean / std, persistent=False)

    def forward(self, pictures: Tensor) -> Tensor:
        """Normalise.

        Args:
            pictures: (..., 3, H, W) uint8, RGB, [0, 255].

        Returns:
            (..., 3, H, W) float32.
        """
        return pictures.float() * self.factor + self.offset
