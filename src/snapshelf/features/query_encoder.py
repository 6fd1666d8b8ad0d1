"""`QueryEncoder`: a trained `QueryNetwork` as what photos are matched by."""

from snapshelf.features.network_encoder import NetworkEncoder
from snapshelf.features.query_network import QueryNetwork
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    from torch import Tensor

__all__ = ["QueryEncoder"]


class QueryEncoder(NetworkEncoder[QueryNetwork]):
    """The network's features as they are: the matcher was trained on features of any length.

    They are for `StudioReranker` and `Assortment`. A vector store compares L2-normalised
    embeddings, which these are not.
    """

    def embed(self, inputs: Tensor) -> Tensor:
        """Run the network alone.

        Args:
            inputs: (B, 3, S, T) float32, normalised, on the encoder's device.

        Returns:
            (B, D) float32, of any length.
        """
        features: Tensor = self.network(inputs)
        return features
