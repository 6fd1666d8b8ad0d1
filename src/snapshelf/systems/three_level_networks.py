"""The first stages of a training of `three-level`: the SAG-CNN of each side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.features.encoder import Domain
from snapshelf.systems.three_level_loading import NAME
from snapshelf.training.training_error import TrainingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.features.attribute_network import AttributeNetwork
    from snapshelf.features.three_level_folder import ThreeLevelDescription
    from snapshelf.locating.locator import Locator
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.picture_store import PictureStore
    from snapshelf.training.three_level_settings import ThreeLevelSettings
    from snapshelf.training.training_set import TrainingSet
    from snapshelf.training.views import ViewMaker

__all__ = [
    "start_network",
    "train_networks",
]


def train_networks(
    data: Sequence["TrainingData"],
    settings: "ThreeLevelSettings",
    out: Path,
    *,
    resume: bool,
    monitor: "Monitor",
    locator: "Locator",
    store: "PictureStore | None" = None,
) -> None:
    """Train the SAG-CNNs of both sides, those that are not there yet.

    Args:
        data: As `train_three_level`.
        settings: The recipe; how the levels are put together makes no difference.
        out: The folder of the training.
        resume: Whether to go on with what is in the folder.
        monitor: Hears how it goes, and can ask to stop.
        locator: Finds the regions that the street side's network is trained on.
        store: The pictures that `stored_pictures` keeps for this data, these settings and this
            locator; None to make it here.

    Raises:
        Exception: As `train_three_level`.
    """
    from snapshelf.features.three_level_folder import NETWORK_FILES, save_network_of
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.labelled_items import labelled_items
    from snapshelf.training.preparation import (
        describe_data,
        make_augmentation,
        make_views,
        stored_pictures,
        training_record,
    )
    from snapshelf.training.region_pictures import with_regions
    from snapshelf.training.training_folder import (
        begin,
        check_folder,
        check_record,
        is_finished,
    )
    from snapshelf.training.training_set import TrainingSet

    check_folder(out, resume=resume)
    training_set = TrainingSet.collect(data, mattes=settings.augmentation)
    record = training_record(NAME, settings, training_set) | {"locator": locator.fingerprint}
    check_record(out, record)
    left = [domain for domain in Domain if not (out / NETWORK_FILES[domain]).is_file()]
    if is_finished(out) or (not left and out.is_dir()):
        return
    table = AttributeTable.from_items(training_set.items, settings.attributes or None)
    _check_attributes(table)
    describe_data(training_set, monitor)
    _tell_attributes(table, training_set, monitor)
    _, description = start_network(settings, table)
    augmentation = make_augmentation(settings, description.preprocessing, monitor)
    begin(out, record)  # not before all is at hand: what is refused leaves no folder
    located = with_regions(training_set, locator, most=settings.regions, monitor=monitor)
    labelled, labels = labelled_items(located, table.labels(located.items))
    own_store = store is None
    store = store or stored_pictures(located, settings, out / "pictures", monitor)
    try:
        for domain in left:
            monitor.note(f"the network of the {domain} side")
            network, description = start_network(settings, table)
            views = make_views(
                labelled, store, description.preprocessing, augmentation, seed=settings.seed
            )
            _learn(network, views, labels, table, settings, domain, out / domain.value, monitor)
            save_network_of(domain, out, network)
    finally:
        if own_store:
            store.close()


def start_network(
    settings: "ThreeLevelSettings", table: "AttributeTable"
) -> "tuple[AttributeNetwork, ThreeLevelDescription]":
    """Make a network as it begins, the same one every time.

    Args:
        settings: The recipe.
        table: The attributes that it shall predict.

    Returns:
        The network, and the description of it and of the system.

    Raises:
        ModelError: If the backbone or its weights cannot be had.
    """
    from snapshelf.features.attribute_network import AttributeNetwork
    from snapshelf.features.first_layer import (
        FIRST_LAYERS,
        fill_first_layer,
        weights_with_first_layer,
    )
    from snapshelf.features.three_level_folder import ThreeLevelDescription
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.preparation import make_backbone

    with torch_extra():
        import torch

    torch.manual_seed(settings.seed)
    backbone, described, preprocessing = make_backbone(settings)
    published = FIRST_LAYERS.get(settings.backbone)
    grid = 1 if published is None else published.grid
    network = AttributeNetwork(
        backbone,
        size=preprocessing.size,
        grid=grid,
        fc1=settings.fc1 or (None if published is None else published.dimension),
        branch=settings.branch,
        batch_norm=settings.batch_norm,
        attributes=table.sizes,
    )
    file = weights_with_first_layer(settings.backbone, settings.weights)
    if file is not None or published is None:
        fill_first_layer(network.first, settings.backbone, file)
    description = ThreeLevelDescription(
        **described,
        grid=grid,
        fc1=network.dimension,
        branch=settings.branch,
        batch_norm=settings.batch_norm,
        preprocessing=preprocessing,
        weights=settings.levels,
        attributes=dict(zip(table.names, table.classes, strict=True)),
        projected=settings.projected,
    )
    return network, description


def _learn(
    network: "AttributeNetwork",
    views: "ViewMaker",
    labels: "NDArray[np.int64]",
    table: "AttributeTable",
    settings: "ThreeLevelSettings",
    domain: Domain,
    out: Path,
    monitor: "Monitor",
) -> None:
    """Train the network of one side, or take up the weights of one that has been."""
    from snapshelf.training.fit import FitSettings, fit
    from snapshelf.training.picture_sampling import PictureSampler
    from snapshelf.training.preparation import make_loader
    from snapshelf.training.sag_module import SagModule

    pictures = views.training_set.pictures
    count = settings.pictures_per_epoch or sum(len(own.of(domain.value)) for own in pictures)
    sampler = PictureSampler(
        views.training_set,
        # A small side still fills a batch.
        count=max(count, settings.batch * settings.devices),
        # A data set without labels is not drawn from, whatever its weight.
        sources={
            name: weight
            for name, weight in settings.sources.items()
            if name in views.training_set.names
        },
        street=float(domain is Domain.STREET),
        seed=settings.seed,
    )
    loader = make_loader(settings, sampler, views, batch=settings.batch)
    epochs = settings.street_epochs if domain is Domain.STREET else settings.shop_epochs
    module = SagModule(
        network,
        views.preprocessing,
        settings,
        labels=labels,
        counts=table.counts,
        epochs=epochs,
        steps_per_epoch=len(loader),
    )
    out.mkdir(exist_ok=True)
    fit(
        module,
        loader,
        out,
        FitSettings(
            epochs=epochs,
            precision=settings.precision,
            devices=settings.devices,
            gradient_clip=settings.gradient_clip,
            keep_checkpoints=settings.keep_checkpoints,
            seed=settings.seed,
        ),
        pictures_per_batch=settings.batch,
        monitor=monitor,
    )


def _check_attributes(table: "AttributeTable") -> None:
    """Refuse data that there is nothing to learn of."""
    if not table.names:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in table.left_out.items())
        raise TrainingError(
            "the networks learn to predict attributes, and there is none with two values or more "
            f"({reasons or 'no item is labelled'}); add a data set that has some"
        )


def _tell_attributes(
    table: "AttributeTable", training_set: "TrainingSet", monitor: "Monitor"
) -> None:
    """Say what is learned."""
    sizes = zip(table.names, table.sizes, strict=True)
    monitor.note(f"attributes: {', '.join(f'{name} ({size})' for name, size in sizes)}")
    for name, reason in table.left_out.items():
        monitor.note(f"attribute {name} is left out: {reason}")
    labels = table.labels(training_set.items)
    unlabelled = int((labels < 0).all(axis=1).sum())
    if unlabelled:
        monitor.note(f"items without any label, for the projections only: {unlabelled}")
