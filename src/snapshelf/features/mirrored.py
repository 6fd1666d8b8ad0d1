"""`Mirrored`: what a picture and its mirror image have in common."""

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import normalize

__all__ = ["Mirrored"]


class Mirrored(nn.Module):
    """A network that embeds pictures and their mirror images and adds the two, at twice the cost.

    Args:
        network: Called with (B, 3, H, W) float, gives (B, D) float.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor) -> Tensor:
        """Embed both in one batch.

        Args:
            inputs: (B, 3, H, W) float, normalised.

        Returns:
            (B, D) float, the sum of two embeddings of unit length.
        """
        both = normalize(self.network(torch.cat([inputs, inputs.flip(-1)])))
        return both.reshape(2, -1, both.shape[1]).sum(0)
