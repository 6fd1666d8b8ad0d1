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
from snapshelf.systems.studio2shop_features import (
    given_features,
    keep_features,
    keep_photo_features,
    plain_size,
)
from snapshelf.systems.studio2shop_loading import (
    ARTICLES,
    MATCH,
    NAME,
    load_articles,
    load_vectors,
    studio2shop_from_folder,
    write_studio2shop,
)
from snapshelf.systems.studio2shop_stages import (
    check_dna,
    train_both_networks,
    train_dna,
    train_matcher,
    train_query_networks,
)
from snapshelf.systems.system import System
from snapshelf.systems.system_copy import copy_system
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.studio_settings import StudioSettings

__all__ = ["studio2shop_from_folder", "train_studio2shop"]

VECTORS = "vectors"
"""The articles' own features, with the suffix of the file that was given."""

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
    from snapshelf.training.attribute_training import check_attributes, tell_attributes
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.drawn_photos import decide_augmentation
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.photo_queries import sources_without_photos
    from snapshelf.training.preparation import describe_data, make_augmentation, training_record
    from snapshelf.training.studio_articles import StudioArticles
    from snapshelf.training.studio_training import start_query_network
    from snapshelf.training.training_folder import begin, check_folder, check_record, is_finished
    from snapshelf.training.training_set import TrainingSet
    from snapshelf.training.whole_photos import whole_photos

    monitor = monitor or Monitor()
    check_folder(out, resume=resume)
    training_set = TrainingSet.collect(data, mattes=settings.augmentation is not False)
    settings, training_set = decide_augmentation(settings, training_set)
    if settings.whole_photos:
        training_set = whole_photos(training_set)
    record = training_record(NAME, settings, training_set)
    named = vectors = None
    if settings.vectors is not None:
        vectors = load_vectors(Path(settings.vectors))
        record["features"] = vectors.fingerprint
    elif settings.articles is not None and settings.architecture != "two-networks":
        named = load_articles(out / "system.json", settings.articles)
        record["features"] = named.encoder.fingerprint
    check_record(out, record)
    if is_finished(out):
        return System.load(out)
    describe_data(training_set, monitor)
    articles = StudioArticles.of(training_set, drawn=bool(settings.augmentation))
    if settings.augmentation:
        for number in sources_without_photos(training_set):
            monitor.note(
                f"{training_set.names[number]} has no photos: street views are drawn of its "
                "articles' own pictures"
            )
    description = None
    if settings.architecture == "two-networks":
        table = AttributeTable.from_items(training_set.items)
        check_attributes(table)
        tell_attributes(table, training_set, monitor)
    elif vectors is not None:
        features = given_features(vectors, [training_set.items[item] for item in articles.items])
    elif named is None:
        check_dna(training_set, settings)
    if settings.architecture != "static":
        _, description = start_query_network(settings, settings.dimension)
    preprocessing = plain_size(settings) if description is None else description.preprocessing
    augmentation = make_augmentation(settings, preprocessing, monitor)
    begin(out, record)  # not before all is at hand: what is refused leaves no folder
    if settings.architecture == "two-networks":
        train_both_networks(training_set, articles, settings, augmentation, out, monitor)
        return write_studio2shop(out, settings, None, description, notes=record)
    if vectors is not None:
        source = Path(str(settings.vectors))
        place = f"{VECTORS}{source.suffix}"
        write_whole(out / place, source.read_bytes())
    else:
        if named is None:
            place, of_articles = ARTICLES, train_dna(data, settings, out / ARTICLES, monitor)
        else:
            place, of_articles = copy_system(named, out / ARTICLES), named
        features = keep_features(
            of_articles, articles.title_pictures, Domain.SHOP, out / FEATURES_FILE, monitor
        )
    if description is None:
        photos = keep_photo_features(
            of_articles,
            training_set,
            articles,
            settings,
            augmentation,
            out / PHOTOS_FILE,
            monitor,
        )
        train_matcher(photos, articles, features, settings, out / MATCH, monitor)
    else:
        description = replace(description, dimension=features.shape[1])
        encoder = None if vectors is not None else of_articles.encoder
        train_query_networks(
            training_set, articles, features, settings, encoder, augmentation, out, monitor
        )
    return write_studio2shop(out, settings, place, description, notes=record)
