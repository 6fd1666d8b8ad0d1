"""The training of a network that predicts the attributes of one side's pictures."""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.attribute_network import AttributeNetwork
from snapshelf.features.encoder import Domain
from snapshelf.training.attributes import UNLABELLED, AttributeTable
from snapshelf.training.fit import FitSettings, fit
from snapshelf.training.monitor import Monitor
from snapshelf.training.picture_sampling import PictureSampler
from snapshelf.training.preparation import LoaderSettings, make_loader
from snapshelf.training.processes import launched
from snapshelf.training.sag_module import SagModule, SagSettings
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import TrainingSet
from snapshelf.training.views import ViewMaker

__all__ = ["AttributeRecipe", "check_attributes", "learn_attributes", "tell_attributes"]


class AttributeRecipe(SagSettings, LoaderSettings, Protocol):
    """Settings of such a training."""

    @property
    def batch(self) -> int:
        """Pictures in a batch."""

    @property
    def pictures_per_epoch(self) -> int | None:
        """Pictures in an epoch; None for as many as the side has."""

    @property
    def sources(self) -> Any:
        """Weights of the data sets by name; empty for equal parts."""

    @property
    def gradient_clip(self) -> float | None:
        """The largest norm of the gradient; None for no limit."""

    @property
    def precision(self) -> Any:
        """Of the arithmetic, in Lightning's words."""

    @property
    def keep_checkpoints(self) -> int:
        """Epochs whose checkpoints are kept besides the last."""

    @property
    def seed(self) -> int:
        """Decides the views."""


def learn_attributes(
    network: AttributeNetwork,
    views: ViewMaker,
    labels: NDArray[np.int64],
    table: AttributeTable,
    settings: AttributeRecipe,
    *,
    domain: Domain,
    epochs: int,
    out: Path,
    monitor: Monitor,
) -> None:
    """Train the network of one side, or take up the weights of one that has been.

    Args:
        network: Changed in place.
        views: Make its pictures, of items with labels only.
        labels: (N, M) int64, of those items.
        table: What is learned.
        settings: The recipe.
        domain: The side.
        epochs: At least 1.
        out: The folder of this training; made if need be.
        monitor: Hears how it goes, and can ask to stop.

    Raises:
        TrainingError: If training diverged, or a checkpoint cannot be used.
        TrainingStopped: If the monitor asked to stop.
    """
    pictures = views.training_set.pictures
    count = settings.pictures_per_epoch or sum(len(own.of(domain.value)) for own in pictures)
    sampler = PictureSampler(
        views.training_set,
        # A small side still fills a batch.
        count=max(count, settings.batch * launched(settings.devices).world),
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


def check_attributes(table: AttributeTable) -> None:
    """Refuse data that there is nothing to learn of.

    Args:
        table: What there is.

    Raises:
        TrainingError: If no attribute has two values or more.
    """
    if not table.names:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in table.left_out.items())
        raise TrainingError(
            "the networks learn to predict attributes, and there is none with two values or more "
            f"({reasons or 'no item is labelled'}); add a data set that has some"
        )


def tell_attributes(table: AttributeTable, training_set: TrainingSet, monitor: Monitor) -> None:
    """Say what is learned, and of how many items nothing is.

    Args:
        table: What is learned.
        training_set: The items.
        monitor: Hears it.
    """
    sizes = zip(table.names, table.sizes, strict=True)
    monitor.note(f"attributes: {', '.join(f'{name} ({size})' for name, size in sizes)}")
    for name, reason in table.left_out.items():
        monitor.note(f"attribute {name} is left out: {reason}")
    labels = table.labels(training_set.items)
    unlabelled = int((labels == UNLABELLED).all(axis=1).sum())
    if unlabelled:
        monitor.note(f"items without any label, for the projections only: {unlabelled}")
