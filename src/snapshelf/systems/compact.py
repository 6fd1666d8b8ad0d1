"""`compact`: a small encoder that is trained from random weights.

search    picture ──► whole picture ──► network ──► L2-normalised, cosine

train     1. hints           views ──► teacher ──► maps of its stages
                                  └──► student ──► each stage learns the teacher's map from the
                                                   teacher's map before it
          2. start           the principal axes of the student's features, or the teacher's
                             embedding where it has one ──► where the embedding begins
          3. across domains  street view ─┐
                             shop view   ─┴──► network ──► each finds the other in the batch
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snapshelf.systems.system import System
from snapshelf.training.training_error import TrainingError

if TYPE_CHECKING:
    from lightning import LightningModule
    from torch import nn

    from snapshelf.datasets.training_item import TrainingData
    from snapshelf.features.embedding_network import EmbeddingNetwork
    from snapshelf.features.network_folder import NetworkDescription
    from snapshelf.training.compact_settings import CompactSettings, Phase
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.sampling import Sampler
    from snapshelf.training.views import ViewMaker

__all__ = ["train_compact"]

NAME = "compact"


def train_compact(
    data: Sequence["TrainingData"],
    settings: "CompactSettings",
    out: Path,
    *,
    resume: bool = False,
    monitor: "Monitor | None" = None,
) -> System:
    """Train the network, or go on with a training that was cut off.

    Args:
        data: The data sets, each of another name.
        settings: The recipe.
        out: The folder of the training and of the system.
        resume: Whether to go on with what is in the folder. A finished training is left as it is.
        monitor: Hears how it goes, and can ask to stop.

    Returns:
        The trained system, as loaded from the folder.

    Raises:
        DatasetError: If a data set is not in its published layout, or there are no backgrounds.
        ModelError: If the backbone or the teacher's weights cannot be had.
        TrainingError: If the data, folder or teacher cannot be used, or training diverged.
        TrainingStopped: If the monitor asked to stop. What was done can be gone on with.
    """
    from snapshelf.features.network_folder import save_network
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.monitor import Monitor
    from snapshelf.training.preparation import (
        describe_data,
        make_augmentation,
        make_views,
        stored_pictures,
        training_record,
    )
    from snapshelf.training.principal_start import (
        pooled_features,
        start_as_taught,
        start_at_principal_axes,
    )
    from snapshelf.training.training_folder import (
        begin,
        check_folder,
        check_record,
        is_finished,
    )
    from snapshelf.training.training_set import TrainingSet

    with torch_extra():
        import torch

    monitor = monitor or Monitor()
    check_folder(out, resume=resume)
    training_set = TrainingSet.collect(data, mattes=True)
    record = training_record(NAME, settings, training_set)
    check_record(out, record)
    if is_finished(out):
        return System.load(out)
    describe_data(training_set, monitor)

    torch.manual_seed(settings.seed)
    teacher, taught, description = _teacher(settings)
    preprocessing = description.preprocessing
    augmentation = make_augmentation(settings, preprocessing, monitor)
    begin(out, record)  # not before all is at hand: what is refused leaves no folder
    store = stored_pictures(training_set, settings, out / "pictures", monitor)
    try:
        views = make_views(training_set, store, preprocessing, augmentation, seed=settings.seed)
        network = description.build()  # of random weights
        _learn_hints(network, teacher, settings, views, out / "hints", monitor)
        groups = pooled_features(network, training_set, store, preprocessing, seed=settings.seed)
        if taught is None:
            start_at_principal_axes(network, groups)
        else:
            start_as_taught(network, taught, groups)
        for number, phase in enumerate(settings.phases, start=1):
            _learn_pairs(network, phase, settings, views, out / f"phase-{number}", monitor)
    finally:
        store.close()
    save_network(out, network, description, system=NAME, notes=record)
    return System.load(out)


def _teacher(
    settings: "CompactSettings",
) -> "tuple[nn.Module, nn.Linear | None, NetworkDescription]":
    """Give the teacher's backbone, its embedding if it has one, and what the student will be."""
    from snapshelf.features.network_folder import NetworkDescription
    from snapshelf.systems.trained_network import trained_network
    from snapshelf.training.preparation import make_backbone

    if settings.teacher is None:
        backbone, described, preprocessing = make_backbone(settings)
        student = NetworkDescription(
            **described,
            pooling=settings.pooling,
            normalised=True,
            dimension=settings.dimension,
            preprocessing=preprocessing,
            mirrored=settings.mirrored,
        )
        return backbone, None, student
    network, description = trained_network(Path(settings.teacher))
    if description.dimension < settings.dimension:
        raise TrainingError(
            f"an embedding of {settings.dimension} numbers cannot begin as the teacher's of "
            f"{description.dimension}: give a dimension of at most that"
        )
    side = (settings.size, settings.size)
    student = dataclasses.replace(
        description,
        dimension=settings.dimension,
        batch_norm="fold",
        preprocessing=dataclasses.replace(description.preprocessing, size=side),
        mirrored=settings.mirrored,
        attributes={},
    )
    return network.backbone, network.embedding, student


def _learn_hints(
    network: "EmbeddingNetwork",
    teacher: "nn.Module",
    settings: "CompactSettings",
    views: "ViewMaker",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Teach the network's backbone the teacher's feature maps."""
    from snapshelf.features.folding import fold_batch_norm
    from snapshelf.features.torch_extra import torch_extra
    from snapshelf.training.backbone_stages import backbone_stages
    from snapshelf.training.hint_module import HintModule
    from snapshelf.training.hints import even_out
    from snapshelf.training.picture_sampling import PictureSampler

    with torch_extra():
        import torch

    monitor.note(f"hints: {settings.hint_epochs} epochs of {settings.hint_views} views")
    views = _sized(views, settings.hint_size)
    sampler = PictureSampler(
        views.training_set,
        count=settings.hint_views,
        sources=settings.hint_sources,
        street=settings.hint_street,
        seed=settings.seed,
    )
    fold_batch_norm(teacher, torch.zeros(1, 3, settings.hint_size, settings.hint_size))
    steps = settings.hint_epochs * (settings.hint_views // settings.hint_batch)
    module = HintModule(
        network.backbone,
        teacher,
        views.preprocessing,
        learning_rate=settings.hint_rate,
        factors=settings.hint_factors,
        weight_decay=settings.weight_decay,
        warmup=settings.warmup_batches,
        steps=steps,
    )
    first = [views.group(one) for one in sampler.draw(0, range(settings.hint_batch))]
    with torch.no_grad():
        inputs = module.normalise(torch.from_numpy(np.concatenate(first)).permute(0, 3, 1, 2))
        even_out(backbone_stages(network.backbone), backbone_stages(teacher), inputs)
    _fit(module, sampler, settings.hint_batch, settings.hint_epochs, settings, views, out, monitor)


def _learn_pairs(
    network: "EmbeddingNetwork",
    phase: "Phase",
    settings: "CompactSettings",
    views: "ViewMaker",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Draw street and shop views of a product together."""
    from snapshelf.training.cross_domain_module import CrossDomainModule
    from snapshelf.training.pair_sampling import PairSampler

    monitor.note(f"{out.name}: {phase.epochs} epochs across domains at {phase.size} pixels")
    views = _sized(views, phase.size)
    sampler = PairSampler(
        views.training_set,
        batch=settings.batch_pairs,
        batches=settings.phase_batches,
        sources=settings.sources,
        generated=phase.generated,
        recoloured=phase.recoloured,
        seed=settings.seed,
    )
    module = CrossDomainModule(
        network,
        views.preprocessing,
        temperature=settings.temperature,
        learning_rate=phase.learning_rate,
        weight_decay=settings.weight_decay,
        warmup=settings.warmup_batches,
        steps=phase.epochs * settings.phase_batches,
    )
    _fit(module, sampler, settings.batch_pairs, phase.epochs, settings, views, out, monitor)


def _fit(
    module: "LightningModule",
    sampler: "Sampler",
    batch: int,
    epochs: int,
    settings: "CompactSettings",
    views: "ViewMaker",
    out: Path,
    monitor: "Monitor",
) -> None:
    """Train a module, or take up the weights of one that has been trained."""
    from snapshelf.training.fit import FitSettings, fit
    from snapshelf.training.preparation import make_loader

    loader = make_loader(settings, sampler, views, batch=batch)
    out.mkdir(exist_ok=True)
    fit(
        module,
        loader,
        out,
        FitSettings(
            epochs=epochs,
            precision=settings.precision,
            devices=settings.devices,
            keep_checkpoints=settings.keep_checkpoints,
            seed=settings.seed,
        ),
        pictures_per_batch=batch * sampler.views_per_group,
        monitor=monitor,
    )


def _sized(views: "ViewMaker", size: int) -> "ViewMaker":
    """Give what makes views of another size."""
    preprocessing = dataclasses.replace(views.preprocessing, size=(size, size))
    return dataclasses.replace(views, preprocessing=preprocessing)
