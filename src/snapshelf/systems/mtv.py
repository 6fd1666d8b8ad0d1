"""`mtv`: a multi-task view-invariant network (MTV-CNN).

Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval.

search    picture ──► whole picture ──► network ──► L2-normalised, cosine

train     negative ─┐                      ┌─► ratio triplet loss, weighted by attributes
          anchor   ─┼─► one network, six ──┼─► attribute prediction, of the anchor
          positive ─┤   times              │
          3 views  ─┘                      └─► view invariance, of the bag

          stage 1: random negatives ──► embed the items ──► stage 2: the nearest 40 %
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.folder_settings import read_calibration
from snapshelf.systems.system import System

if TYPE_CHECKING:
    from torch import nn

    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.features.network_folder import NetworkDescription
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.mtv_settings import MtvSettings
    from snapshelf.training.picture_store import PictureStore
    from snapshelf.training.training_set import TrainingSet
    from snapshelf.training.views import ViewMaker

__all__ = ["mtv_from_folder", "train_mtv"]

NAME = "mtv"

OWN_SETTINGS = ("system", "notes", "calibration")
"""What ``system.json`` holds besides the network's description."""

FREE = ("num_workers", "picture_memory_mb", "keep_checkpoints")
"""Settings that may change when a training is gone on with: they change no weight."""

MEGABYTE = 1_000_000

NEIGHBOURS = 200
"""Items kept for standing beside another in its street views."""

BACKGROUNDS = 1000
"""Most background photos that are kept."""


def mtv_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make the system from a folder that `train_mtv` wrote.

    Args:
        folder: Holds ``network.safetensors``.
        settings: What ``system.json`` holds: the network's description, ``notes``, which nothing
            reads, and optionally ``calibration``.

    Raises:
        ModelError: If a setting is missing, unknown or cannot be used, or the weights don't fit.
    """
    from snapshelf.features.network_encoder import NetworkEncoder
    from snapshelf.features.network_folder import load_network

    calibration = read_calibration(folder / "system.json", settings)
    of_network = {name: value for name, value in settings.items() if name not in OWN_SETTINGS}
    network, description, fingerprint = load_network(folder, of_network)
    encoder = NetworkEncoder(
        network, preprocessing=description.preprocessing, fingerprint=fingerprint
    )
    return System(str(folder), WholePicture(), encoder, calibration)


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
        store: The pictures that `stored_pictures` keeps for this data and these settings; None
            to make it here. Several trainings on the same pictures can share one.

    Returns:
        The trained system, as loaded from the folder.

    Raises:
        DatasetError: If a data set is not in its published layout.
        ModelError: If the backbone or its weights cannot be had.
        TrainingError: If the data or folder cannot be used, or training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.features.network_folder import NetworkDescription, save_network
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.batches import ViewLoader, default_workers
    from snapshelf.training.fit import FitSettings, fit
    from snapshelf.training.item_embeddings import embed_items
    from snapshelf.training.mining import NegativeSchedule
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.mtv_module import MtvModule
    from snapshelf.training.sampling import TripletSampler
    from snapshelf.training.training_folder import begin, check_folder, is_finished

    with torch_extra():
        import torch

    monitor = monitor or Monitor()
    check_folder(out, resume=resume)
    training_set = collect(data, settings)
    record = _record(settings, training_set)
    begin(out, record)
    if is_finished(out):
        return System.load(out)
    table = AttributeTable.from_items(training_set.items)
    _tell(monitor, training_set, table)

    torch.manual_seed(settings.seed)
    backbone, described = _backbone(settings)
    learned = dict(zip(table.names, table.classes, strict=True))
    description = NetworkDescription(
        **described, attributes=learned if settings.attribute_prediction else {}
    )
    network = description.build(backbone)
    own_store = store is None
    store = store or stored_pictures(training_set, settings, out / "pictures", monitor)
    try:
        labels = table.labels(training_set.items)
        negatives = NegativeSchedule(
            settings,
            table,
            labels,
            lambda: embed_items(
                network,
                training_set,
                store,
                description.preprocessing,
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
            seed=settings.seed,
            count=settings.triplets_per_epoch,
            sources=settings.sources,
        )
        rank, world = _place(settings)
        loader = ViewLoader(
            sampler,
            _views(settings, training_set, store, description, monitor),
            batch=settings.batch_triplets,
            workers=default_workers() if settings.num_workers is None else settings.num_workers,
            rank=rank,
            world=world,
        )
        module = MtvModule(
            network,
            description.preprocessing,
            settings,
            labels=labels,
            counts=table.counts if settings.attribute_prediction else (),
            negatives=negatives,
            steps_per_epoch=len(loader),
        )
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
    finally:
        if own_store:
            store.close()
    save_network(out, network, description, system=NAME, notes=record)
    return System.load(out)


def collect(data: Sequence["TrainingData"], settings: "MtvSettings") -> "TrainingSet":
    """Number the items and pictures of a training.

    Args:
        data: The data sets.
        settings: Say whether mattes are needed.

    Raises:
        DatasetError: If a data set is not in its published layout.
        TrainingError: If there is nothing to train on.
    """
    from snapshelf.training.training_set import TrainingSet

    return TrainingSet.collect(data, mattes=settings.augmentation)


def stored_pictures(
    training_set: "TrainingSet",
    settings: "MtvSettings",
    folder: Path,
    monitor: "Monitor | None" = None,
) -> "PictureStore":
    """Read the pictures of a training.

    Args:
        training_set: What `collect` gives.
        settings: Their size, and how many stay in memory.
        folder: Where those beyond that are kept.
        monitor: Hears how it goes.

    Raises:
        TrainingError: If a picture cannot be read; names it.
        TrainingStopped: If the monitor asked to stop.
    """
    from snapshelf.training.monitor import Monitor, TrainingStopped
    from snapshelf.training.picture_store import PictureStore

    heard = monitor or Monitor()

    def progress(done: int, total: int) -> None:
        heard.step("pictures", done, total)
        if heard.should_stop():
            raise TrainingStopped

    return PictureStore.build(
        training_set.wanted,
        side=settings.picture_side or 2 * settings.size,
        budget=settings.picture_memory_mb * MEGABYTE,
        folder=folder,
        progress=progress,
    )


def _backbone(settings: "MtvSettings") -> tuple["nn.Module", dict[str, Any]]:
    """Make the backbone with its weights, and what a `NetworkDescription` says of it."""
    from snapshelf.features.backbones import (
        create_backbone,
        default_preprocessing,
        load_hub_backbone,
        load_weights,
    )
    from snapshelf.features.mobilenet import mobilenet_v2

    name, options, weights = settings.backbone, dict(settings.options), settings.weights
    preprocessing = None
    if weights is None and name == "mobilenetv2_100":
        published = mobilenet_v2()
        name, options = published.backbone, {**published.options, **options}
        weights, preprocessing = str(published.weights), published.preprocessing
    if weights in (None, "hub"):
        backbone, _ = load_hub_backbone(name, options)
    else:
        backbone = create_backbone(name, options)
        if weights != "random":
            load_weights(backbone, Path(str(weights)))
    preprocessing = dataclasses.replace(
        preprocessing or default_preprocessing(backbone),
        size=(settings.size, settings.size),
        fit="pad",
        crop_pct=1.0,
    )
    return backbone, {
        "backbone": name,
        "options": options,
        "pooling": settings.pooling,
        "dimension": settings.dimension,
        "batch_norm": settings.batch_norm,
        "preprocessing": preprocessing,
    }


def _views(
    settings: "MtvSettings",
    training_set: "TrainingSet",
    store: "PictureStore",
    description: "NetworkDescription",
    monitor: "Monitor",
) -> "ViewMaker":
    """Make what turns stored pictures into views."""
    from snapshelf.training.augmentation import Backgrounds, DomainShift
    from snapshelf.training.training_error import TrainingError
    from snapshelf.training.views import ViewMaker, neighbours

    if not settings.augmentation:
        return ViewMaker(
            training_set=training_set, store=store, preprocessing=description.preprocessing
        )
    try:
        domain_shift = DomainShift.from_dict(settings.domain_shift)
    except ValueError as error:
        raise TrainingError(f"domain_shift: {error}") from error
    backgrounds = Backgrounds()
    if settings.backgrounds is not None:
        backgrounds = Backgrounds.from_folder(
            Path(settings.backgrounds), longest_side=2 * settings.size, at_most=BACKGROUNDS
        )
        for skipped in backgrounds.skipped:
            monitor.note(f"left out of the backgrounds: {skipped}")
    items = neighbours(training_set, store, count=NEIGHBOURS, seed=settings.seed)
    return ViewMaker(
        training_set=training_set,
        store=store,
        preprocessing=description.preprocessing,
        domain_shift=domain_shift,
        backgrounds=backgrounds.with_items(items),
    )


def _place(settings: "MtvSettings") -> tuple[int, int]:
    """Say which process this is and how many train, as Lightning starts them."""
    import os

    if settings.devices == 1:
        return 0, 1
    return int(os.environ.get("LOCAL_RANK", "0")), settings.devices


def _record(settings: "MtvSettings", training_set: "TrainingSet") -> dict[str, Any]:
    """Give what a training must be gone on with, and what its system notes."""
    from snapshelf import __version__
    from snapshelf.training.settings import settings_to_dict

    recipe = settings_to_dict(settings)
    return {
        "snapshelf": __version__,
        "system": NAME,
        "recipe": {name: value for name, value in recipe.items() if name not in FREE},
        "data": training_set.notes(),
        "data_digest": training_set.digest,
    }


def _tell(monitor: "Monitor", training_set: "TrainingSet", table: "AttributeTable") -> None:
    """Say what is trained on."""
    for source in training_set.notes():
        monitor.note(
            f"{source['name']}: {source['items']} items, {source['street_pictures']} street and "
            f"{source['shop_pictures']} shop pictures"
        )
    sizes = zip(table.names, table.sizes, strict=True)
    told = ", ".join(f"{name} ({size})" for name, size in sizes) or "none"
    monitor.note(f"attributes: {told}")
    for name, reason in table.left_out.items():
        monitor.note(f"attribute {name} is left out: {reason}")
