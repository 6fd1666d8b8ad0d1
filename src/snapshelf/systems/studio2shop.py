"""`studio2shop`: static features of articles, photos brought into their space, a learned match.

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles.

title picture ──► the articles' system (FashionDNA) ──► features, 128 ──┬────────────────┐
                                                                       cosine            │
photo ──► query network, trained with the linear match ──► features ──┴─► shortlist ──┐  │
      └─► query network, trained with the non-linear match ──► features ──────────────┴──┴─► match
          (VGG16's convolutions ─► 2048 ─► 2048 ─► 128)              [both] ─► 256 ─► 256 ─► odds

train     title pictures ──► FashionDNA ──► the features of all articles, which then stay
          photos ──► query network and match: which of 50 articles are shown?
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.features.encoder import Domain
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.studio2shop_loading import (
    ARTICLES,
    LINEAR,
    MATCH,
    MATCHER_FILE,
    NAME,
    load_articles,
    studio2shop_from_folder,
    write_studio2shop,
)
from snapshelf.systems.system import System
from snapshelf.systems.system_copy import copy_system
from snapshelf.systems.wrapping import embed_pictures_of
from snapshelf.tensor_file import read_tensors, write_tensors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snapshelf.datasets.training_item import PicturePart, TrainingData
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import Augmentation
    from snapshelf.training.studio_articles import StudioArticles
    from snapshelf.training.studio_settings import StudioSettings
    from snapshelf.training.training_set import TrainingSet

__all__ = ["studio2shop_from_folder", "train_studio2shop"]

FEATURES_FILE = "features.safetensors"
PHOTOS_FILE = "photos.safetensors"
"""The features of all articles, and of photos where these stay as they are too."""


def train_studio2shop(
    data: Sequence["TrainingData"],
    settings: "StudioSettings",
    out: Path,
    *,
    resume: bool = False,
    monitor: "Monitor | None" = None,
) -> System:
    """Train all stages, or go on where a training was cut off.

    The stages follow one another: the articles' system, in the folder ``articles``; the features
    of all articles; the query network of the linear match, in ``linear``; that of the non-linear
    match and the matcher, in ``match``. A stage whose file is there is not done again.

    Args:
        data: The data sets, each of another name.
        settings: The recipe.
        out: The folder of the training and of the system.
        resume: Whether to go on with what is in the folder. A finished training is left as it is.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The trained system, as loaded from the folder.

    Raises:
        DatasetError: If a data set is not in its published layout, or a picture cannot be read.
        ModelError: If the articles' system, the backbone or its weights cannot be had.
        TrainingError: If the data or folder cannot be used, or training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import describe_data, make_augmentation, training_record
    from snapshelf.training.studio_articles import StudioArticles
    from snapshelf.training.studio_training import start_query_network
    from snapshelf.training.training_folder import begin, check_folder, check_record, is_finished
    from snapshelf.training.training_set import TrainingSet

    monitor = monitor or Monitor()
    check_folder(out, resume=resume)
    training_set = TrainingSet.collect(data, mattes=settings.augmentation)
    record = training_record(NAME, settings, training_set)
    named = None
    if settings.articles is not None:
        named = load_articles(out / "system.json", settings.articles)
        record["features"] = named.encoder.fingerprint
    check_record(out, record)
    if is_finished(out):
        return System.load(out)
    describe_data(training_set, monitor)
    articles = StudioArticles.of(training_set)
    if named is None:
        _check_dna(training_set, settings)
    description = augmentation = None
    if settings.query == "network":
        _, description = start_query_network(settings, 1)
        augmentation = make_augmentation(settings, description.preprocessing, monitor)
    begin(out, record)  # not before all is at hand: what is refused leaves no folder
    if named is None:
        place, of_articles = ARTICLES, _train_dna(data, settings, out / ARTICLES, monitor)
    else:
        place, of_articles = copy_system(named, out / ARTICLES), named
    features = _features(
        of_articles, articles.title_pictures, Domain.SHOP, out / FEATURES_FILE, monitor
    )
    if description is None:
        photos = _features(of_articles, articles.photos, Domain.STREET, out / PHOTOS_FILE, monitor)
        _match_features(photos, articles, features, settings, out / MATCH, monitor)
    else:
        description = replace(description, dimension=features.shape[1])
        _train_networks(training_set, articles, features, settings, augmentation, out, monitor)
    return write_studio2shop(
        out,
        place,
        description,
        matching=settings.matching,
        depth=settings.depth,
        notes=record,
    )


def _check_dna(training_set: "TrainingSet", settings: "StudioSettings") -> None:
    """Refuse what FashionDNA cannot be trained on."""
    from snapshelf.training.attribute_training import check_attributes
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.title_pictures import title_pictures

    names = settings.fashion_dna.attributes or None
    check_attributes(AttributeTable.from_items(title_pictures(training_set).items, names))


def _train_dna(
    data: Sequence["TrainingData"], settings: "StudioSettings", out: Path, monitor: "Monitor"
) -> System:
    from snapshelf.systems.fashion_dna import train_fashion_dna

    monitor.note("the features of articles: FashionDNA")
    return train_fashion_dna(data, settings.fashion_dna, out, resume=True, monitor=monitor)


def _features(
    system: System,
    pictures: Sequence["PicturePart"],
    domain: Domain,
    file: Path,
    monitor: "Monitor",
) -> "NDArray[np.float32]":
    """Embed pictures as an index or a search does, or read what has been."""
    if not file.is_file():
        monitor.note(f"the features of {len(pictures)} {domain} pictures")
        whole = replace(system, locator=WholePicture())
        write_tensors(file, {"features": embed_pictures_of(whole, pictures, domain)})
    found = read_tensors(file).get("features")
    if found is None or found.shape != (len(pictures), system.encoder.dimension):
        from snapshelf.training.training_error import TrainingError

        raise TrainingError(
            f"{file} does not hold the features of these {len(pictures)} pictures; remove it, and "
            "they are made again"
        )
    return found


def _match_features(
    photos: "NDArray[np.float32]",
    articles: "StudioArticles",
    features: "NDArray[np.float32]",
    settings: "StudioSettings",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Train the matcher alone."""
    from snapshelf.training.studio_training import learn_matcher

    if (out / MATCHER_FILE).is_file():
        return
    monitor.note("the match of features that stay as they are")
    matcher = learn_matcher(photos, articles, features, settings, out=out, monitor=monitor)
    write_tensors(out / MATCHER_FILE, matcher.fold().tensors())


def _train_networks(
    training_set: "TrainingSet",
    articles: "StudioArticles",
    features: "NDArray[np.float32]",
    settings: "StudioSettings",
    augmentation: "Augmentation | None",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Train the query networks that are not there yet, each with its match."""
    from snapshelf.features.query_folder import QUERY_FILE, save_query_network
    from snapshelf.training.preparation import make_views, stored_pictures
    from snapshelf.training.studio_training import learn_features, start_query_network

    stages = []
    if settings.matching == "linear" or settings.depth > 0:
        stages.append((LINEAR, replace(settings, matching="linear")))
    if settings.matching == "non-linear":
        stages.append((MATCH, settings))
    left = [(name, own) for name, own in stages if not (out / name / QUERY_FILE).is_file()]
    if not left:
        return
    store = stored_pictures(training_set, settings, out / "pictures", monitor)
    try:
        for name, own in left:
            monitor.note(f"the query network of the {own.matching} match")
            network, description = start_query_network(own, features.shape[1])
            views = make_views(
                training_set, store, description.preprocessing, augmentation, seed=own.seed
            )
            matcher = learn_features(
                network, views, articles, features, own, out=out / name, monitor=monitor
            )
            if matcher is not None:
                write_tensors(out / name / MATCHER_FILE, matcher.fold().tensors())
            # Last, since a stage that has it is done.
            save_query_network(out / name, network)
    finally:
        store.close()
