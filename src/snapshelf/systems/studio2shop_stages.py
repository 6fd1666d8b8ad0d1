"""The stages of a training of `studio2shop`: each leaves files, and is not done again with them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.features.encoder import Domain
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.studio2shop_loading import LINEAR, MATCH, MATCHER_FILE, SHOP
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import embed_pictures_of
from snapshelf.tensor_file import read_tensors, write_tensors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snapshelf.datasets.training_item import PicturePart, TrainingData, TrainingItem
    from snapshelf.features.encoder import Encoder
    from snapshelf.features.vector_encoder import VectorEncoder
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import Augmentation
    from snapshelf.training.studio_articles import StudioArticles
    from snapshelf.training.studio_settings import StudioSettings
    from snapshelf.training.training_set import TrainingSet

__all__ = [
    "check_dna",
    "given_features",
    "keep_features",
    "train_both_networks",
    "train_dna",
    "train_matcher",
    "train_query_networks",
]


MOST_TOLD = 3
"""Articles without features that an error names."""


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


def given_features(
    vectors: "VectorEncoder", items: Sequence["TrainingItem"]
) -> "NDArray[np.float32]":
    """Give the articles' own features.

    Args:
        vectors: By product ID.
        items: The articles, at least one.

    Returns:
        (N, D) float32, L2-normalised.

    Raises:
        TrainingError: If an article has none that can be used; names some.
    """
    import numpy as np

    from snapshelf.errors import FeaturesError
    from snapshelf.training.training_error import TrainingError

    rows, reasons = [], []
    for item in items:
        try:
            rows.append(vectors.vectors.of(item.product_id))
        except FeaturesError as error:
            reasons.append(str(error))
    if reasons:
        raise TrainingError(
            f"{len(reasons)} of {len(items)} articles have no features to train on: "
            f"{'; '.join(reasons[:MOST_TOLD])}{'; ...' if len(reasons) > MOST_TOLD else ''}"
        )
    return np.stack(rows)


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


def keep_features(
    system: System,
    pictures: Sequence["PicturePart"],
    domain: Domain,
    file: Path,
    monitor: "Monitor",
) -> "NDArray[np.float32]":
    """Embed pictures as an index or a search does, or read what has been.

    Args:
        system: Embeds them, whole.
        pictures: At least one.
        domain: The side that they come from.
        file: Where the features are kept.
        monitor: Hears of it.

    Returns:
        (N, D) float32, L2-normalised.

    Raises:
        DatasetError: If a picture cannot be read.
        TrainingError: If the file holds something else.
    """
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
