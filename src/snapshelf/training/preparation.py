"""What every training begins with: its pictures, its backbone, what makes views, its record."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from snapshelf import __version__
from snapshelf.errors import ModelError
from snapshelf.features.backbones import (
    OWN,
    create_backbone,
    default_preprocessing,
    load_hub_backbone,
    load_weights,
)
from snapshelf.features.mobilenet import mobilenet_v2
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.process_rank import process_rank
from snapshelf.training.augmentation import Backgrounds, DomainShift
from snapshelf.training.batches import ViewLoader, default_workers
from snapshelf.training.clip_training_set import ClipTrainingSet
from snapshelf.training.monitor import Monitor, TrainingStopped
from snapshelf.training.picture_store import PictureStore
from snapshelf.training.processes import launched
from snapshelf.training.sampling import Sampler
from snapshelf.training.settings import settings_to_dict
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import TrainingSet
from snapshelf.training.views import ViewMaker, neighbours

with torch_extra():
    from torch import nn

__all__ = [
    "Augmentation",
    "BackboneSettings",
    "LoaderSettings",
    "PictureSettings",
    "backbone_file",
    "describe_data",
    "make_augmentation",
    "make_backbone",
    "make_loader",
    "make_views",
    "stored_pictures",
    "training_record",
]

FREE = ("num_workers", "picture_memory_mb", "keep_checkpoints")
"""Settings that may change when a training is gone on with: they change no weight."""

MEGABYTE = 1_000_000

NEIGHBOURS = 200
"""Items kept for standing beside another in its street views."""

BACKGROUNDS = 1000
"""Most background photos that are kept."""


class PictureSettings(Protocol):
    """Settings that say how pictures are kept and changed; every system's have them."""

    @property
    def augmentation(self) -> bool | None:
        """Whether pictures are changed by domain-shift augmentation; None counts as not."""

    @property
    def domain_shift(self) -> Mapping[str, Any]:
        """Settings of the augmentation that differ from their defaults."""

    @property
    def backgrounds(self) -> str | None:
        """A folder of photos that cut-out items are shown on; None: drawn clutter."""

    @property
    def stored_side(self) -> int:
        """Largest side in pixels that pictures are kept at."""

    @property
    def picture_memory_mb(self) -> int:
        """Pictures beyond this many megabytes are kept on disk."""


class LoaderSettings(Protocol):
    """Settings that say which processes make pictures, and for which others."""

    @property
    def num_workers(self) -> int | None:
        """Processes that make pictures; None: by the cores."""

    @property
    def devices(self) -> int:
        """Processes that train, and share the batches out."""


class BackboneSettings(Protocol):
    """Settings that say which backbone a network is built on."""

    @property
    def backbone(self) -> str:
        """A timm name, or ``torchvision/NAME``."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Keyword arguments of the backbone."""

    @property
    def weights(self) -> str | None:
        """A file, ``hub``, ``random``, or None for what is best at hand."""

    @property
    def size(self) -> int | tuple[int, ...]:
        """Side of the square inputs in pixels, or (height, width)."""


def backbone_file(settings: BackboneSettings) -> Path | None:
    """Give the file that a backbone starts from; None for the hub's, or for none.

    Args:
        settings: Which backbone, and its weights.

    Raises:
        ModelError: If there is no such file.
    """
    weights: Path | str | None = settings.weights
    if weights is None and settings.backbone == "mobilenetv2_100":
        weights = mobilenet_v2().weights
    if weights in (None, "hub", "random"):
        return None
    file = Path(str(weights))
    if not file.is_file():
        raise ModelError(f"there is no weights file {file}; give its path as weights")
    return file


def stored_pictures(
    training_set: TrainingSet,
    settings: PictureSettings,
    folder: Path,
    monitor: Monitor,
) -> PictureStore:
    """Read the pictures of a training.

    Args:
        training_set: Which they are.
        settings: How large they are kept, and how many stay in memory.
        folder: Where those beyond that are kept.
        monitor: Hears how it goes.

    Raises:
        TrainingError: If a picture cannot be read; names it.
        TrainingStopped: If the monitor asked to stop.
    """

    def progress(done: int, total: int) -> None:
        monitor.step("pictures", done, total)
        if monitor.should_stop():
            raise TrainingStopped

    rank = process_rank()
    return PictureStore.build(
        training_set.wanted,
        side=settings.stored_side,
        budget=settings.picture_memory_mb * MEGABYTE,
        # Each process has its own file, to write as it needs it.
        folder=folder.with_name(f"{folder.name}-{rank}") if rank else folder,
        progress=progress,
    )


def make_backbone(
    settings: BackboneSettings,
) -> tuple[nn.Module, dict[str, Any], Preprocessing]:
    """Make a backbone with its weights.

    Args:
        settings: Which one.

    Returns:
        The backbone, the name and options that `create_backbone` makes it again from, and how
        pictures become its inputs: whole, padded to their shape.

    Raises:
        ModelError: If the backbone or its weights cannot be had.
    """
    name, options, weights = settings.backbone, dict(settings.options), settings.weights
    preprocessing = None
    if weights is None and name == "mobilenetv2_100":
        published = mobilenet_v2()
        name, options = published.backbone, {**published.options, **options}
        weights, preprocessing = str(published.weights), published.preprocessing
    elif weights is None and name in OWN:
        weights = "random"
    if weights in (None, "hub"):
        backbone, _ = load_hub_backbone(name, options)
    else:
        backbone = create_backbone(name, options)
        if weights != "random":
            load_weights(backbone, Path(str(weights)))
    size = settings.size
    preprocessing = dataclasses.replace(
        preprocessing or default_preprocessing(backbone),
        size=(size, size) if isinstance(size, int) else (size[0], size[1]),
        fit="pad",
        crop_pct=1.0,
    )
    return backbone, {"backbone": name, "options": options}, preprocessing


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What views are made with, read and checked.

    Attributes:
        domain_shift: How much of what is done.
        backgrounds: What cut-out items are shown on.
    """

    domain_shift: DomainShift
    backgrounds: Backgrounds


def make_augmentation(
    settings: PictureSettings, preprocessing: Preprocessing, monitor: Monitor
) -> Augmentation | None:
    """Read what the augmentation needs.

    Args:
        settings: Of the augmentation.
        preprocessing: Gives the size of the views, and so that of the backgrounds.
        monitor: Hears which backgrounds cannot be used.

    Returns:
        None if pictures are not to be changed.

    Raises:
        DatasetError: If there are no such backgrounds.
        TrainingError: If a setting of the augmentation cannot be used.
    """
    if not settings.augmentation:
        return None
    try:
        domain_shift = DomainShift.from_dict(settings.domain_shift)
    except ValueError as error:
        raise TrainingError(f"domain_shift: {error}") from error
    if settings.backgrounds is None:
        return Augmentation(domain_shift, Backgrounds())
    backgrounds = Backgrounds.from_folder(
        Path(settings.backgrounds), longest_side=2 * preprocessing.size[0], at_most=BACKGROUNDS
    )
    for skipped in backgrounds.skipped:
        monitor.note(f"left out of the backgrounds: {skipped}")
    return Augmentation(domain_shift, backgrounds)


def make_views(
    training_set: TrainingSet,
    store: PictureStore,
    preprocessing: Preprocessing,
    augmentation: Augmentation | None,
    *,
    seed: int,
) -> ViewMaker:
    """Make what turns stored pictures into views.

    Args:
        training_set: Says where the pictures come from.
        store: Holds them.
        preprocessing: Gives the views' size.
        augmentation: From `make_augmentation`.
        seed: Decides which items may stand beside others.
    """
    if augmentation is None:
        return ViewMaker(training_set=training_set, store=store, preprocessing=preprocessing)
    items = neighbours(training_set, store, count=NEIGHBOURS, seed=seed)
    return ViewMaker(
        training_set=training_set,
        store=store,
        preprocessing=preprocessing,
        domain_shift=augmentation.domain_shift,
        backgrounds=augmentation.backgrounds.with_items(items),
    )


def make_loader(
    settings: LoaderSettings, sampler: Sampler, views: ViewMaker, *, batch: int
) -> ViewLoader:
    """Make what hands a training its batches.

    Args:
        settings: Of the processes.
        sampler: Says which pictures go together.
        views: Makes them.
        batch: Groups of pictures in a batch.
    """
    processes = launched(settings.devices)
    return ViewLoader(
        sampler,
        views,
        batch=batch,
        workers=default_workers() if settings.num_workers is None else settings.num_workers,
        rank=processes.rank,
        world=processes.world,
    )


def training_record(
    system: str, settings: Any, training_set: TrainingSet | ClipTrainingSet
) -> dict[str, Any]:
    """Give what a training must be gone on with, and what its system notes.

    Args:
        system: Its name.
        settings: The recipe, a dataclass.
        training_set: What is trained on.
    """
    return {
        "snapshelf": __version__,
        "system": system,
        "recipe": _without_free(settings_to_dict(settings)),
        "data": training_set.notes(),
        "data_digest": training_set.digest,
    }


def _without_free(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what may change, also of a recipe within the recipe."""
    return {
        name: _without_free(value) if isinstance(value, Mapping) else value
        for name, value in recipe.items()
        if name not in FREE
    }


def describe_data(training_set: TrainingSet, monitor: Monitor) -> None:
    """Say what is trained on.

    Args:
        training_set: The data.
        monitor: Hears a line for each data set.
    """
    for source in training_set.notes():
        monitor.note(
            f"{source['name']}: {source['items']} items, {source['street_pictures']} street and "
            f"{source['shop_pictures']} shop pictures"
        )
