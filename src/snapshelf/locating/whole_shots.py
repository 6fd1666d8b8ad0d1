"""The shots of a clip as trajectories of the whole picture, for where nothing smaller is found."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from snapshelf.locating.even_steps import even_steps
from snapshelf.locating.followed_thing import Step
from snapshelf.locating.shot_cuts import CUT, ShotCuts
from snapshelf.locating.trajectory import Trajectory
from snapshelf.media.video_frame import VideoFrame

__all__ = ["WholeShots"]

_SHORTEST = 0.3
"""Seconds. Shorter shots are flashes and what remains of a fade."""


@dataclass(slots=True)
class _Shot:
    """A shot: when its frames began and ended, and some of them, evenly."""

    steps: list[Step] = field(default_factory=list)
    last: Step | None = None
    every: int = 1
    count: int = 0

    def add(self, step: Step, most: int) -> None:
        if self.count % self.every == 0:
            self.steps.append(step)
        if len(self.steps) > 2 * most:
            del self.steps[1::2]
            self.every *= 2
        self.count += 1
        self.last = step


class WholeShots:
    """Notes the shots of a clip while its frames go by.

    Memory grows with the number of shots alone.

    Args:
        cut: See `ShotCuts`.
        most: Steps of a shot's trajectory at most, at least 2; they are taken evenly.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, cut: float = CUT, *, most: int = 32) -> None:
        if most < 2:
            raise ValueError(f"most must be at least 2, got {most}")
        self._cuts = ShotCuts(cut)
        self._most = most
        self._shots: list[_Shot] = []

    def watch(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        """Give frames on as they are.

        Args:
            frames: Of one clip, in order.
        """
        for frame in frames:
            if self._cuts.begins(frame.picture):
                self._shots.append(_Shot())
            height, width = frame.picture.shape[:2]
            whole = (0.0, 0.0, float(width), float(height))
            self._shots[-1].add(Step(frame.index, frame.time, whole), self._most)
            yield frame

    def without(self, found: Sequence[Trajectory]) -> tuple[Trajectory, ...]:
        """Give those shots in which nothing was found, whole.

        Args:
            found: What a locator found in the clip's shots.

        Returns:
            A trajectory for each other shot, in order, numbered from above those found. Shots
            that are over in less than 0.3 s are left out, unless there is nothing else at all.
        """
        taken = {self._shot_of(trajectory.frames[0]) for trajectory in found}
        empty = [shot for place, shot in enumerate(self._shots) if place not in taken]
        lasting = [shot for shot in empty if self._lasts(shot)]
        if not lasting and not found:
            lasting = empty
        after = max((trajectory.number for trajectory in found), default=0)
        return tuple(
            _trajectory(number, shot, self._most)
            for number, shot in enumerate(lasting, start=after + 1)
        )

    def _shot_of(self, frame: int) -> int:
        """Give the place of the shot that a frame is of."""
        low, high = 0, len(self._shots)
        while high - low > 1:
            middle = (low + high) // 2
            if self._shots[middle].steps[0].frame <= frame:
                low = middle
            else:
                high = middle
        return low

    def _lasts(self, shot: _Shot) -> bool:
        """Whether a shot is shown long enough; its last frame is shown until the next shot."""
        place = self._shot_of(shot.steps[0].frame)
        if place + 1 == len(self._shots):
            return shot.count > 1 or len(self._shots) == 1 or self._rare
        ends = self._shots[place + 1].steps[0].time
        return ends - shot.steps[0].time >= _SHORTEST

    @property
    def _rare(self) -> bool:
        """Whether frames are so rare that one alone may be a shot, as in a show of slides."""
        first, last = self._shots[0].steps[0].time, self._shots[-1].steps[0].time
        return last - first >= _SHORTEST * sum(shot.count for shot in self._shots[:-1])


def _trajectory(number: int, shot: _Shot, most: int) -> Trajectory:
    assert shot.last is not None
    steps = shot.steps if shot.steps[-1] == shot.last else [*shot.steps, shot.last]
    return even_steps(
        Trajectory(
            number,
            tuple(step.frame for step in steps),
            tuple(step.time for step in steps),
            tuple(step.box for step in steps),
        ),
        most,
    )
