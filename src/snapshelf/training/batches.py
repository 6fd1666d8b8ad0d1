"""Batches of views, made in worker processes and handed over as uint8."""

import os
import signal
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import cv2
import numpy as np

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.sampling import Sampler, ViewGroup
from snapshelf.training.training_error import TrainingError
from snapshelf.training.views import ViewMaker

with torch_extra():
    import torch
    from torch import Tensor
    from torch.utils.data import DataLoader, Dataset

__all__ = ["ViewBatch", "ViewLoader", "default_workers"]


class ViewBatch(NamedTuple):
    """What the network is trained on in one step.

    Attributes:
        pictures: (B, V, 3, S, S) uint8, RGB, [0, 255], the views of each group; channels last in
            memory.
        items: (B,) int64, the item numbers of the first views.
        weights: (B,) float32, at least 0, of the losses.
        recoloured: (B,) bool, whether the group's hues are turned: it then shows a product that
            nobody has, whose attributes are not known.
    """

    pictures: Tensor
    items: Tensor
    weights: Tensor
    recoloured: Tensor


class ViewLoader:
    """The batches of each epoch, in an order that no number of workers changes.

    Groups are drawn in this process, so workers need to know nothing but how to make views and
    live through all epochs. An epoch begins when its first batch is asked for: Lightning has told
    the epoch's number by then, through `sampler`, and the network is as the last epoch left it.

    It can be saved in mid-epoch (`state_dict`): the next iteration goes on behind the last batch
    that was handed out.

    Args:
        sampler: Draws the groups.
        views: Makes their pictures.
        batch: Groups in a batch, at least 1. What is left over at the end of an epoch is dropped.
        workers: Processes that make pictures; with 0 this one does.
        rank: Which of several training processes this is; they share out each epoch.
        world: How many there are.

    Raises:
        TrainingError: If an epoch has not as many groups as a batch of every process.
    """

    def __init__(
        self,
        sampler: Sampler,
        views: ViewMaker,
        *,
        batch: int,
        workers: int,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self._batches = _Batches(sampler, batch, rank, world)
        if not len(self._batches):
            raise TrainingError(
                f"an epoch has {len(sampler)} samples, fewer than the {batch * world} of one "
                "batch: give more pictures, a longer epoch or a smaller batch"
            )
        self._loader: DataLoader[Any] = DataLoader(
            _Views(views),
            batch_sampler=self._batches,
            collate_fn=_collate,
            num_workers=workers,
            persistent_workers=workers > 0,
            worker_init_fn=_be_a_worker,
            pin_memory=torch.cuda.is_available(),
        )

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[ViewBatch]:
        # A generator: nothing of this runs before the first batch is asked for.
        self._batches.done %= len(self._batches)
        for batch in self._loader:
            self._batches.done += 1
            yield batch

    @property
    def sampler(self) -> Self:
        """This object, where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is of; Lightning calls it."""
        self._batches.epoch = epoch

    def state_dict(self) -> dict[str, int]:
        """Say how far the epoch is; Lightning puts it into checkpoints."""
        return {"batches": self._batches.done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where the checkpoint was made; Lightning calls it."""
        self._batches.done = state["batches"]

    def close(self) -> None:
        """End the workers at once; PyTorch waits 5 s for each that the garbage collector ends."""
        iterator = self._loader._iterator
        if iterator is not None and self._loader.num_workers:
            iterator._shutdown_workers()  # type: ignore[attr-defined]


def default_workers() -> int:
    """Say how many worker processes suit this machine.

    Making a picture takes a small part of what training on it takes on a processor, so one does
    for two cores; a GPU wants many.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if torch.cuda.is_available():
        return max(1, min((cores or 1) - 1, 16))
    return 1 if (cores or 1) > 1 else 0


class _Batches:
    """The groups of each batch of an epoch, as what PyTorch calls a batch sampler.

    Attributes:
        epoch: Which one.
        done: Batches of it that have been handed out.
    """

    def __init__(self, sampler: Sampler, batch: int, rank: int, world: int) -> None:
        self._sampler = sampler
        self._batch, self._rank, self._world = batch, rank, world
        self.epoch = 0
        self.done = 0

    def __len__(self) -> int:
        return len(self._sampler) // (self._batch * self._world)

    def __iter__(self) -> Iterator[list[ViewGroup]]:
        """Draw the rest of the epoch's batches for this process."""
        step = self._batch * self._world
        starts = [
            number * step + self._rank * self._batch for number in range(self.done, len(self))
        ]
        indices = [start + place for start in starts for place in range(self._batch)]
        groups = self._sampler.draw(self.epoch, indices)
        for _ in starts:
            yield [next(groups) for _ in range(self._batch)]


class _Views(Dataset[Any]):
    """Pictures by group, as what PyTorch calls a data set; the only part that workers get."""

    def __init__(self, views: ViewMaker) -> None:
        self._views = views

    def __getitem__(self, group: ViewGroup) -> tuple[Any, int, float, bool]:
        return self._views.group(group), group.item, group.weight, group.turn != 0


def _collate(samples: list[tuple[Any, int, float, bool]]) -> ViewBatch:
    pictures, items, weights, recoloured = zip(*samples, strict=True)
    return ViewBatch(
        torch.from_numpy(np.stack(pictures)).permute(0, 1, 4, 2, 3),
        torch.tensor(items),
        torch.tensor(weights, dtype=torch.float32),
        torch.tensor(recoloured),
    )


def _be_a_worker(number: int) -> None:  # noqa: ARG001 - PyTorch's signature
    """Leave the cores to the other processes, and Ctrl-C to the one that trains."""
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
