"""A thing that is being followed: its course so far, and what it looks like."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.region import Box, Region
from snapshelf.locating.trajectory import Trajectory

__all__ = ["FollowedThing", "Step"]

_LATEST = 6
"""Steps that tell how a thing moves."""
_RENEWED = 0.3
"""How much of what a thing looks like is taken over from its newest region."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a thing is in a frame: the frame's index, its time in seconds, and the box."""

    frame: int
    time: float
    box: Box


@dataclass(slots=True, eq=False)
class FollowedThing:
    """What is known of a thing while its shot goes on.

    Attributes:
        looks: (D,) float32, L2-normalised, as `Appearance` describes it.
        steps: Those that a region has confirmed.
        guesses: Later ones that none has confirmed yet, with the number of missed key frames at
            each.
        missed: Key frames since its last region.
        lost: Whether the tracker has lost it too.
        number: None before its first piece is given.
    """

    looks: NDArray[np.float32]
    steps: list[Step]
    key_frames: int = 0
    guesses: list[tuple[int, Step]] = field(default_factory=list)
    missed: int = 0
    lost: bool = False
    number: int | None = None
    regions: int = 0
    _confidence: float = 0.0
    _labels: Counter[str] = field(default_factory=Counter)

    @property
    def box(self) -> Box:
        """Where it was seen last."""
        return self._latest()[-1].box

    def expected(self, time: float) -> Box:
        """Give where it is if it goes on as it did last.

        Args:
            time: In seconds, not before it was seen last.
        """
        latest = self._latest()
        before, last = latest[0], latest[-1]
        ratio = (time - last.time) / (last.time - before.time) if last.time > before.time else 0.0
        # The middle of the box moves; that its size changed says little about the next one.
        across = ratio * (last.box[0] + last.box[2] - before.box[0] - before.box[2]) / 2
        down = ratio * (last.box[1] + last.box[3] - before.box[1] - before.box[3]) / 2
        x0, y0, x1, y1 = last.box
        return x0 + across, y0 + down, x1 + across, y1 + down

    def _latest(self) -> list[Step]:
        guesses = [step for _, step in self.guesses[-_LATEST:]]
        return [*self.steps[-_LATEST:], *guesses][-_LATEST:]

    def confirm(self, steps: Iterable[Step], region: Region, looks: NDArray[np.float32]) -> None:
        """Take a region of a key frame as this thing.

        Args:
            steps: Those since its last key frame; the last one is the region.
            region: Of the key frame.
            looks: (D,) float32, L2-normalised: of the region.
        """
        self.steps += [step for _, step in self.guesses]
        self.steps += steps
        self.guesses.clear()
        self.key_frames += 1 + self.missed
        self.missed, self.lost = 0, False
        self.regions += 1
        self._confidence += region.confidence
        self._labels[region.label] += region.confidence  # type: ignore[assignment]
        mixed = (1 - _RENEWED) * self.looks + _RENEWED * looks
        self.looks = (mixed / max(float(np.linalg.norm(mixed)), 1e-12)).astype(np.float32)

    def miss(self, steps: Iterable[Step], *, lost: bool) -> None:
        """Note that no region of a key frame is this thing.

        Args:
            steps: Where the tracker has it until then.
            lost: Whether it has lost it.
        """
        self.missed += 1
        self.guesses += [(self.missed, step) for step in steps]
        self.lost = self.lost or lost

    def trajectory(self, number: int, *, ended: bool) -> Trajectory:
        """Give its course so far.

        Args:
            number: Of the thing.
            ended: Whether it is given up; then it left at some time after its last key frame, and
                what the tracker saw of it until the next one counts too.
        """
        late = [step for missed, step in self.guesses if missed == 1] if ended else []
        course = [*self.steps, *late]
        label, _ = max(self._labels.items(), key=lambda item: item[1])
        return Trajectory(
            number=number,
            frames=tuple(step.frame for step in course),
            times=tuple(step.time for step in course),
            boxes=tuple(step.box for step in course),
            label=label,
            confidence=min(1.0, self._confidence / self.key_frames),
        )

    def begin_piece(self) -> None:
        """Forget the course so far but for its last step, once it has been given."""
        del self.steps[:-1]
