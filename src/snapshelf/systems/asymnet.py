"""`asymnet`: an item of a clip, followed through its frames, matched with shop pictures.

Cheng, Wu, Liu, Hua: Video2Shop: Exact Matching Clothes in Videos to Online Shopping Images.

shop picture ──► IFN ──► features ──┬─────────────────────────────────────┐
                                  cosine ──► shortlist                     │
frames ──► IFN ──► features ──┬─► mean ──┘       └─► 32 similarities ──► tree of fusion nodes
                              └─► VFN: two levels of LSTM ──► 32 hidden states ──┘

train     clip ──► IFN, VFN ──► hidden states, once ──┐
          S right and S wrong shop pictures ──► IFN ──┴─► does each step match?    (Eq. 5)
                                                      └─► which steps to believe?  (Eq. 7-11)
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.systems.asymnet_loading import (
    NAME,
    asymnet_from_folder,
    load_features,
    write_asymnet,
)
from snapshelf.systems.system import System
from snapshelf.systems.system_copy import copy_system
from snapshelf.systems.wrapping import embed_pictures_of
from snapshelf.training.training_error import TrainingError
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.datasets.clips.clip_dataset import ClipTrainingData
    from snapshelf.matching.asymnet_folder import AsymNetParts
    from snapshelf.training.asymnet_settings import AsymNetSettings
    from snapshelf.training.clip_training_set import ClipTrainingSet
    from snapshelf.training.monitor import Monitor

__all__ = ["asymnet_from_folder", "embed_training_set", "frozen_features", "train_asymnet"]

FEATURES = "features"
"""The folder of the system that gives the features."""

CACHE = "clips"
"""The folder of the features of all clips."""


def train_asymnet(
    data: Sequence["ClipTrainingData"],
    settings: "AsymNetSettings",
    out: Path,
    *,
    resume: bool = False,
    monitor: "Monitor | None" = None,
) -> System:
    """Train AsymNet's networks, or go on with a training that was cut off.

    By default the image network stays as it is, and the features of every clip are made once and
    kept in the folder; the others are then trained in minutes.

    Args:
        data: The data sets of clips, each of another name.
        settings: The recipe.
        out: The folder of the training and of the system.
        resume: Whether to go on with what is in the folder. A finished training is left as it is.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The trained system, as loaded from the folder.

    Raises:
        DatasetError: If a data set is not in its published layout, or a picture or video cannot be
            read.
        ModelError: If the features' system, the backbone or its weights cannot be had.
        TrainingError: If the data, the folder or the model to start from cannot be used, or
            training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.features.video_feature_folder import VideoFeatureDescription
    from snapshelf.matching.asymnet_folder import AsymNetDescription
    from snapshelf.training.asymnet_start import begin_from
    from snapshelf.training.asymnet_training import (
        feature_source,
        learn_networks,
        make_draws,
        new_parts,
        start_as_product,
    )
    from snapshelf.training.clip_pixels import ClipPixels
    from snapshelf.training.clip_training_set import ClipTrainingSet
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import training_record
    from snapshelf.training.training_folder import begin, check_folder, check_record, is_finished
    from snapshelf.training.trajectory_batches import TrajectorySource

    monitor = monitor or Monitor()
    check_folder(out, resume=resume)
    training_set = ClipTrainingSet.collect(data, clips=settings.clips)
    record = training_record(NAME, settings, training_set)
    general = None if settings.start is None else _general(Path(settings.start))
    if settings.start is not None:
        record["start"] = System.load(settings.start).fingerprint
    check_record(out, record)
    if is_finished(out):
        return System.load(out)
    draws = make_draws(training_set, settings)
    for source in training_set.notes():
        monitor.note(
            f"{source['name']}: {source['items']} products, {source['clips']} clips, "
            f"{source['shop_pictures']} shop pictures"
        )
    steps = _steps(settings)
    base: System | None = None
    if settings.features is not None or settings.frozen:
        begin(out, record)
        base, place = frozen_features(settings, out)
        parts = new_parts(settings, base.encoder.dimension)
        image = preprocessing = None
        trajectories, pictures = embed_training_set(base, training_set, steps, out / CACHE, monitor)
        features = feature_source(trajectories, pictures)
        if settings.product_start and general is None:
            start_as_product(
                parts, features.trajectories.numpy(), features.pictures.numpy(), draws, settings
            )
        given: TrajectorySource = features
    else:
        parts, image = _whole_network(settings)
        preprocessing, place = image.preprocessing, None
        given = ClipPixels(training_set, preprocessing, steps)
        begin(out, record)
    if general is not None:
        begin_from(parts, general)
    learn_networks(
        parts.video,
        parts.similarity,
        given,
        draws,
        settings,
        out,
        monitor,
        image=parts.image,
        preprocessing=preprocessing,
    )
    description = AsymNetDescription(
        image=image,
        video=VideoFeatureDescription(
            features=parts.video.features, states=settings.states, levels=settings.levels
        ),
    )
    return write_asymnet(out, parts, description, base=place, depth=settings.depth, notes=record)


def frozen_features(settings: "AsymNetSettings", out: Path) -> tuple[System, str]:
    """Give the system whose embeddings are the features, and put it into a folder.

    Args:
        settings: Name it, or tell of a backbone, which is written as a system of its own.
        out: The folder that it is to be loaded from later, there already.

    Returns:
        The system, and what it is loaded by from that folder.

    Raises:
        ModelError: If it cannot be had.
    """
    if settings.features is not None:
        base = load_features(out / "system.json", settings.features)
        return base, copy_system(base, out / FEATURES)
    folder = out / FEATURES
    if not (folder / "system.json").is_file():
        _write_backbone(settings, folder)
    return System.load(folder), FEATURES


def embed_training_set(
    base: System,
    training_set: "ClipTrainingSet",
    steps: int,
    folder: Path,
    monitor: "Monitor",
) -> tuple[Any, Any]:
    """Give the embeddings of all clips and shop pictures of a training, each made once.

    Args:
        base: Embeds them.
        training_set: The clips and pictures.
        steps: Of a trajectory.
        folder: Keeps those of the clips.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        (N, T, D) and (P, D) float32, rows of unit length.

    Raises:
        DatasetError: If a picture or video cannot be read.
        TrainingStopped: If the monitor asked to stop.
    """
    from snapshelf.features.encoder import Domain
    from snapshelf.training.clip_features import ClipFeatures

    trajectories = ClipFeatures(base.encoder, folder, steps)("clips", training_set.clips, monitor)
    return trajectories, embed_pictures_of(base, training_set.pictures, Domain.SHOP)


def _steps(settings: "AsymNetSettings") -> int:
    from snapshelf.matching.fusion_tree import FusionTree

    return FusionTree.from_text(settings.tree).leaves


def _write_backbone(settings: "AsymNetSettings", folder: Path) -> None:
    """Write the backbone with its weights as a system of its own; whole or not at all."""
    from snapshelf.features.network_weights import write_network_weights
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.preparation import backbone_file, make_backbone

    with torch_extra():
        import torch

    torch.manual_seed(settings.seed)  # where there are no weights
    backbone, named, preprocessing = make_backbone(settings)
    folder.mkdir(exist_ok=True)
    weights, file = "backbone.safetensors", backbone_file(settings)
    if file is not None:
        write_whole(folder / weights, file.read_bytes())
    elif settings.weights == "random":
        write_network_weights(folder / weights, backbone)
    else:
        weights = "hub"
    values = {
        "system": "timm",
        **named,
        "weights": weights,
        "pooling": "gap",
        "preprocessing": preprocessing.to_dict(),
    }
    write_whole(folder / "system.json", (json.dumps(values, indent=2) + "\n").encode())


def _whole_network(settings: "AsymNetSettings") -> tuple["AsymNetParts", Any]:
    """Make all three networks, the image network from its backbone's weights."""
    from snapshelf.features.image_feature_folder import ImageFeatureDescription
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.asymnet_training import new_parts
    from snapshelf.training.preparation import make_backbone

    with torch_extra():
        import torch

    torch.manual_seed(settings.seed)
    backbone, named, preprocessing = make_backbone(settings)
    description = ImageFeatureDescription(
        **named,
        grids=settings.grids,
        pyramid=settings.pyramid,
        dense=settings.dense,
        batch_norm=settings.batch_norm,
        preprocessing=preprocessing,
    )
    image = description.build(backbone, dropout=settings.dropout)
    return dataclasses.replace(new_parts(settings, image.dimension), image=image), description


def _general(folder: Path) -> "AsymNetParts":
    """Load the networks of the model that is to be fine-tuned."""
    from snapshelf.errors import ModelError
    from snapshelf.matching.asymnet_folder import AsymNetDescription, load_asymnet
    from snapshelf.systems.folder_settings import read_kind

    file = folder / "system.json"
    try:
        kind, values = read_kind(file)
        if kind != NAME or not isinstance(values.get("networks"), dict):
            raise TrainingError(f"start must be the folder of a trained {NAME}, got {folder}")
        return load_asymnet(folder, AsymNetDescription.from_dict(values["networks"], file))
    except ModelError as error:
        raise TrainingError(f"start cannot be used: {error}") from error
