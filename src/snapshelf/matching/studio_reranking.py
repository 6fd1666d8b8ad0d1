"""`StudioReranker`: a shortlist in the order of Studio2Shop's non-linear match.

Lasserre, Rasch, Vollgraf: Studio2Shop, Section 5.1: a linear model finds "a subset of candidate
articles on which it is worth running the non-linear match".
"""

import hashlib
from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.features.product_encoder import ProductEncoder
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.named_weights import FloatArray
from snapshelf.matching.odds import probabilities_of
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.media.picture import RGB

__all__ = ["EVERY", "StudioProductReranker", "StudioReranker"]

EVERY = 2**31 - 1
"""A depth at which all articles are looked at: more than any shop has."""


class StudioReranker:
    """Puts a shortlist in the order of the probabilities that the photo shows its articles.

    A description is a picture's part of the matcher's first layer: of a shop picture's static
    features, or of a photo's query features. A candidate without one has the probability 0.

    Args:
        query: Gives the query features of photos, as long as they come.
        articles: Gives the static features of shop pictures.
        matcher: Of both.
        depth: Candidates that are looked at, at least 1.

    Raises:
        ValueError: If the matcher is for features of another length, or the depth is below 1.
    """

    def __init__(
        self, query: Encoder, articles: Encoder, matcher: FoldedMatcher, *, depth: int
    ) -> None:
        lengths = (query.dimension, articles.dimension)
        if lengths != (matcher.dimension, matcher.dimension):
            raise ValueError(
                f"the matcher is for features of length {matcher.dimension}, got {lengths[0]} of "
                f"photos and {lengths[1]} of articles"
            )
        if depth < 1:
            raise ValueError(f"depth must be at least 1, got {depth}")
        self._encoders = {Domain.STREET: query, Domain.SHOP: articles}
        self._matcher, self._depth = matcher, depth

    @property
    def depth(self) -> int:
        """How many candidates are looked at."""
        return self._depth

    @property
    def fingerprint(self) -> str:
        """Hex digest of the encoders' fingerprints and the matcher's weights."""
        encoders = " ".join(encoder.fingerprint for encoder in self._encoders.values())
        parts = f"studio {encoders} {self._matcher.fingerprint}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def describe(self, picture: RGB, domain: Domain) -> bytes:
        """Give a picture's part of the first layer; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], cut to the item, from 1 x 1.
            domain: The side that it comes from.

        Returns:
            4 bytes for each of the layer's units.
        """
        return self._describe(self._encoders[domain].prepare(picture, domain), domain)

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
        found = np.zeros(len(candidates))
        if present:
            parts = np.stack([self._part(candidates[n].description or b"") for n in present])
            found[present] = probabilities_of(self._matcher.odds(own, parts))
        return [
            Reranked(probability, {"probability": probability}) for probability in found.tolist()
        ]

    def _describe(self, inputs: NDArray[np.uint8], domain: Domain) -> bytes:
        matcher = self._matcher
        features = self._encoders[domain].encode(inputs[np.newaxis], domain)[0]
        part = (matcher.street_parts if domain is Domain.STREET else matcher.shop_parts)(features)
        return part.astype("<f4").tobytes()

    def _part(self, description: bytes) -> FloatArray:
        wanted = 4 * len(self._matcher.bias)
        if len(description) != wanted:
            raise ModelError(
                f"expected a description of {wanted} bytes, got {len(description)}: it is of "
                "another re-ranker; index the shelf anew"
            )
        return np.frombuffer(description, "<f4").astype(np.float32)


class StudioProductReranker(StudioReranker):
    """The same with articles that are known by their products' IDs; `articles` says by which."""

    def describe_product(self, product_id: str) -> bytes:
        """Give a product's part of the first layer; may be called from several threads.

        Args:
            product_id: Of the product.

        Returns:
            4 bytes for each of the layer's units.

        Raises:
            FeaturesError: If the product has no features that can be used.
        """
        articles = cast(ProductEncoder, self._encoders[Domain.SHOP])
        return self._describe(articles.prepare_product(product_id), Domain.SHOP)
