"""The first stages of a training of `three-level`: the SAG-CNN of each side."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snapshelf.features.encoder import Domain
from snapshelf.systems.three_level_loading import NAME
from snapshelf.systems.three_level_locating import chosen_locator

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.features.attribute_network import AttributeNetwork
    from snapshelf.features.three_level_folder import ThreeLevelDescription
    from snapshelf.locating.locator import Locator
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.picture_store import PictureStore
    from snapshelf.training.three_level_settings import ThreeLevelSettings

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
    locator: "Locator | None" = None,
    store: "PictureStore | None" = None,
) -> None:
    """Train the SAG-CNNs of both sides, those that are not there yet.

    Args:
        data: As `train_three_level`.
        settings: The recipe; how the levels are put together makes no difference.
        out: The folder of the training.
        resume: Whether to go on with what is in the folder.
        monitor: Hears how it goes, and can ask to stop.
        locator: Finds the regions that the street side's network is trained on, in place of the
            recipe's.
        store: The pictures that `stored_pictures` keeps for this data, these settings and this
            locator; None to make it here.

    Raises:
        Exception: As `train_three_level`.
    """
    from snapshelf.features.three_level_folder import NETWORK_FILES, save_network_of
    from snapshelf.training.attribute_training import (
        check_attributes,
        learn_attributes,
        tell_attributes,
    )
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
    locator = locator or chosen_locator(settings)
    training_set = TrainingSet.collect(data, mattes=settings.augmentation)
    record = training_record(NAME, settings, training_set) | {"locator": locator.fingerprint}
    check_record(out, record)
    left = [domain for domain in Domain if not (out / NETWORK_FILES[domain]).is_file()]
    if is_finished(out) or (not left and out.is_dir()):
        return
    table = AttributeTable.from_items(training_set.items, settings.attributes or None)
    check_attributes(table)
    describe_data(training_set, monitor)
    tell_attributes(table, training_set, monitor)
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
            is_street = domain is Domain.STREET
            learn_attributes(
                network,
                views,
                labels,
                table,
                settings,
                domain=domain,
                epochs=settings.street_epochs if is_street else settings.shop_epochs,
                out=out / domain.value,
                monitor=monitor,
            )
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
