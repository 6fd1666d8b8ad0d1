"""`MetricReranker`: a metric network over the features of a system's own encoder."""

import hashlib
from collections.abc import Sequence

import numpy as np

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.matching.metric_network import MetricNetwork
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.media.picture import RGB

__all__ = ["MetricReranker"]


class MetricReranker:
    """Puts a shortlist in the order of the probabilities that its items are the query's product.

    A description is a picture's part of the hidden layer. A candidate without one has the
    probability 0.

    Args:
        encoder: Gives the features.
        network: Of features of that encoder.
        depth: Candidates that are looked at, at least 1.

    Raises:
        ValueError: If the network is for features of another length, or the depth is below 1.
    """

    def __init__(self, encoder: Encoder, network: MetricNetwork, *, depth: int) -> None:
        if network.street.shape[0] != encoder.dimension:
            raise ValueError(
                f"the network must be for features of length {encoder.dimension}, "
                f"got {network.street.shape[0]}"
            )
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        self._encoder, self._network, self._depth = encoder, network, depth

    @property
    def depth(self) -> int:
        """How many candidates are looked at."""
        return self._depth

    @property
    def fingerprint(self) -> str:
        """Hex digest of the encoder's fingerprint and the network's weights."""
        parts = f"metric {self._encoder.fingerprint} {self._network.fingerprint}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Give a picture's part of the hidden layer; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], cut to the item, from 1 x 1.
            domain: The side that it comes from.

        Returns:
            4 bytes for each hidden unit.
        """
        inputs = self._encoder.prepare(picture, domain)[np.newaxis]
        features = self._encoder.encode(inputs, domain)[0]
        network = self._network
        part = (network.street_part if domain is Domain.STREET else network.shop_part)(features)
        return part.astype("<f4").tobytes()

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> Sequence[Reranked]:
        """Compare a query with candidates.

        Args:
            query: Description of the query.
            candidates: Any number of them.

        Returns:
            One for each candidate, with its probability as similarity.

        Raises:
            ModelError: If a description is not of this re-ranker's making.
        """
        own = self._part(query)
        present = [n for n, each in enumerate(candidates) if each.description is not None]
        parts = [self._part(candidates[n].description or b"") for n in present]
        stacked = np.stack(parts) if parts else np.empty((0, self._network.hidden), np.float32)
        found = np.zeros(len(candidates))
        found[present] = self._network.probabilities(own, stacked)
        return [
            Reranked(probability, {"probability": probability}) for probability in found.tolist()
        ]

    def _part(self, description: bytes) -> np.ndarray:
        if len(description) != 4 * self._network.hidden:
            raise ModelError(
                f"expected a description of {4 * self._network.hidden} bytes, got "
                f"{len(description)}: it is of another re-ranker; index the shelf anew"
            )
        return np.frombuffer(description, "<f4").astype(np.float32)
