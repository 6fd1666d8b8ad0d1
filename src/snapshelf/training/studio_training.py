"""The training of Studio2Shop's query network and matcher: photos learn to find articles."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.query_folder import QueryDescription
from snapshelf.features.query_network import QueryNetwork
from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.studio_matcher import StudioMatcher
from snapshelf.training.article_draws import ArticleDraws
from snapshelf.training.attributes import AttributeTable
from snapshelf.training.fit import FitSettings, fit
from snapshelf.training.match_batches import MatchLoader, PhotoSampler
from snapshelf.training.monitor import Monitor
from snapshelf.training.paired_photos import PairedLoader, PairedSampler
from snapshelf.training.photo_features import FeatureMatches
from snapshelf.training.preparation import make_backbone, make_loader
from snapshelf.training.processes import launched
from snapshelf.training.studio_articles import StudioArticles
from snapshelf.training.studio_module import StudioModule
from snapshelf.training.studio_settings import StudioSettings
from snapshelf.training.two_networks_module import TwoNetworksModule
from snapshelf.training.views import ViewMaker

with torch_extra():
    import torch

__all__ = ["learn_features", "learn_matcher", "learn_two_networks", "start_query_network"]


def start_query_network(
    settings: StudioSettings, dimension: int
) -> tuple[QueryNetwork, QueryDescription]:
    """Make the query network as it begins, the same one every time, and describe it.

    Args:
        settings: The recipe.
        dimension: Length of an article's features, and so of a photo's.

    Raises:
        ModelError: If the backbone or its weights cannot be had.
    """
    torch.manual_seed(settings.seed)
    backbone, described, preprocessing = make_backbone(settings)
    network = QueryNetwork(
        backbone,
        size=preprocessing.size,
        grid=(settings.grid[0], settings.grid[1]) if settings.grid else None,
        hidden=settings.hidden,
        dropout=settings.dropout,
        dimension=dimension,
        batch_norm=settings.batch_norm,
    )
    description = QueryDescription(
        **described,
        grid=network.grid,
        hidden=settings.hidden,
        dimension=dimension,
        batch_norm=settings.batch_norm,
        preprocessing=preprocessing,
    )
    return network, description


def learn_features(
    network: QueryNetwork,
    views: ViewMaker,
    articles: StudioArticles,
    features: NDArray[np.float32],
    settings: StudioSettings,
    *,
    out: Path,
    monitor: Monitor,
) -> StudioMatcher | None:
    """Train a query network with its match, or go on where a training was cut off.

    Args:
        network: Changed in place.
        views: Make its pictures.
        articles: What is shown where.
        features: (N, D) float32, of the articles.
        settings: The recipe; its matching decides whether there is a matcher.
        out: The folder of this training; made if need be.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The matcher; None where the match is the dot product.

    Raises:
        TrainingError: If training diverged, or a checkpoint cannot be used.
        TrainingStopped: If the monitor asked to stop.
    """
    sampler = PhotoSampler(articles.queries, count=settings.photos_per_epoch, seed=settings.seed)
    photos = make_loader(settings, sampler, views, batch=settings.batch)
    processes = launched(settings.devices)
    loader = MatchLoader(
        photos, _draws(articles, settings), rank=processes.rank, world=processes.world
    )
    matcher = None
    if settings.matching == "non-linear":
        matcher = StudioMatcher(network.dimension, settings.matcher_hidden)
    module = StudioModule(
        network, matcher, features, views.preprocessing, settings, steps_per_epoch=len(loader)
    )
    _fit(module, loader, settings, out, monitor)
    return matcher


def learn_matcher(
    photos: NDArray[np.float32],
    articles: StudioArticles,
    features: NDArray[np.float32],
    settings: StudioSettings,
    *,
    out: Path,
    monitor: Monitor,
) -> StudioMatcher:
    """Train the matcher alone, of features that stay as they are on both sides.

    Args:
        photos: (Q, D) float32, of the photos.
        articles: What is shown where.
        features: (N, D) float32, of the articles.
        settings: The recipe.
        out: The folder of this training; made if need be.
        monitor: Hears how it goes, and can ask to stop.

    Raises:
        TrainingError: If training diverged, or a checkpoint cannot be used.
        TrainingStopped: If the monitor asked to stop.
    """
    torch.manual_seed(settings.seed)
    matcher = StudioMatcher(features.shape[1], settings.matcher_hidden)
    loader = FeatureMatches(
        articles.queries,
        photos,
        _draws(articles, settings),
        batch=settings.batch,
        count=settings.photos_per_epoch,
        seed=settings.seed,
    )
    module = StudioModule(None, matcher, features, None, settings, steps_per_epoch=len(loader))
    _fit(module, loader, settings, out, monitor)
    return matcher


def learn_two_networks(
    street: QueryNetwork,
    shop: QueryNetwork,
    views: ViewMaker,
    articles: StudioArticles,
    table: AttributeTable,
    settings: StudioSettings,
    *,
    out: Path,
    monitor: Monitor,
) -> None:
    """Train a network for each side, or go on where a training was cut off.

    Args:
        street: Of photos; changed in place.
        shop: Of title pictures; changed in place.
        views: Make the pictures.
        articles: What is shown where.
        table: The attributes that both tell.
        settings: The recipe.
        out: The folder of this training; made if need be.
        monitor: Hears how it goes, and can ask to stop.

    Raises:
        TrainingError: If training diverged, or a checkpoint cannot be used.
        TrainingStopped: If the monitor asked to stop.
    """
    pictures, items = views.training_set.pictures, views.training_set.items
    sampler = PairedSampler(
        articles,
        [pictures[item].shop[0] for item in articles.items],
        count=settings.photos_per_epoch,
        seed=settings.seed,
    )
    processes = launched(settings.devices)
    loader = PairedLoader(
        make_loader(settings, sampler, views, batch=settings.batch),
        sampler,
        articles,
        compared=settings.compared,
        seed=settings.seed,
        rank=processes.rank,
        world=processes.world,
    )
    module = TwoNetworksModule(
        street,
        shop,
        labels=table.labels(items),
        classes=table.sizes,
        preprocessing=views.preprocessing,
        settings=settings,
        steps_per_epoch=len(loader),
    )
    _fit(module, loader, settings, out, monitor)


def _draws(articles: StudioArticles, settings: StudioSettings) -> ArticleDraws:
    return ArticleDraws(
        articles.right,
        range(len(articles.items)),
        articles=settings.compared,
        most_right=1 if settings.loss == "ranking" else None,
        seed=settings.seed,
    )


def _fit(
    module: StudioModule | TwoNetworksModule,
    loader: MatchLoader | FeatureMatches | PairedLoader,
    settings: StudioSettings,
    out: Path,
    monitor: Monitor,
) -> None:
    out.mkdir(exist_ok=True)
    fit(
        module,
        loader,
        out,
        FitSettings(
            epochs=settings.epochs,
            precision=settings.precision,
            devices=settings.devices,
            gradient_clip=settings.gradient_clip,
            keep_checkpoints=settings.keep_checkpoints,
            seed=settings.seed,
        ),
        pictures_per_batch=settings.batch,
        monitor=monitor,
    )
