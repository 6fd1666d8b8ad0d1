"""What evaluating a system gives: `Evaluation`, and the `Outcome` of each query."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from snapshelf.datasets.dataset import Query

__all__ = ["Evaluation", "Found", "Outcome", "ProductChoice"]

ProductChoice = Literal["all", "seen", "unseen"]
"""Which queries take part, by whether training may use pictures of their right products."""


@dataclass(frozen=True, slots=True)
class Found:
    """A product in a query's ranking.

    Attributes:
        product: The product's ID.
        similarity: Larger is better.
        added: What of it re-ranking has added to that of the embeddings; may be negative.
    """

    product: str
    similarity: float
    added: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one query.

    Attributes:
        query: The query, with its right products.
        ranks: Ranks of its right products among all products, from 1, ascending; at least one.
        found: The first places of the ranking, best first; at most five.
        wrong: Similarity of the best wrong product: what would come first if the shop did not
            sell the right ones. None if every product is right.
        wrong_added: What of it re-ranking has added to that of the embeddings.
    """

    query: Query
    ranks: tuple[int, ...]
    found: tuple[Found, ...]
    wrong: float | None
    wrong_added: float = 0.0

    @property
    def rank(self) -> int:
        """Rank of the best right product."""
        return self.ranks[0]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How well a system finds the products of one split of a data set.

    Attributes:
        data: The data set's name.
        split: The split that the queries come from.
        system: The system's name.
        products: Which queries took part.
        queries: Their number.
        gallery: Number of products in the gallery; always all of them.
        metrics: ``top1``, ``top5``, ``top10``, ``top20``, ``top50`` and ``top1pct``
            (accuracies in [0, 1]), ``map7`` (mAP@7 in [0, 1]), ``mean_rank`` and
            ``median_rank`` (from 1, smaller is better).
        per_category: For each category of queries their number, ``queries``, and the metrics.
        seconds: Wall time of the steps ``gallery``, ``queries`` and ``ranking``, and of ``rerank``
            where the system has a re-ranker.
        outcomes: One for each query, in the data set's order.
    """

    data: str
    split: str
    system: str
    products: ProductChoice
    queries: int
    gallery: int
    metrics: Mapping[str, float]
    per_category: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]
    outcomes: tuple[Outcome, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the figures as plain values, as ``snapshelf evaluate --json`` writes them.

        Returns:
            ``data``, ``split``, ``system``, ``queries``, ``gallery``, ``metrics``,
            ``per_category`` and ``seconds``, fit for `json.dump`.
        """
        return {
            "data": self.data,
            "split": self.split,
            "system": self.system,
            "queries": self.queries,
            "gallery": self.gallery,
            "metrics": dict(self.metrics),
            "per_category": {name: dict(row) for name, row in self.per_category.items()},
            "seconds": dict(self.seconds),
        }
