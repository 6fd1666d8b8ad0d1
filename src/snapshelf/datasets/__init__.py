"""Public data sets in their published layout, and the generated demo shop."""

from snapshelf.datasets.boxed_photo import BoxedData, BoxedPhoto
from snapshelf.datasets.dataset import Dataset, Incomplete, Query
from snapshelf.datasets.registry import (
    DATASETS,
    open_boxed_data,
    open_dataset,
    open_training_data,
)
from snapshelf.datasets.training_item import AttributeValue, TrainingData, TrainingItem

__all__ = [
    "DATASETS",
    "AttributeValue",
    "BoxedData",
    "BoxedPhoto",
    "Dataset",
    "Incomplete",
    "Query",
    "TrainingData",
    "TrainingItem",
    "open_boxed_data",
    "open_dataset",
    "open_training_data",
]
