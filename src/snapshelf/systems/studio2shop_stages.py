"""The stages of a training of `studio2shop`: each leaves files, and is not done again with them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.systems.studio2shop_loading import LINEAR, MATCH, MATCHER_FILE, SHOP
from snapshelf.systems.system import System
from snapshelf.tensor_file import write_tensors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.features.encoder import Encoder
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import Augmentation
    from snapshelf.training.studio_articles import StudioArticles
    from snapshelf.training.studio_settings import StudioSettings
    from snapshelf.training.training_set import TrainingSet

__all__ = [
    "check_dna",
    "train_both_networks",
    "train_dna",
    "train_matcher",
    "train_query_networks",
]


def check_dna(training_set: "TrainingSet", settings: "StudioSettings") -> None:
    """Refuse what FashionDNA cannot be trained on.

    Args:
        training_set: The data.
        settings: The recipe.

    Raises:
        TrainingError: If there are fewer than two title pictures, or no attribute to learn.
    """
    from snapshelf.training.attribute_training import check_attributes
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.title_pictures import title_pictures

    names = settings.fashion_dna.attributes or None
    check_attributes(AttributeTable.from_items(title_pictures(training_set).items, names))


def train_dna(
    data: Sequence["TrainingData"], settings: "StudioSettings", out: Path, monitor: "Monitor"
) -> System:
    """Train FashionDNA, or load what has been.

    Args:
        data: The data.
        settings: The recipe.
        out: The folder of the articles' system.
        monitor: Hears how it goes, and can ask to stop.

    Raises:
        Exception: As `train_fashion_dna`.
    """
    from snapshelf.systems.fashion_dna import train_fashion_dna

    monitor.note("the features of articles: FashionDNA")
    return train_fashion_dna(data, settings.fashion_dna, out, resume=True, monitor=monitor)


def train_matcher(
    photos: "NDArray[np.float32]",
    articles: "StudioArticles",
    features: "NDArray[np.float32]",
    settings: "StudioSettings",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Train the matcher alone, if it is not there yet.

    Args:
        photos: (Q, D) float32, features of the photos.
        articles: What is shown where.
        features: (N, D) float32, of the articles.
        settings: The recipe.
        out: The folder of the stage.
        monitor: Hears how it goes, and can ask to stop.

    Raises:
        Exception: As `learn_matcher`.
    """
    from snapshelf.training.studio_training import learn_matcher

    if (out / MATCHER_FILE).is_file():
        return
    monitor.note("the match of features that stay as they are")
    matcher = learn_matcher(photos, articles, features, settings, out=out, monitor=monitor)
    write_tensors(out / MATCHER_FILE, matcher.fold().tensors())


def train_query_networks(
    training_set: "TrainingSet",
    articles: "StudioArticles",
    features: "NDArray[np.float32]",
    settings: "StudioSettings",
    encoder: "Encoder | None",
    augmentation: "Augmentation | None",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Train the query networks that are not there yet, each with its match.

    Args:
        training_set: The data.
        articles: What is shown where.
        features: (N, D) float32, of the articles.
        settings: The recipe.
        encoder: Of the articles' system; None where their features were given.
        augmentation: Of the photos.
        out: The folder of the training; each network has a folder in it.
        monitor: Hears how it goes, and can ask to stop.

    Raises:
        Exception: As `learn_features`.
    """
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
                network, views, articles, features, own, encoder, out=out / name, monitor=monitor
            )
            if matcher is not None:
                write_tensors(out / name / MATCHER_FILE, matcher.fold().tensors())
            # Last, since a stage that has it is done.
            save_query_network(out / name, network)
    finally:
        store.close()


def train_both_networks(
    training_set: "TrainingSet",
    articles: "StudioArticles",
    settings: "StudioSettings",
    augmentation: "Augmentation | None",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Train a network for each side, if they are not there yet.

    Args:
        training_set: The data.
        articles: What is shown where.
        settings: The recipe.
        augmentation: Of the pictures.
        out: The folder of the training; each network has a folder in it.
        monitor: Hears how it goes, and can ask to stop.

    Raises:
        Exception: As `learn_two_networks`.
    """
    from snapshelf.features.query_folder import QUERY_FILE, save_query_network
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.preparation import make_views, stored_pictures
    from snapshelf.training.studio_training import learn_two_networks, start_query_network

    if (out / LINEAR / QUERY_FILE).is_file():
        return
    # The same beginning, as of published weights, and then nothing in common.
    street, description = start_query_network(settings, settings.dimension)
    shop, _ = start_query_network(settings, settings.dimension)
    monitor.note("a network for each side")
    store = stored_pictures(training_set, settings, out / "pictures", monitor)
    try:
        learn_two_networks(
            street,
            shop,
            make_views(
                training_set, store, description.preprocessing, augmentation, seed=settings.seed
            ),
            articles,
            AttributeTable.from_items(training_set.items),
            settings,
            out=out / LINEAR,
            monitor=monitor,
        )
    finally:
        store.close()
    (out / SHOP).mkdir(exist_ok=True)
    save_query_network(out / SHOP, shop)
    # Last, since the stage that has it is done.
    save_query_network(out / LINEAR, street)
