"""A `Trajectory`: a region followed through a clip."""

from dataclasses import dataclass

from snapshelf.locating.region import Box

__all__ = ["Trajectory"]


@dataclass(frozen=True, slots=True)
class Trajectory:
    """Where one thing is in frames of one shot of a clip.

    Attributes:
        number: Of the thing in its clip, from 1. Trajectories of one number are pieces or windows
            of one long one.
        frames: (L,) `VideoFrame.index`, L >= 1, ascending; the same twice in a stretched window.
        times: (L,) seconds since the clip's beginning.
        boxes: (L,) in pixels of each frame's picture.
        label: What the locator takes it for most, "" where it does not say.
        confidence: In [0, 1]: that of its regions, averaged over the key frames in its course;
            key frames without one count as 0.
    """

    number: int
    frames: tuple[int, ...]
    times: tuple[float, ...]
    boxes: tuple[Box, ...]
    label: str = ""
    confidence: float = 1.0

    def __post_init__(self) -> None:
        """Refuse a course that is none.

        Raises:
            ValueError: If there is no step, or frames, times and boxes differ in number.
        """
        counts = len(self.frames), len(self.times), len(self.boxes)
        if len(set(counts)) > 1 or not self.frames:
            raise ValueError(
                "a trajectory must have at least one step, each with its frame, time and box, got "
                f"{counts[0]} frames, {counts[1]} times and {counts[2]} boxes"
            )

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def first(self) -> float:
        """When it begins, in seconds."""
        return self.times[0]

    @property
    def last(self) -> float:
        """When it ends, in seconds."""
        return self.times[-1]
