"""`fit`: Lightning's trainer with checkpoints, resuming, a log and an orderly stop."""

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.callbacks import LAST, Checkpoints, Figures, Reseed, SameState, Stop
from snapshelf.training.monitor import Monitor, TrainingStopped
from snapshelf.training.processes import launched
from snapshelf.training.training_error import TrainingError

with torch_extra():
    import lightning
    import torch
    from lightning.pytorch.strategies import DDPStrategy

__all__ = ["FitSettings", "fit", "last_checkpoint"]

CHECKPOINTS = "checkpoints"
LOG = "log.csv"

LOGGERS = ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero")
"""What Lightning tells of itself, below errors, is nothing to the user."""

IRRELEVANT = (
    # Batch norms with frozen statistics are meant to be.
    r"Found \d+ module\(s\) in eval mode",
    # How Lightning calls PyTorch.
    r"`isinstance\(treespec, LeafSpec\)` is deprecated",
)
"""Beginnings of warnings that tell the user of `snapshelf train` nothing to act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FitSettings:
    """What the trainer needs to know.

    Attributes:
        epochs: At least 1.
        precision: In Lightning's words, such as ``32-true`` or ``bf16-mixed``.
        devices: How many of this machine, at least 1; with ``torchrun``, what that tells.
        gradient_clip: The largest norm of the gradient; None for no limit.
        keep_checkpoints: Epochs whose checkpoints are kept besides the last.
        seed: Of everything random in the network itself, such as dropout.
    """

    epochs: int
    precision: Any = "32-true"
    devices: int = 1
    gradient_clip: float | None = None
    keep_checkpoints: int = 2
    seed: int = 0


def fit(
    module: lightning.LightningModule,
    loader: Any,
    out: Path,
    settings: FitSettings,
    *,
    pictures_per_batch: int,
    monitor: Monitor,
) -> None:
    """Train until all epochs are done, from the last checkpoint in the folder if there is one.

    A training that was cut off and gone on with gives the same weights as one in one go, bit by
    bit on a processor: the checkpoint holds the network, the optimiser and how far the epoch is,
    and everything random follows from the seed, the epoch and the batch.

    Writes ``checkpoints/last.ckpt`` and ``checkpoints/epoch-NNN.ckpt`` after each epoch, and a line
    of ``log.csv``.

    Args:
        module: What to train; its ``training_step`` logs its losses by epoch.
        loader: Gives the batches; it has a length, `state_dict`, `load_state_dict` and
            `close`, which is called in any case.
        out: The training's folder.
        settings: Of the trainer.
        pictures_per_batch: For the figures.
        monitor: Hears of each batch and epoch. Once it asks to stop, a checkpoint is written
            and training stops.

    Raises:
        TrainingStopped: If it was asked to stop.
        TrainingError: If a loss is not finite, or the checkpoint cannot be used.
    """
    folder = out / CHECKPOINTS
    processes = launched(settings.devices)
    callbacks = [
        Reseed(settings.seed),
        Figures(out / LOG, pictures_per_batch, monitor),
        Checkpoints(folder, settings.keep_checkpoints, monitor),
        SameState(),
    ]
    checkpoint = last_checkpoint(out)
    if checkpoint is not None:
        _check(checkpoint, module)
    with _quiet():
        trainer = lightning.Trainer(
            max_epochs=settings.epochs,
            precision=settings.precision,
            devices=processes.devices,
            num_nodes=processes.machines,
            strategy=DDPStrategy() if processes.world > 1 else "auto",
            gradient_clip_val=settings.gradient_clip,
            callbacks=callbacks,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            default_root_dir=out,
        )
        try:
            trainer.fit(module, loader, ckpt_path=checkpoint, weights_only=True)
        except Stop:
            raise TrainingStopped from None
        finally:
            loader.close()


def last_checkpoint(out: Path) -> Path | None:
    """Give the checkpoint that a training in this folder would go on from; None without one."""
    path = out / CHECKPOINTS / LAST
    return path if path.is_file() else None


def _check(checkpoint: Path, module: lightning.LightningModule) -> None:
    """Refuse a checkpoint that is damaged, holds anything but data, or is of another network."""
    try:
        with ZipFile(checkpoint) as archive:  # PyTorch itself compares no check sums
            if damaged := archive.testzip():
                raise ValueError(f"{damaged} in it is damaged")
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        missing = {"state_dict", "optimizer_states", "lr_schedulers", "loops"} - state.keys()
        if missing:
            raise ValueError(f"it holds no {', '.join(sorted(missing))}")
        theirs = {name: value.shape for name, value in state["state_dict"].items()}
        if theirs != {name: value.shape for name, value in module.state_dict().items()}:
            raise ValueError("it is of another network")
    # Whatever a damaged file makes PyTorch stumble over, the file is what is wrong.
    except Exception as error:
        reason = str(error).partition("\n")[0][:200]
        raise TrainingError(
            f"{checkpoint} cannot be gone on from: {reason}. Put the checkpoint of an earlier "
            f"epoch, of those beside it, in its place under the name {LAST}, or train anew in "
            "another folder"
        ) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's remarks about itself from the user."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    try:
        with warnings.catch_warnings():
            for message in IRRELEVANT:
                warnings.filterwarnings("ignore", message)
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
