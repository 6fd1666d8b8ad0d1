"""The title pictures of a training set: its shop pictures, and no others."""

import dataclasses

from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import ItemPictures, TrainingSet

__all__ = ["title_pictures"]


def title_pictures(training_set: TrainingSet) -> TrainingSet:
    """Leave out street pictures, items without a shop picture, and data sets without such items.

    Args:
        training_set: Of both sides.

    Returns:
        A set in which the pictures have other numbers.

    Raises:
        TrainingError: If fewer than two items have a shop picture.
    """
    kept = [item for item, own in enumerate(training_set.pictures) if own.shop]
    if len(kept) < 2:
        raise TrainingError(
            f"articles are learned from their shop pictures, and {len(kept)} of "
            f"{len(training_set.items)} items have one; add a data set that has some"
        )
    used = sorted({training_set.sources[item] for item in kept})
    numbers = [number for item in kept for number in training_set.pictures[item].shop]
    renumbered = {number: place for place, number in enumerate(numbers)}
    return dataclasses.replace(
        training_set,
        names=tuple(training_set.names[source] for source in used),
        items=tuple(training_set.items[item] for item in kept),
        sources=tuple(used.index(training_set.sources[item]) for item in kept),
        pictures=tuple(
            ItemPictures((), tuple(renumbered[n] for n in training_set.pictures[item].shop))
            for item in kept
        ),
        wanted=tuple(training_set.wanted[number] for number in numbers),
        domains=tuple(training_set.domains[number] for number in numbers),
    )
