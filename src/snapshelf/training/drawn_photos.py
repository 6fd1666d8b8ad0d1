"""Whether photos are augmented, where a recipe leaves it to the data."""

import dataclasses

from snapshelf.training.photo_queries import sources_without_photos
from snapshelf.training.studio_settings import StudioSettings
from snapshelf.training.training_set import TrainingSet

__all__ = ["decide_augmentation"]


def decide_augmentation(
    settings: StudioSettings, training_set: TrainingSet
) -> tuple[StudioSettings, TrainingSet]:
    """Let the data decide whether photos are augmented, where the recipe leaves it to them.

    Args:
        settings: The recipe.
        training_set: With mattes, unless the recipe has no augmentation.

    Returns:
        The recipe with `augmentation` true or false, and the data, with mattes where it is true.
    """
    if settings.augmentation is not None:
        return settings, training_set
    needed = bool(sources_without_photos(training_set))
    settings = dataclasses.replace(settings, augmentation=needed)
    if needed:
        return settings, training_set
    # A matte is the costly part of an augmentation, and nobody would look at it.
    wanted = tuple(dataclasses.replace(each, matte=False) for each in training_set.wanted)
    return settings, dataclasses.replace(training_set, wanted=wanted)
