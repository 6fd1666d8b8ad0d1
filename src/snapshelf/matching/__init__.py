"""How alike two items are, and how sure that is."""

from snapshelf.matching.confidence import Calibration
from snapshelf.matching.reranker import Candidate, Place, Reranked, Reranker, rerank_shortlist

__all__ = ["Calibration", "Candidate", "Place", "Reranked", "Reranker", "rerank_shortlist"]
