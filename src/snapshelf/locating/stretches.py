"""A clip in stretches from one key frame to the next, none over a cut."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from snapshelf.locating.shot_cuts import ShotCuts
from snapshelf.media.video_frame import VideoFrame

__all__ = ["Stretch", "stretches"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Frames between two key frames of one shot.

    Attributes:
        frames: At least one. The first and the last are key frames; the first is the last one of
            the stretch before, unless a shot begins.
        begins: Whether a shot begins with the first frame.
        ends: Whether the shot ends with the last one.
    """

    frames: tuple[VideoFrame, ...]
    begins: bool
    ends: bool


def stretches(frames: Iterable[VideoFrame], cuts: ShotCuts, *, every: int) -> Iterator[Stretch]:
    """Divide a clip.

    Args:
        frames: Of one clip, in order; read as they are needed.
        cuts: Tells where shots begin; not used before.
        every: Frames from one key frame to the next, at least 1. A shot's first and last frames
            are key frames too.

    Yields:
        Stretches of 1 + `every` frames at most; no more are ever held.

    Raises:
        ValueError: If `every` is below 1.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every}")
    held: list[VideoFrame] = []
    begins = True
    for frame in frames:
        if cuts.begins(frame.picture) and held:
            yield Stretch(tuple(held), begins, ends=True)
            held, begins = [], True
        held.append(frame)
        if len(held) > every:
            yield Stretch(tuple(held), begins, ends=False)
            held, begins = held[-1:], False
    if held:
        yield Stretch(tuple(held), begins, ends=True)
