"""What stands in the place of AsymNet's LSTM where features themselves are matched."""

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["SingleSteps"]


class SingleSteps(nn.Module):
    """Gives the features of each step as they are, with some left out in training.

    Args:
        dropout: In [0, 1), the part of the numbers that is left out.
    """

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        # Lightning and the optimiser want to find a module on some device.
        self.register_buffer("_place", torch.zeros(()), persistent=False)

    def forward(self, steps: Tensor) -> Tensor:
        """Give (B, T, D) float for (B, T, D) float."""
        found: Tensor = self.dropout(steps)
        return found
