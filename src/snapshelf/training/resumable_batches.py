"""`ResumableBatches`: an epoch of batches made in this process, saved and gone on with."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Generic, Self, TypeVar

__all__ = ["ResumableBatches"]

Batch = TypeVar("Batch")


class ResumableBatches(ABC, Generic[Batch]):
    """What Lightning asks of a loader whose batches a seed, the epoch and their number decide.

    It can be saved in mid-epoch, as `fit` does: the next iteration goes on behind the last batch
    that was handed out. A subclass gives `__len__` and `_draw`.

    Args:
        seed: At least 0.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._epoch = self._done = 0

    @abstractmethod
    def __len__(self) -> int:
        """Give the number of batches in an epoch."""

    @abstractmethod
    def _draw(self, number: int) -> Batch:
        """Make a batch of the epoch ``self._epoch``, by its number from 0."""

    def __iter__(self) -> Iterator[Batch]:
        self._done %= len(self)
        for number in range(self._done, len(self)):
            self._done += 1
            yield self._draw(number)

    @property
    def sampler(self) -> Self:
        """This object, where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is of; Lightning calls it."""
        self._epoch = epoch

    def state_dict(self) -> dict[str, int]:
        """Say how far the epoch is; Lightning puts it into checkpoints."""
        return {"batches": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where the checkpoint was made; Lightning calls it."""
        self._done = state["batches"]

    def close(self) -> None:
        """Release nothing: there is no other process."""
