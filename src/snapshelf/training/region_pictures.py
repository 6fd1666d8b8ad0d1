"""Street photos as their best regions: what a network of the street side is trained on."""

import dataclasses

from snapshelf.features.encoder import Domain
from snapshelf.locating.locator import Locator
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.training.monitor import Monitor, TrainingStopped
from snapshelf.training.picture_store import WantedPicture
from snapshelf.training.training_picture import read_training_picture
from snapshelf.training.training_set import ItemPictures, TrainingSet

__all__ = ["with_regions"]


def with_regions(
    training_set: TrainingSet, locator: Locator, *, most: int, monitor: Monitor
) -> TrainingSet:
    """Replace each street photo by its most confident regions, each a picture of its own.

    Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
    Section IV-A: "about 15000 top-5 scored region proposals of 3000 shoe images for street domain
    SAG-CNN model learning". A photo of which the data set tells the product's box stays that box.

    Args:
        training_set: Of whole pictures.
        locator: Finds the regions.
        most: Regions of a photo at most, at least 1.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The set with the regions in the photos' places, numbered anew; the set itself where the
        locator takes the whole picture.

    Raises:
        TrainingError: If a photo cannot be read; names it.
        TrainingStopped: If the monitor asked to stop.
    """
    if locator.fingerprint == WholePicture.fingerprint:
        return training_set
    wanted: list[WantedPicture] = []
    domains: list[Domain] = []
    pictures: list[ItemPictures] = []
    for done, own in enumerate(training_set.pictures):
        monitor.step("regions", done, len(training_set.pictures))
        if monitor.should_stop():
            raise TrainingStopped
        numbers: dict[Domain, tuple[int, ...]] = {}
        for domain, given in ((Domain.STREET, own.street), (Domain.SHOP, own.shop)):
            made = [training_set.wanted[number] for number in given]
            if domain is Domain.STREET:
                made = [region for one in made for region in _regions(one, locator, most)]
            numbers[domain] = tuple(range(len(wanted), len(wanted) + len(made)))
            wanted.extend(made)
            domains.extend([domain] * len(made))
        pictures.append(ItemPictures(numbers[Domain.STREET], numbers[Domain.SHOP]))
    return dataclasses.replace(
        training_set, pictures=tuple(pictures), wanted=tuple(wanted), domains=tuple(domains)
    )


def _regions(one: WantedPicture, locator: Locator, most: int) -> list[WantedPicture]:
    """Give a photo's regions, or the photo where its box is known."""
    if one.box is not None:
        return [one]
    picture = read_training_picture(one.path)
    return [dataclasses.replace(one, box=region.box) for region in locator.locate(picture)[:most]]
