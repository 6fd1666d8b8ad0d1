"""A trained `QueryNetwork` as encoders: what photos are matched by, and what finds a shortlist."""

import hashlib
import json
from pathlib import Path

from snapshelf.features.network_encoder import NetworkEncoder
from snapshelf.features.query_folder import QUERY_FILE, QueryDescription, load_query_network
from snapshelf.features.query_network import QueryNetwork
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import file_digest

with torch_extra():
    from torch import Tensor

__all__ = ["QueryEncoder", "load_linear_encoder", "load_query_encoder"]


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


def load_query_encoder(folder: Path, description: QueryDescription, settings: Path) -> QueryEncoder:
    """Read the query network of a non-linear match.

    Args:
        folder: Where its file lies.
        description: Of the network.
        settings: The file that describes it, for the errors.

    Raises:
        ModelError: If the file is missing, damaged, or not of such a network, or none can be
            made of the description.
    """
    return QueryEncoder(
        load_query_network(folder, description, settings),
        preprocessing=description.preprocessing,
        fingerprint=f"matched {_digest(folder, description)}",
    )


def load_linear_encoder(
    folder: Path, description: QueryDescription, settings: Path
) -> NetworkEncoder[QueryNetwork]:
    """Read the query network of a linear match, as what a vector store is searched with.

    An article's static features are L2-normalised, so the order by dot products with a photo's
    features is that by cosine, and the photo's length makes no difference.

    Args:
        folder: As of `load_query_encoder`.
        description: Likewise.
        settings: Likewise.

    Raises:
        ModelError: As `load_query_encoder`.
    """
    return NetworkEncoder(
        load_query_network(folder, description, settings),
        preprocessing=description.preprocessing,
        fingerprint=_digest(folder, description),
    )


def _digest(folder: Path, description: QueryDescription) -> str:
    identity = {**description.to_dict(), "weights": file_digest(folder / QUERY_FILE)}
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    return digest.hexdigest()
