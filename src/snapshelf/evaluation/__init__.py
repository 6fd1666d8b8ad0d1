"""How well a system finds the right products: ranks, metrics and calibration.

The page that shows an evaluation is written by `snapshelf.evaluation.report`.
"""

from snapshelf.evaluation.calibration import (
    FirstPlaces,
    Reliability,
    collect_first_places,
    fit_calibration,
    fit_confidence,
    presence_threshold,
    reliability,
)
from snapshelf.evaluation.evaluate import evaluate, evaluate_by_products, measure
from snapshelf.evaluation.evaluation import Evaluation, Found, Outcome
from snapshelf.evaluation.metrics import (
    average_precision_at,
    mean_rank,
    median_rank,
    top_k,
    top_percent,
)
from snapshelf.evaluation.query_ranks import QueryRanks
from snapshelf.evaluation.ranking import product_ranks

__all__ = [
    "Evaluation",
    "FirstPlaces",
    "Found",
    "Outcome",
    "QueryRanks",
    "Reliability",
    "average_precision_at",
    "collect_first_places",
    "evaluate",
    "evaluate_by_products",
    "fit_calibration",
    "fit_confidence",
    "mean_rank",
    "measure",
    "median_rank",
    "presence_threshold",
    "product_ranks",
    "reliability",
    "top_k",
    "top_percent",
]
