"""How well a system finds the right products: ranks, metrics, reports and calibration."""

from snapshelf.evaluation.metrics import (
    average_precision_at,
    mean_rank,
    median_rank,
    top_k,
    top_percent,
)
from snapshelf.evaluation.ranking import QueryRanks, product_ranks

__all__ = [
    "QueryRanks",
    "average_precision_at",
    "mean_rank",
    "median_rank",
    "product_ranks",
    "top_k",
    "top_percent",
]
