"""`mtv`: a multi-task view-invariant network (MTV-CNN).

Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval.

search    picture ──► whole picture, or the locator's regions ──► network ──► L2-normalised, cosine

train     negative ─┐                      ┌─► ratio triplet loss, weighted by attributes
          anchor   ─┼─► one network, six ──┼─► attribute prediction, of the anchor
          positive ─┤   times              │
          3 views  ─┘                      └─► view invariance, of the bag

          stage 1: random negatives ──► embed the items ──► stage 2: the nearest 40 %
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snapshelf.systems.system import System
from snapshelf.training.training_error import TrainingError

if TYPE_CHECKING:
    from torch import Tensor

    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.features.embedding_network import EmbeddingNetwork
    from snapshelf.locating.locator import Locator
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.mtv_settings import MtvSettings
    from snapshelf.training.picture_store import PictureStore
    from snapshelf.training.training_set import TrainingSet
    from snapshelf.training.views import ViewMaker

__all__ = ["train_mtv"]

NAME = "mtv"

LOCATOR_FOLDER = "locator"
"""In the system's folder, if it has a locator."""


def train_mtv(
    data: Sequence["TrainingData"],
    settings: "MtvSettings",
    out: Path,
    *,
    resume: bool = False,
    monitor: "Monitor | None" = None,
    store: "PictureStore | None" = None,
) -> System:
    """Train the network, or go on with a training that was cut off.

    Args:
        data: The data sets, each of another name.
        settings: The recipe.
        out: The folder of the training and of the system.
        resume: Whether to go on with what is in the folder. A finished training is left as it is.
        monitor: Hears how it goes, and can ask to stop.
        store: The pictures that `stored_pictures` keeps for this data, cropped by the locator of
            these settings, if they have one; None to make it here. Several trainings on the same
            pictures can share one.

    Returns:
        The trained system, as loaded from the folder.

    Raises:
        DatasetError: If a data set is not in its published layout, or there are no backgrounds.
        ModelError: If the backbone, its weights or the locator cannot be had.
        TrainingError: If the data or folder cannot be used, or training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.features.network_folder import NetworkDescription, save_network
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.locating.locator_folder import copy_locator
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.backbone_stages import freeze_stages
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import (
        make_augmentation,
        make_backbone,
        make_views,
        stored_pictures,
        training_record,
    )
    from snapshelf.training.principal_start import pooled_features, start_at_principal_axes
    from snapshelf.training.region_pictures import with_regions
    from snapshelf.training.training_folder import (
        begin,
        check_folder,
        check_record,
        is_finished,
        is_first_process,
    )
    from snapshelf.training.training_set import TrainingSet
    from snapshelf.training.weight_average import average_weights

    with torch_extra():
        import torch

    monitor = monitor or Monitor()
    check_folder(out, resume=resume)
    training_set = TrainingSet.collect(data, mattes=settings.augmentation)
    record = training_record(NAME, settings, training_set)
    locator = _locator(settings)
    if locator is not None:
        record["locator"] = locator.fingerprint
    check_record(out, record)
    if is_finished(out):
        return System.load(out)
    table = AttributeTable.from_items(training_set.items)
    _check_products(training_set)
    _tell(monitor, training_set, table)

    torch.manual_seed(settings.seed)
    backbone, described, preprocessing = make_backbone(settings)
    learned = dict(zip(table.names, table.classes, strict=True))
    description = NetworkDescription(
        **described,
        pooling=settings.pooling,
        dimension=settings.dimension,
        normalised=settings.normalised,
        batch_norm=settings.batch_norm,
        preprocessing=preprocessing,
        mirrored=settings.mirrored,
        attributes=learned if settings.attribute_prediction else {},
    )
    side = settings.training_side
    inputs = dataclasses.replace(preprocessing, size=(side, side))
    network = description.build(backbone)
    freeze_stages(network.backbone, settings.frozen_stages)
    augmentation = make_augmentation(settings, inputs, monitor)
    begin(out, record)  # not before all is at hand: what is refused leaves no folder
    if settings.locator is not None and is_first_process():
        copy_locator(Path(settings.locator), out / LOCATOR_FOLDER)
    if locator is not None:
        training_set = with_regions(training_set, locator, most=1, monitor=monitor)
    own_store = store is None
    store = store or stored_pictures(training_set, settings, out / "pictures", monitor)
    try:
        if settings.principal_start:
            start_at_principal_axes(
                network,
                pooled_features(network, training_set, store, inputs, seed=settings.seed),
            )
        start = _weights(network)
        ends = []
        for number, member in enumerate(settings.as_members(), start=1):
            network.load_state_dict(start)
            folder = out
            if settings.members > 1:
                monitor.note(f"member {number} of {settings.members}")
                folder = out / f"member-{number}"
            views = make_views(training_set, store, inputs, augmentation, seed=member.seed)
            _learn(network, views, table, member, folder, monitor)
            ends.append(_weights(network))
    finally:
        if own_store:
            store.close()
    if settings.averages:
        each = (1 - settings.start_share) / len(ends)
        shares = [settings.start_share, *[each] * len(ends)]
        network.load_state_dict(average_weights([start, *ends], shares))
    save_network(
        out,
        network,
        description,
        system=NAME,
        notes=record,
        locator=None if locator is None else LOCATOR_FOLDER,
    )
    return System.load(out)


def _locator(settings: "MtvSettings") -> "Locator | None":
    """Load what crops street photos; None where pictures stay whole."""
    if settings.locator is None:
        return None
    from snapshelf.locating.locator_folder import locator_from_folder

    return locator_from_folder(Path(settings.locator))


def _learn(
    network: "EmbeddingNetwork",
    views: "ViewMaker",
    table: "AttributeTable",
    settings: "MtvSettings",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Train the network through all stages, or take up the weights of one that has been."""
    from snapshelf.training.fit import FitSettings, fit
    from snapshelf.training.item_embeddings import embed_items
    from snapshelf.training.mining import NegativeSchedule
    from snapshelf.training.mtv_module import MtvModule
    from snapshelf.training.preparation import make_loader
    from snapshelf.training.sampling import TripletSampler

    training_set = views.training_set
    labels = table.labels(training_set.items)
    negatives = NegativeSchedule(
        settings,
        table,
        labels,
        np.array(training_set.sources, np.int64),
        lambda: embed_items(
            network,
            training_set,
            views.store,
            views.preprocessing,
            views=settings.views,
            scale=settings.embedding_scale,
        ),
    )
    sampler = TripletSampler(
        training_set,
        pool=negatives.at,
        anchors=settings.anchors,
        positives=settings.positives,
        negatives=settings.negatives,
        bag=settings.views if settings.view_invariance else 0,
        recoloured=settings.recoloured,
        seed=settings.seed,
        count=settings.triplets_per_epoch,
        sources=settings.sources,
    )
    loader = make_loader(settings, sampler, views, batch=settings.batch_triplets)
    module = MtvModule(
        network,
        views.preprocessing,
        settings,
        labels=labels,
        counts=table.counts if settings.attribute_prediction else (),
        negatives=negatives,
        steps_per_epoch=len(loader),
    )
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
        pictures_per_batch=settings.batch_triplets * sampler.views_per_group,
        monitor=monitor,
    )


def _weights(network: "EmbeddingNetwork") -> "dict[str, Tensor]":
    """Copy a network's weights as they are now."""
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def _check_products(training_set: "TrainingSet") -> None:
    """Refuse a data set in which no product has another one to be told from."""
    for number, name in enumerate(training_set.names):
        count = training_set.sources.count(number)
        if count < 2:
            raise TrainingError(
                f"the data set {name} has {count} product: a negative is another product of the "
                "anchor's data set, so at least two products are needed; leave it out"
            )


def _tell(monitor: "Monitor", training_set: "TrainingSet", table: "AttributeTable") -> None:
    """Say what is trained on."""
    from snapshelf.training.preparation import describe_data

    describe_data(training_set, monitor)
    sizes = zip(table.names, table.sizes, strict=True)
    told = ", ".join(f"{name} ({size})" for name, size in sizes) or "none"
    monitor.note(f"attributes: {told}")
    for name, reason in table.left_out.items():
        monitor.note(f"attribute {name} is left out: {reason}")
