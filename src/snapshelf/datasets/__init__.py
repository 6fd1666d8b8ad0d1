"""Public data sets in their published layout, and the generated demo shop."""

from snapshelf.datasets.dataset import Dataset, Query
from snapshelf.datasets.registry import DATASETS, open_dataset

__all__ = ["DATASETS", "Dataset", "Query", "open_dataset"]
