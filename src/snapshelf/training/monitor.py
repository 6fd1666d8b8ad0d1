"""`Monitor`: what a training tells while it runs, and how it is asked to stop."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snapshelf.training.callbacks import EpochFigures

__all__ = ["Monitor", "TrainingStopped"]


class TrainingStopped(Exception):  # noqa: N818 - nothing went wrong
    """The monitor asked to stop. What was done can be gone on with."""


class Monitor:
    """Hears nothing and never stops; a command line overrides what it wants to show."""

    def note(self, text: str) -> None:
        """Hear something about the data or the settings.

        Args:
            text: One line.
        """

    def step(self, name: str, done: int, total: int) -> None:
        """Hear how far a step is.

        Args:
            name: Of the step.
            done: How many of `total` are done.
            total: How many there are.
        """

    def epoch(self, figures: "EpochFigures") -> None:
        """Hear of an epoch that is done.

        Args:
            figures: Of the epoch.
        """

    def should_stop(self) -> bool:
        """Say whether training is to stop at the next picture or batch."""
        return False
