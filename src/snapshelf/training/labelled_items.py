"""The items of a training set that there is something to learn of, and no others."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from snapshelf.training.attributes import UNLABELLED
from snapshelf.training.training_set import TrainingSet

__all__ = ["labelled_items"]


def labelled_items(
    training_set: TrainingSet, labels: NDArray[np.int64]
) -> tuple[TrainingSet, NDArray[np.int64]]:
    """Leave out items without a label, and data sets without an item that has one.

    Args:
        training_set: Its pictures keep their numbers.
        labels: (N, M) int64, of its items, -1 for none.

    Returns:
        The smaller set, which may have no item at all, and its labels (n, M) int64.
    """
    kept = np.flatnonzero((labels != UNLABELLED).any(axis=1)).tolist()
    used = sorted({training_set.sources[item] for item in kept})
    renumbered = {source: number for number, source in enumerate(used)}
    smaller = dataclasses.replace(
        training_set,
        names=tuple(training_set.names[source] for source in used),
        items=tuple(training_set.items[item] for item in kept),
        sources=tuple(renumbered[training_set.sources[item]] for item in kept),
        pictures=tuple(training_set.pictures[item] for item in kept),
    )
    return smaller, labels[kept]
