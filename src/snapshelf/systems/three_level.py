"""`three-level`: a picture's whole, best region and parts, by attribute-guided networks (SAG-CNN).

Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation.

          level 1: whole picture ──► Conv5 pyramid + FC1 ────────────┐
picture ──level 2: best region   ──► Conv5 pyramid + FC1 ────────────┼─► joined ─► PCA ─► cosine
          level 3: parts         ──► FC1 of each, joined ──► PCA ────┘
          (a network for the street side and one for the shop side; there level 2 is the whole)

train     street photos ──► SAG-CNN of the street side: predicts attributes ─┐
          shop pictures ──► SAG-CNN of the shop side: predicts attributes  ──┴─► levels ─► PCAs
"""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.locating.grid_parts import GridParts
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.folder_settings import read_calibration, read_kind
from snapshelf.systems.system import System
from snapshelf.training.training_error import TrainingError
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.features.attribute_heads import AttributeHeads, Logits
    from snapshelf.features.attribute_network import AttributeNetwork
    from snapshelf.features.three_level_encoder import ThreeLevelEncoder
    from snapshelf.features.three_level_folder import ThreeLevelDescription
    from snapshelf.features.whitening import Whitening
    from snapshelf.locating.locator import Locator
    from snapshelf.locating.part_locator import PartLocator
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.picture_store import PictureStore
    from snapshelf.training.three_level_settings import ThreeLevelSettings
    from snapshelf.training.training_set import TrainingSet
    from snapshelf.training.views import ViewMaker

__all__ = [
    "finish_three_level",
    "start_network",
    "three_level_from_folder",
    "train_networks",
    "train_three_level",
    "write_pretrained_fc1",
]

NAME = "three-level"

VERSION = 1
"""Raised whenever the same files and picture would give another embedding."""

OWN_SETTINGS = ("system", "notes", "calibration", "located")
"""What ``system.json`` holds besides the networks' description."""


def train_three_level(
    data: Sequence["TrainingData"],
    settings: "ThreeLevelSettings",
    out: Path,
    *,
    resume: bool = False,
    monitor: "Monitor | None" = None,
    locator: "Locator | None" = None,
    parts: "PartLocator | None" = None,
) -> System:
    """Train both networks and fit the projections, or go on where a training was cut off.

    The stages follow one another: the street side's network, the shop side's, the projections. A
    network that is done is a file in the folder, ``street.safetensors`` or ``shop.safetensors``;
    a stage whose file is there is not done again, and one whose file is taken away is, with
    what it left in the folder ``street`` or ``shop``.

    Args:
        data: The data sets, each of another name.
        settings: The recipe.
        out: The folder of the training and of the system.
        resume: Whether to go on with what is in the folder. A finished training is left as it is.
        monitor: Hears how it goes, and can ask to stop.
        locator: Finds the regions of level 2; None takes the whole picture.
        parts: Finds the parts of level 3; None for the recipe's grid.

    Returns:
        The trained system, with that locator and those parts.

    Raises:
        DatasetError: If a data set is not in its published layout, or there are no backgrounds.
        ModelError: If the backbone or its weights cannot be had.
        TrainingError: If the data or folder cannot be used, or training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.training_folder import is_finished

    monitor = monitor or Monitor()
    locator, parts = locator or WholePicture(), parts or settings.parts
    train_networks(data, settings, out, resume=resume, monitor=monitor, locator=locator)
    if is_finished(out):
        return _load(out, locator, parts)
    return finish_three_level(
        data, settings, out, out, monitor=monitor, locator=locator, parts=parts
    )


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


def finish_three_level(
    data: Sequence["TrainingData"],
    settings: "ThreeLevelSettings",
    networks: Path,
    out: Path,
    *,
    monitor: "Monitor",
    locator: "Locator",
    parts: "PartLocator",
) -> System:
    """Fit the projections to trained networks, and write the system.

    Args:
        data: As `train_three_level`.
        settings: The recipe that the networks were trained with; how the levels are put together
            may differ.
        networks: The folder that `train_networks` wrote.
        out: The folder of the system; the networks' files are put there too.
        monitor: Hears how it goes, and can ask to stop.
        locator: Finds the regions of level 2.
        parts: Finds the parts of level 3.

    Returns:
        The system.

    Raises:
        Exception: As `train_three_level`.
    """
    from snapshelf.features.three_level_folder import (
        NETWORK_FILES,
        PARTS_FILE,
        PROJECTION_FILE,
        network_digest,
    )
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.level_projections import (
        choose_pictures,
        describe_levels,
        fit_level_projections,
    )
    from snapshelf.training.preparation import training_record
    from snapshelf.training.training_set import TrainingSet

    training_set = TrainingSet.collect(data, mattes=False)
    table = AttributeTable.from_items(training_set.items, settings.attributes or None)
    _, description = start_network(settings, table)
    out.mkdir(exist_ok=True)
    if out != networks:
        for name in NETWORK_FILES.values():
            _place(networks / name, out / name)
    notes = training_record(NAME, settings, training_set)
    if not settings.projected:
        return _write(out, description, locator, parts, notes)
    digest = network_digest(out, description)
    sides = _networks(out, description)
    encoder = _encoder(sides, digest, description, locator, parts)
    monitor.note("the projections of the levels")
    blocks = {
        domain: describe_levels(
            encoder,
            choose_pictures(
                training_set, domain, most=settings.projection_pictures, seed=settings.seed
            ),
            domain,
            monitor,
        )
        for domain in Domain
    }
    short, projection = fit_level_projections(
        blocks[Domain.STREET],
        blocks[Domain.SHOP],
        settings.levels,
        parts_dimension=settings.parts_dimension,
        dimension=settings.dimension,
    )
    reached = projection.projection.shape[1]
    if reached < settings.dimension:
        monitor.note(f"the pictures vary in {reached} directions: embeddings have that many")
    if short is not None:
        short.save(out / PARTS_FILE, f"{digest} parts")
    projection.save(out / PROJECTION_FILE, f"{digest} levels")
    return _write(out, description, locator, parts, notes)


def three_level_from_folder(
    folder: Path,
    settings: Mapping[str, Any],
    *,
    locator: "Locator | None" = None,
    parts: "PartLocator | None" = None,
) -> System:
    """Load the system from a folder that `train_three_level` wrote.

    Args:
        folder: Holds the networks and the projections.
        settings: What ``system.json`` holds: the networks' description, ``located`` (what its
            projections were fitted with), ``notes``, which nothing reads, and optionally
            ``calibration``.
        locator: Finds the regions of level 2; None takes the whole picture.
        parts: Finds the parts; None for the grid that the settings tell.

    Raises:
        ModelError: If a setting is missing, unknown or cannot be used, a file is missing,
            damaged, or fitted to other networks, or the system was made with another locator or
            other parts.
    """
    from snapshelf.features.three_level_folder import (
        PARTS_FILE,
        PROJECTION_FILE,
        ThreeLevelDescription,
        network_digest,
    )
    from snapshelf.features.whitening import load_whitening

    file = folder / "system.json"
    calibration = read_calibration(file, settings)
    of_networks = {name: value for name, value in settings.items() if name not in OWN_SETTINGS}
    description = ThreeLevelDescription.from_dict(of_networks, file)
    locator, parts = _located(settings.get("located"), file, locator or WholePicture(), parts)
    sides = _networks(folder, description)
    digest = network_digest(folder, description)
    short = projection = None
    if description.projected:
        if description.weights.parts > 0:
            short = load_whitening(folder / PARTS_FILE, f"{digest} parts")
        projection = load_whitening(folder / PROJECTION_FILE, f"{digest} levels")
    try:
        encoder = _encoder(sides, digest, description, locator, parts, short, projection)
    except ValueError as error:
        raise ModelError(f"{file}: the files beside it do not fit: {error}") from error
    predictor = _predictor(sides, description) if description.attributes else None
    return System(str(folder), WholePicture(), encoder, calibration, predictor=predictor)


def write_pretrained_fc1(settings: "ThreeLevelSettings", out: Path) -> System:
    """Write a system of FC1 of the backbone as it was before any training here.

    Table I: "Deep feature (FC1) of Pre-trained CNN", whole pictures on both sides, no PCA.

    Args:
        settings: Gives the backbone, its weights, the inputs and FC1's length.
        out: A folder that does not exist or is empty; its parent is there.

    Returns:
        The system.

    Raises:
        ModelError: If the backbone or its weights cannot be had.
    """
    from snapshelf.features.level_weights import LevelWeights
    from snapshelf.features.three_level_folder import NETWORK_FILES, save_network_of
    from snapshelf.training.attributes import AttributeTable

    network, description = start_network(settings, AttributeTable((), (), ()))
    weights = LevelWeights(region=0.0, parts=0.0, conv5=False)
    out.mkdir(exist_ok=True)
    save_network_of(Domain.STREET, out, network)
    _place(out / NETWORK_FILES[Domain.STREET], out / NETWORK_FILES[Domain.SHOP])
    described = replace(description, weights=weights, projected=False)
    return _write(out, described, WholePicture(), settings.parts, {})


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
    network = AttributeNetwork(
        backbone,
        size=preprocessing.size,
        grid=1 if published is None else published.grid,
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
        grid=network.grid,
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


def _networks(
    folder: Path, description: "ThreeLevelDescription"
) -> "dict[Domain, AttributeNetwork]":
    from snapshelf.features.three_level_folder import load_network_of

    return {domain: load_network_of(domain, folder, description) for domain in Domain}


def _encoder(
    networks: "Mapping[Domain, AttributeNetwork]",
    digest: str,
    description: "ThreeLevelDescription",
    locator: "Locator",
    parts: "PartLocator",
    short: "Whitening | None" = None,
    projection: "Whitening | None" = None,
) -> "ThreeLevelEncoder":
    """Put an encoder together of networks with that digest."""
    from snapshelf.features.attribute_network import LevelFeatures
    from snapshelf.features.network_encoder import NetworkEncoder
    from snapshelf.features.three_level_encoder import ThreeLevelEncoder

    identity = {
        "version": VERSION,
        "networks": digest,
        "weights": asdict(description.weights),
        "locator": locator.fingerprint,
        "parts": parts.fingerprint,
        "projections": [each and each.fingerprint for each in (short, projection)],
    }
    whole = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    street, shop = (
        NetworkEncoder(
            LevelFeatures(networks[domain]),
            preprocessing=description.preprocessing,
            fingerprint=f"{digest} {domain}",
        )
        for domain in (Domain.STREET, Domain.SHOP)
    )
    return ThreeLevelEncoder(
        street,
        shop,
        locator=locator,
        parts=parts,
        weights=description.weights,
        fingerprint=whole.hexdigest(),
        parts_projection=short,
        projection=projection,
    )


def _predictor(
    networks: "Mapping[Domain, AttributeNetwork]", description: "ThreeLevelDescription"
) -> "AttributeHeads":
    from snapshelf.features.attribute_heads import AttributeHeads

    def logits(network: "AttributeNetwork") -> "Logits":
        return lambda inputs: network.attribute_logits(network(inputs))

    return AttributeHeads(
        {domain: logits(network) for domain, network in networks.items()},
        description.attributes,
        description.preprocessing,
    )


def _write(
    out: Path,
    description: "ThreeLevelDescription",
    locator: "Locator",
    parts: "PartLocator",
    notes: Mapping[str, Any],
) -> System:
    """Write ``system.json``, last, since it is what makes the folder a system; and load it."""
    values = {
        "system": NAME,
        **description.to_dict(),
        "located": {
            "locator": locator.fingerprint,
            "parts": parts.fingerprint,
            "grid": asdict(parts) if isinstance(parts, GridParts) else None,
        },
        "notes": dict(notes),
    }
    write_whole(out / "system.json", (json.dumps(values, indent=2) + "\n").encode())
    return _load(out, locator, parts)


def _load(folder: Path, locator: "Locator", parts: "PartLocator") -> System:
    _, settings = read_kind(folder / "system.json")
    return three_level_from_folder(folder.resolve(), settings, locator=locator, parts=parts)


def _located(
    given: Any, file: Path, locator: "Locator", parts: "PartLocator | None"
) -> "tuple[Locator, PartLocator]":
    """Give what finds regions and parts; refuse others than the projections were fitted with."""
    if not isinstance(given, dict) or set(given) != {"locator", "parts", "grid"}:
        raise ModelError(
            f"{file}: located must hold locator, parts and grid, got {str(given)[:80]!r}"
        )
    if parts is None:
        try:
            parts = GridParts(**given["grid"])
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{file}: the system was made with the parts {given['parts']!r}, which are no "
                "grid; load it by three_level_from_folder with these parts"
            ) from error
    for name, own in (("locator", locator), ("parts", parts)):
        if own.fingerprint != given[name]:
            raise ModelError(
                f"{file}: the system was made with the {name} {given[name]!r}, got "
                f"{own.fingerprint!r}; load it by three_level_from_folder with that one"
            )
    return locator, parts


def _place(source: Path, target: Path) -> None:
    """Put a file beside others, without a copy where the file system can."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


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
