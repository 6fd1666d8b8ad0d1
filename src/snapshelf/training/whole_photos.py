"""Street photos taken whole, each once, whatever parts of them show the products."""

import dataclasses

from snapshelf.features.encoder import Domain
from snapshelf.training.training_set import ItemPictures, TrainingSet

__all__ = ["whole_photos"]


def whole_photos(training_set: TrainingSet) -> TrainingSet:
    """Leave out the boxes of street photos, and make a photo of several items one picture.

    Args:
        training_set: Of both sides.

    Returns:
        A set in which the pictures have other numbers. Shop pictures keep their boxes. Photos of
        two data sets stay apart.
    """
    numbers: dict[object, int] = {}
    kept: list[int] = []

    def place(picture: int, key: object) -> int:
        if key not in numbers:
            numbers[key] = len(kept)
            kept.append(picture)
        return numbers[key]

    pictures = []
    for item, own in enumerate(training_set.pictures):
        photos = (
            place(picture, (training_set.sources[item], training_set.wanted[picture].path))
            for picture in own.street
        )
        street = tuple(dict.fromkeys(photos))
        pictures.append(
            ItemPictures(street, tuple(place(picture, picture) for picture in own.shop))
        )
    return dataclasses.replace(
        training_set,
        pictures=tuple(pictures),
        wanted=tuple(
            dataclasses.replace(training_set.wanted[picture], box=None)
            if training_set.domains[picture] is Domain.STREET
            else training_set.wanted[picture]
            for picture in kept
        ),
        domains=tuple(training_set.domains[picture] for picture in kept),
    )
