"""The shots of a clip as trajectories of the whole picture, for where nothing smaller is found."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from snapshelf.locating.even_steps import even_steps
from snapshelf.locating.followed_thing import Step
from snapshelf.locating.shot_cuts import CUT, ShotCuts
from snapshelf.locating.trajectory import Trajectory
from snapshelf.media.video_frame import VideoFrame

__all__ = ["WholeShots"]

_SHORTEST = 0.29
"""Seconds, a little less than three frames of ten a second. Shorter shots are flashes and what
remains of a fade, and a shorter last piece of a shot is no more than the end of the one before."""

_PIECE = 2.0


@dataclass(slots=True)
class _Piece:
    """A piece of a shot: some of its frames, evenly, and the last one.

    The last one is the first of the next piece of the shot, too: so one goes on where the other
    ends.
    """

    goes_on: bool
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

    Long shots come in pieces, since a camera goes from one thing to another without a cut. Memory
    grows with the number of shots and pieces alone.

    Args:
        cut: See `ShotCuts`.
        most: Steps of a trajectory at most, at least 2; they are taken evenly.
        piece: Seconds of a piece, above 0.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, cut: float = CUT, *, most: int = 8, piece: float = _PIECE) -> None:
        if most < 2:
            raise ValueError(f"most must be at least 2, got {most}")
        if not piece > 0:
            raise ValueError(f"piece must be above 0, got {piece}")
        self._cuts = ShotCuts(cut)
        self._most, self._piece = most, piece
        self._pieces: list[_Piece] = []

    def watch(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        """Give frames on as they are.

        Args:
            frames: Of one clip, in order.
        """
        for frame in frames:
            height, width = frame.picture.shape[:2]
            step = Step(frame.index, frame.time, (0.0, 0.0, float(width), float(height)))
            if self._cuts.begins(frame.picture):
                self._pieces.append(_Piece(goes_on=False))
            elif frame.time - self._pieces[-1].steps[0].time >= self._piece:
                self._pieces[-1].add(step, self._most)
                self._pieces.append(_Piece(goes_on=True))
            self._pieces[-1].add(step, self._most)
            yield frame

    def without(self, found: Sequence[Trajectory]) -> tuple[Trajectory, ...]:
        """Give those shots in which nothing was found, whole.

        Args:
            found: What a locator found in the clip's shots.

        Returns:
            A trajectory for each piece of each other shot, in order, numbered from above those
            found. Shots that are over in less than 0.29 s are left out, unless there is nothing
            else at all; a last piece as short as that is one with the piece before.
        """
        frames = np.array([trajectory.frames[0] for trajectory in found])
        shots = self._shots()
        starts = np.array([shot[0].steps[0].frame for shot in shots])
        taken = set((np.searchsorted(starts, frames, side="right") - 1).tolist())
        empty = [place for place in range(len(shots)) if place not in taken]
        lasting = [place for place in empty if self._lasts(shots, place)]
        if not lasting and not found:
            lasting = empty
        after = max((trajectory.number for trajectory in found), default=0)
        pieces = (piece for place in lasting for piece in shots[place])
        return tuple(
            _trajectory(number, piece, self._most)
            for number, piece in enumerate(pieces, start=after + 1)
        )

    def _shots(self) -> list[list[_Piece]]:
        shots: list[list[_Piece]] = []
        for piece in self._pieces:
            if piece.goes_on:
                shots[-1].append(piece)
            else:
                shots.append([piece])
        return [_without_short_end(shot) for shot in shots]

    @staticmethod
    def _lasts(shots: Sequence[Sequence[_Piece]], place: int) -> bool:
        """Whether a shot is shown long enough; its last frame is shown until the next shot."""
        first = shots[place][0].steps[0].time
        if place + 1 < len(shots):
            return shots[place + 1][0].steps[0].time - first >= _SHORTEST
        # Nobody knows how long a clip's last frame is shown: as long as others, say.
        last = shots[place][-1].last
        assert last is not None
        frames = sum(piece.count - (piece is not shot[-1]) for shot in shots for piece in shot)
        usual = (last.time - shots[0][0].steps[0].time) / max(1, frames - 1)
        return last.time + usual - first >= _SHORTEST or len(shots) == 1


def _without_short_end(shot: list[_Piece]) -> list[_Piece]:
    """Let the piece before the last one go on to the shot's end if that is near."""
    end = shot[-1]
    assert end.last is not None
    if len(shot) == 1 or end.last.time - end.steps[0].time >= _SHORTEST:
        return shot
    before = shot[-2]
    joined = replace(before, last=end.last, count=before.count + end.count - 1)
    return [*shot[:-2], joined]


def _trajectory(number: int, piece: _Piece, most: int) -> Trajectory:
    assert piece.last is not None
    steps = piece.steps if piece.steps[-1] == piece.last else [*piece.steps, piece.last]
    return even_steps(
        Trajectory(
            number,
            tuple(step.frame for step in steps),
            tuple(step.time for step in steps),
            tuple(step.box for step in steps),
        ),
        most,
    )
