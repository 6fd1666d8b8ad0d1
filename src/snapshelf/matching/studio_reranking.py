"""`StudioReranker`: a shortlist in the order of Studio2Shop's non-linear match.

Lasserre, Rasch, Vollgraf: Studio2Shop, Section 5.1: a linear model finds "a subset of candidate
articles on which it is worth running the non-linear match".
"""

import hashlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any, cast
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.features.product_encoder import ProductEncoder
from snapshelf.matching.assortment import Assortment
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.kept_parts import KeptParts
from snapshelf.matching.named_weights import FloatArray
from snapshelf.matching.reranker import Candidate, Reranked
from snapshelf.matching.shelf_reranker import Described, Ranked
from snapshelf.media.picture import RGB

__all__ = ["EVERY", "StudioProductReranker", "StudioReranker"]

EVERY = 2**31 - 1
"""A depth at which all articles are looked at: more than any shop has."""


class StudioReranker:
    """Puts a shortlist in the order of the probabilities that the photo shows its articles.

    A description is a picture's part of the matcher's first layer: of a shop picture's static
    features, or of a photo's query features. A candidate without one has the probability 0.

    Those of a shelf are kept in memory between searches, and the items of one search are matched
    together (`rank`, the `ShelfReranker` contract).

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
        self._kept: WeakKeyDictionary[Described, KeptParts] = WeakKeyDictionary()
        self._lock = threading.Lock()

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
        own = self._parts([query])
        present = [n for n, each in enumerate(candidates) if each.description is not None]
        shown = [each.description for each in candidates if each.description is not None]
        found = np.zeros(len(candidates))
        (best,) = Assortment(self._matcher, self._parts(shown)).best(own, None)
        found[np.array(present, np.int64)[best.rows]] = best.probabilities
        return [Reranked(each, self.evidence(each)) for each in found.tolist()]

    def rank(
        self,
        shelf: Described,
        queries: Sequence[bytes],
        shortlists: Sequence[NDArray[np.int64]],
        most: int | None,
    ) -> Sequence[Ranked]:
        """Compare queries with their candidates, all in one pass; see `ShelfReranker`.

        Args:
            shelf: Holds the candidates' descriptions, which are kept, see `KeptParts`.
            queries: Description of each query.
            shortlists: For each query the numbers (K,) int64 of its candidates.
            most: Places that are wanted of each, at least 1; None for all.

        Returns:
            For each query its first places, with probabilities as similarities.

        Raises:
            ModelError: If a description is not of this re-ranker's making.
        """
        own = self._parts(queries)
        if not len(own):
            return []
        assortment, rows = self._kept_of(shelf).hold(shelf, shortlists)
        present = [np.flatnonzero(each >= 0) for each in rows]
        shown = [each[there] for each, there in zip(rows, present, strict=True)]
        ranked = []
        best = assortment.best(own, most, shown)
        for found, each, there in zip(best, rows, present, strict=True):
            places = np.concatenate([there[found.rows], np.flatnonzero(each < 0)])
            similarities = np.zeros(len(places))
            similarities[: len(found.rows)] = found.probabilities
            ranked.append(Ranked(places[:most], similarities[:most]))
        return ranked

    def evidence(self, similarity: float) -> Mapping[str, Any]:
        """Give a similarity as what it is."""
        return {"probability": similarity}

    def _kept_of(self, shelf: Described) -> KeptParts:
        with self._lock:
            if shelf not in self._kept:
                self._kept[shelf] = KeptParts(self._matcher, self._parts)
            return self._kept[shelf]

    def _describe(self, inputs: NDArray[np.uint8], domain: Domain) -> bytes:
        matcher = self._matcher
        features = self._encoders[domain].encode(inputs[np.newaxis], domain)[0]
        part = (matcher.street_parts if domain is Domain.STREET else matcher.shop_parts)(features)
        return part.astype("<f4").tobytes()

    def _parts(self, descriptions: Sequence[bytes]) -> FloatArray:
        """Decode descriptions: (N, H) float32."""
        width = len(self._matcher.bias)
        if wrong := {len(each) for each in descriptions} - {4 * width}:
            raise ModelError(
                f"expected a description of {4 * width} bytes, got {min(wrong)}: it is of another "
                "re-ranker; index the shelf anew"
            )
        parts = np.frombuffer(b"".join(descriptions), "<f4").reshape(-1, width)
        if not np.isfinite(parts).all():
            raise ModelError(
                "expected a description of finite numbers, got NaN or infinity: it is damaged; "
                "index the shelf anew"
            )
        return parts.astype(np.float32)


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
