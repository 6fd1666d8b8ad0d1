"""The training of Studio2Shop's query network and matcher: photos learn to find articles."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain, Encoder
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
from snapshelf.training.plain_pictures import run_on_pictures
from snapshelf.training.preparation import make_backbone, make_loader
from snapshelf.training.processes import launched
from snapshelf.training.studio_articles import StudioArticles
from snapshelf.training.studio_module import StudioModule
from snapshelf.training.studio_settings import StudioSettings
from snapshelf.training.studio_start import (
    centre_dots,
    copy_fashion_dna,
    mean_features,
    pooled_map,
    start_as_distance,
    start_by_regression,
)
from snapshelf.training.two_networks_module import TwoNetworksModule
from snapshelf.training.views import ViewMaker

with torch_extra():
    import torch
    from torch import Tensor

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
    encoder: Encoder | None,
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
        encoder: Of the articles' system; None where their features were given.
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
    if settings.start == "articles":
        monitor.note("photos begin with their articles' features")
        start_at_articles(network, matcher, views, articles, features, encoder, settings)
    share = right_share(articles, settings)
    module = StudioModule(
        network,
        matcher,
        features,
        views.preprocessing,
        settings,
        steps_per_epoch=len(loader),
        offset=float(np.log(share / (1 - share))),
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
    if settings.start == "articles":
        start_as_distance(matcher, photos, features, right_share(articles, settings))
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


def start_at_articles(
    network: QueryNetwork,
    matcher: StudioMatcher | None,
    views: ViewMaker,
    articles: StudioArticles,
    features: NDArray[np.float32],
    encoder: Encoder | None,
    settings: StudioSettings,
) -> None:
    """Let a query network and its match begin where the articles' features are.

    Args:
        network: Changed in place.
        matcher: Changed in place; None where the match is the dot product.
        views: Hold the photos.
        articles: What is shown where.
        features: (N, D) float32, of the articles.
        encoder: Of the articles' system; None where their features were given.
        settings: The recipe.

    Raises:
        TrainingError: If the dense layers are too short.
    """
    numbers = [query.picture for query in articles.queries]

    def of_photos(run: Callable[[Tensor], Tensor]) -> NDArray[np.float32]:
        batches = run_on_pictures(network, run, views.still, numbers, views.preprocessing)
        return np.concatenate(list(batches))

    if encoder is None or not copy_fashion_dna(network, encoder):
        wanted = (
            mean_features(features, articles.right)
            if encoder is None
            else np.concatenate([_street_features(encoder, views, each) for each in numbers])
        )
        start_by_regression(network, of_photos(partial(pooled_map, network)), wanted)
    centre_dots(network, of_photos(network), None if matcher is not None else features)
    if matcher is not None:
        share = right_share(articles, settings)
        start_as_distance(matcher, of_photos(network), features, share)


def right_share(articles: StudioArticles, settings: StudioSettings) -> float:
    """Give the share of right ones among the articles that a photo is compared with.

    Args:
        articles: What is shown where.
        settings: The recipe.

    Returns:
        In (0, 1).
    """
    right = 1.0 if settings.loss == "ranking" else float(np.mean([len(r) for r in articles.right]))
    return min(right, settings.compared - 0.5) / settings.compared


def _street_features(encoder: Encoder, views: ViewMaker, number: int) -> NDArray[np.float32]:
    inputs = encoder.prepare(views.still(number), Domain.STREET)
    return encoder.encode(inputs[np.newaxis], Domain.STREET)


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
