"""How alike two items are, and how sure that is."""

from snapshelf.matching.confidence import Calibration
from snapshelf.matching.distances import DISTANCES, Distance
from snapshelf.matching.reranker import Candidate, Place, Reranked, Reranker, rerank_shortlist

__all__ = [
    "DISTANCES",
    "Calibration",
    "Candidate",
    "Distance",
    "Place",
    "Reranked",
    "Reranker",
    "rerank_shortlist",
]
