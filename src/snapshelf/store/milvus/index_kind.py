"""Which index Milvus keeps over the embeddings, and how it is built and searched."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["IndexChoice", "IndexKind", "IndexPlan", "choose_kind", "index_plan"]

IndexKind = Literal["flat", "hnsw", "ivf_sq8", "diskann"]
IndexChoice = Literal["auto", "flat", "hnsw", "ivf_sq8", "diskann"]

FLAT_UP_TO = 100_000
"""Up to this many embeddings every one is compared, as in the embedded store."""

HNSW_UP_TO = 20_000_000
"""Above, the graph's memory (embeddings as floats, and 32 links each) is the larger cost, and
IVF_SQ8 keeps a byte a number instead."""

MOST_BREADTH = 32_768
"""The widest search of a graph that Milvus takes."""

LEAST_SHARE = 0.05

GROWN = 1.25
"""A shelf must outgrow its index's bound by this much before it is built anew as another kind, so
that one whose size sways about the bound does not change at every run."""


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """How an index is built and searched.

    Attributes:
        type: Milvus's name of it.
        build: Its parameters when it is built.
    """

    type: str
    build: Mapping[str, int]

    def search(self, limit: int, share: float = 1.0) -> dict[str, int]:
        """Give its parameters for a search.

        A graph is walked past the embeddings that a filter leaves out, so that it is looked at more
        widely the fewer pass: with the same breadth, 14% of the matches were missed where one in
        fourteen did. Below 7%, Milvus compares those that pass, all of them.

        Args:
            limit: Embeddings asked for.
            share: Of all embeddings, those that may be found, in (0, 1].
        """
        breadth = max(limit, min(MOST_BREADTH, int(max(128, 2 * limit) / max(share, LEAST_SHARE))))
        match self.type:
            case "HNSW":
                return {"ef": breadth}
            case "IVF_SQ8":
                lists = self.build["nlist"]
                return {"nprobe": min(lists, int(64 / max(share, LEAST_SHARE)))}
            case "DISKANN":
                return {"search_list": breadth}
        return {}


_PLANS: Mapping[IndexKind, IndexPlan] = {
    "flat": IndexPlan("FLAT", {}),
    "hnsw": IndexPlan("HNSW", {"M": 32, "efConstruction": 200}),
    "ivf_sq8": IndexPlan("IVF_SQ8", {"nlist": 1024}),
    "diskann": IndexPlan("DISKANN", {}),
}


def index_plan(kind: IndexKind) -> IndexPlan:
    """Give how a kind of index is built and searched."""
    return _PLANS[kind]


def choose_kind(choice: IndexChoice, embeddings: int, now: IndexKind | None = None) -> IndexKind:
    """Choose the kind of index for a number of embeddings.

    Args:
        choice: What the user asks for.
        embeddings: How many there are.
        now: The kind that there is, which is kept until the shelf has clearly outgrown it.

    Example:
        >>> choose_kind("auto", 1_000), choose_kind("auto", 110_000, "flat")
        ('flat', 'flat')
        >>> choose_kind("auto", 130_000, "flat")
        'hnsw'
    """
    if choice != "auto":
        return choice
    if now in ("ivf_sq8", "diskann"):
        return now
    kind: IndexKind = (
        "flat" if embeddings <= FLAT_UP_TO else "hnsw" if embeddings <= HNSW_UP_TO else "ivf_sq8"
    )
    bound = {"flat": FLAT_UP_TO, "hnsw": HNSW_UP_TO}
    if now is not None and embeddings <= GROWN * bound[now]:
        return now
    return kind
