"""`fashion-dna`: static features of articles, learned from their title pictures (FashionDNA).

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles, appendix.

features  title picture ──► convolutions ──► fDNA, 1536 ──► PCA, 128 ──► L2-normalised

train                       convolutions ──► fDNA ─┬─► two layers ──► commodity group
                                                   ├─► two layers ──► silhouette
                                                   └─► ... one branch for each attribute
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.features.encoder import Domain
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.folder_settings import read_calibration
from snapshelf.systems.system import System
from snapshelf.training.training_error import TrainingError
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.features.attribute_network import AttributeNetwork
    from snapshelf.features.fashion_dna import DnaDescription
    from snapshelf.features.whitening import Whitening
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.fashion_dna_settings import FashionDnaSettings
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.picture_store import PictureStore
    from snapshelf.training.training_set import TrainingSet

__all__ = ["fashion_dna_from_folder", "train_fashion_dna"]

NAME = "fashion-dna"

OWN_SETTINGS = ("system", "notes", "calibration")
"""What ``system.json`` holds besides the network's description."""


def fashion_dna_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make the system from a folder that `train_fashion_dna` wrote.

    Args:
        folder: Holds ``network.safetensors`` and ``projection.safetensors``.
        settings: What ``system.json`` holds: the network's description, ``notes``, which nothing
            reads, and optionally ``calibration``.

    Raises:
        ModelError: If a setting is missing, unknown or cannot be used, or the files don't fit.
    """
    from snapshelf.features.attribute_heads import AttributeHeads
    from snapshelf.features.fashion_dna import DnaDescription, load_dna

    file = folder / "system.json"
    calibration = read_calibration(file, settings)
    of_network = {name: value for name, value in settings.items() if name not in OWN_SETTINGS}
    description = DnaDescription.from_dict(of_network, file)
    encoder, network = load_dna(folder, description)
    predictor = AttributeHeads(
        dict.fromkeys(Domain, lambda inputs: network.attribute_logits(network(inputs))),
        description.attributes,
        description.preprocessing,
    )
    return System(str(folder), WholePicture(), encoder, calibration, predictor=predictor)


def train_fashion_dna(
    data: Sequence["TrainingData"],
    settings: "FashionDnaSettings",
    out: Path,
    *,
    resume: bool = False,
    monitor: "Monitor | None" = None,
) -> System:
    """Train the network on title pictures and fit the PCA, or go on with what was cut off.

    Args:
        data: The data sets, each of another name. Only shop pictures are trained on; an item may
            be labelled with some attributes only.
        settings: The recipe.
        out: The folder of the training and of the system.
        resume: Whether to go on with what is in the folder. A finished training is left as it is.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The trained system, as loaded from the folder.

    Raises:
        DatasetError: If a data set is not in its published layout.
        ModelError: If the backbone or its weights cannot be had.
        TrainingError: If the data or folder cannot be used, or training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.features.fashion_dna import (
        NETWORK_FILE,
        dna_features,
        save_dna_network,
        save_dna_projection,
    )
    from snapshelf.training.attribute_training import (
        check_attributes,
        learn_attributes,
        tell_attributes,
    )
    from snapshelf.training.attributes import AttributeTable
    from snapshelf.training.labelled_items import labelled_items
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import (
        describe_data,
        make_augmentation,
        make_views,
        stored_pictures,
        training_record,
    )
    from snapshelf.training.title_pictures import title_pictures
    from snapshelf.training.training_folder import begin, check_folder, check_record, is_finished
    from snapshelf.training.training_set import TrainingSet

    monitor = monitor or Monitor()
    check_folder(out, resume=resume)
    training_set = title_pictures(TrainingSet.collect(data, mattes=settings.augmentation))
    record = training_record(NAME, settings, training_set)
    check_record(out, record)
    if is_finished(out):
        return System.load(out)
    table = AttributeTable.from_items(training_set.items, settings.attributes or None)
    check_attributes(table)
    describe_data(training_set, monitor)
    tell_attributes(table, training_set, monitor)
    network, description = _start(settings, table)
    augmentation = make_augmentation(settings, description.preprocessing, monitor)
    begin(out, record)  # not before all is at hand: what is refused leaves no folder
    store = stored_pictures(training_set, settings, out / "pictures", monitor)
    try:
        if not (out / NETWORK_FILE).is_file():
            labelled, labels = labelled_items(training_set, table.labels(training_set.items))
            views = make_views(
                labelled, store, description.preprocessing, augmentation, seed=settings.seed
            )
            learn_attributes(
                network,
                views,
                labels,
                table,
                settings,
                domain=Domain.SHOP,
                epochs=settings.epochs,
                out=out,
                monitor=monitor,
            )
            save_dna_network(out, network)
        # As it is searched with: what is fitted to it depends on its file alone.
        features = dna_features(out, description)
        projection = _project(features.network, description, training_set, store, settings)
    finally:
        store.close()
    reached = projection.projection.shape[1]
    if reached < settings.dimension:
        monitor.note(f"the pictures vary in {reached} directions: features have that many")
    save_dna_projection(out, projection, features)
    values = {"system": NAME, **description.to_dict(), "notes": record}
    # Last, since it is what makes the folder a system.
    write_whole(out / "system.json", (json.dumps(values, indent=2) + "\n").encode())
    return fashion_dna_from_folder(out.resolve(), values)


def _start(
    settings: "FashionDnaSettings", table: "AttributeTable"
) -> "tuple[AttributeNetwork, DnaDescription]":
    """Make the network as it begins, the same one every time, and describe it."""
    from snapshelf.features.fashion_dna import DnaDescription
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.preparation import make_backbone

    with torch_extra():
        import torch

    torch.manual_seed(settings.seed)
    backbone, described, preprocessing = make_backbone(settings)
    description = DnaDescription(
        **described,
        grid=(settings.grid[0], settings.grid[1]),
        fc1=settings.fc1,
        branch=settings.branch,
        batch_norm=settings.batch_norm,
        preprocessing=preprocessing,
        attributes=dict(zip(table.names, table.classes, strict=True)),
    )
    return description.build(backbone), description


def _project(
    network: "AttributeNetwork",
    description: "DnaDescription",
    training_set: "TrainingSet",
    store: "PictureStore",
    settings: "FashionDnaSettings",
) -> "Whitening":
    """Fit the PCA to the L2-normalised activations of title pictures, nothing augmented."""
    import numpy as np

    from snapshelf.features.principal_projection import fit_projection
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.plain_pictures import run_on_pictures

    with torch_extra():
        from torch.nn.functional import normalize

    numbers = [number for own in training_set.pictures for number in own.shop]
    order = np.random.default_rng(settings.seed).permutation(len(numbers))
    chosen = [numbers[place] for place in sorted(order[: settings.projection_pictures].tolist())]
    rows = np.concatenate(
        list(
            run_on_pictures(
                network,
                lambda inputs: normalize(network(inputs)),
                store.picture,
                chosen,
                description.preprocessing,
            )
        )
    )
    try:
        return fit_projection(rows, rows, dimension=settings.dimension)
    except ValueError as error:
        raise TrainingError(f"the features of title pictures cannot be projected: {error}") from (
            error
        )
