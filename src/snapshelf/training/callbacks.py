"""What happens between the batches and epochs of a training: seeds, figures and checkpoints."""

# ruff: noqa: ARG002 - the hooks have Lightning's signatures, whatever they use of them

import csv
import io
import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.monitor import Monitor
from snapshelf.training.training_error import TrainingError
from snapshelf.whole_file import write_whole

with torch_extra():
    import lightning
    import torch

__all__ = ["LAST", "Checkpoints", "EpochFigures", "Figures", "Reseed", "SameState", "Stop"]

LAST = "last.ckpt"
PARTIAL = "partial.ckpt"


@dataclass(frozen=True, slots=True)
class EpochFigures:
    """What is told and logged of an epoch.

    Attributes:
        epoch: Counted from 1.
        epochs: How many there will be.
        seconds: That it took; of an epoch that was gone on with, only the part since then.
        pictures_per_second: That went through the network.
        learning_rate: At its end.
        losses: Means over the epoch, by name; of an epoch that was gone on with, over the part
            since then.
    """

    epoch: int
    epochs: int
    seconds: float
    pictures_per_second: float
    learning_rate: float
    losses: Mapping[str, float]


class Stop(BaseException):
    """Leaves Lightning's loop; no Exception, so that nothing on the way takes it for an error."""


class Reseed(lightning.Callback):
    """Makes what is random in the network follow from the seed, the epoch and the batch."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_batch_start(
        self,
        trainer: Any,
        pl_module: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Seed PyTorch's generator."""
        number = trainer.current_epoch * trainer.num_training_batches + batch_idx
        torch.manual_seed(
            self._seed * 1_000_003 + number * trainer.world_size + trainer.global_rank
        )


class SameState(lightning.Callback):
    """Makes processes that trained together end with the same network.

    Their weights are the same, but the running means of a batch norm follow from what each has
    seen last; those of the first process, which writes the checkpoints, count.
    """

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Take over what the first process has."""
        if trainer.world_size > 1:
            for tensor in pl_module.state_dict().values():
                torch.distributed.broadcast(tensor, src=0)


class Checkpoints(lightning.Callback):
    """Writes a checkpoint after each epoch, and when training is to stop."""

    def __init__(self, folder: Path, keep: int, monitor: Monitor) -> None:
        self._folder = folder
        self._keep = keep
        self._monitor = monitor

    def on_train_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Write a checkpoint and stop, if that is asked for."""
        # After an epoch's last batch the epoch's own checkpoint comes at once.
        is_last = batch_idx + 1 >= trainer.num_training_batches
        if not is_last and self._stops(trainer):
            self._save(trainer)
            raise Stop

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Write the checkpoint of the epoch."""
        epoch = trainer.current_epoch + 1
        self._save(trainer)
        if self._keep and trainer.is_global_zero:
            partial = self._folder / PARTIAL
            shutil.copyfile(self._folder / LAST, partial)
            partial.replace(self._folder / f"epoch-{epoch:04d}.ckpt")
            for old in sorted(self._folder.glob("epoch-*.ckpt"))[: -self._keep]:
                old.unlink()
        if epoch < trainer.max_epochs and self._stops(trainer):
            raise Stop

    def _save(self, trainer: Any) -> None:
        """Replace the last checkpoint, whole or not at all."""
        partial = self._folder / PARTIAL
        trainer.save_checkpoint(partial)
        if trainer.is_global_zero:
            partial.replace(self._folder / LAST)

    def _stops(self, trainer: Any) -> bool:
        """Ask all processes, so that they stop at the same batch."""
        return bool(
            trainer.strategy.reduce_boolean_decision(self._monitor.should_stop(), all=False)
        )


class Figures(lightning.Callback):
    """Measures, tells and logs each epoch."""

    def __init__(
        self,
        log: Path,
        pictures_per_batch: int,
        monitor: Monitor,
    ) -> None:
        self._log = log
        self._pictures = pictures_per_batch
        self._monitor = monitor
        self._began = time.perf_counter()
        self._batches = 0

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Start the clock."""
        self._began = time.perf_counter()

    def on_train_batch_end(
        self,
        trainer: Any,
        pl_module: Any,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Count and tell a batch."""
        self._batches += 1
        if trainer.is_global_zero:
            name = f"epoch {trainer.current_epoch + 1} of {trainer.max_epochs}"
            self._monitor.step(name, batch_idx + 1, trainer.num_training_batches)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Tell and log the epoch; refuse losses that are not finite."""
        now = time.perf_counter()
        seconds, self._began = now - self._began, now
        batches, self._batches = self._batches, 0
        losses = {name: float(value) for name, value in trainer.callback_metrics.items()}
        broken = [name for name, value in losses.items() if not math.isfinite(value)]
        if broken:
            raise TrainingError(
                f"training has diverged in epoch {trainer.current_epoch + 1}: "
                f"{', '.join(broken)} not finite; lower the learning rate, or set gradient_clip"
            )
        if not trainer.is_global_zero:
            return
        figures = EpochFigures(
            epoch=trainer.current_epoch + 1,
            epochs=trainer.max_epochs,
            seconds=seconds,
            pictures_per_second=batches * self._pictures * trainer.world_size / seconds,
            learning_rate=trainer.optimizers[0].param_groups[0]["lr"],
            losses=losses,
        )
        _append(self._log, figures)
        self._monitor.epoch(figures)


def _append(log: Path, figures: EpochFigures) -> None:
    """Add an epoch's line to the log; lines of it and of later epochs are replaced."""
    values = {
        "epoch": figures.epoch,
        "seconds": round(figures.seconds, 1),
        "pictures_per_second": round(figures.pictures_per_second, 1),
        "learning_rate": figures.learning_rate,
        **{name: round(value, 6) for name, value in figures.losses.items()},
    }
    rows: list[dict[str, Any]] = []
    if log.is_file():
        with log.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if int(row["epoch"]) < figures.epoch]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(values), restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows([*rows, values])
    write_whole(log, text.getvalue().encode())
