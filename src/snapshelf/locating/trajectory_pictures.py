"""What trajectories show, in a second reading of their clip."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from snapshelf.locating.region import whole_pixels
from snapshelf.locating.trajectory import Trajectory
from snapshelf.media.picture import RGB
from snapshelf.media.video_frame import VideoFrame

__all__ = ["trajectory_pictures"]


def trajectory_pictures(
    frames: Iterable[VideoFrame], trajectories: Sequence[Trajectory]
) -> Iterator[tuple[int, int, RGB]]:
    """Cut out what trajectories go along with.

    Which trajectories stay is known only when their shot has ended, and then its frames are gone:
    to decode a clip twice costs little, to keep its pictures a lot.

    Args:
        frames: Of the clip, read again as it was read for the trajectories.
        trajectories: T, as `track` or `trajectory_windows` gives them.

    Yields:
        Which trajectory, which of its steps, and the picture of the box, (h, w, 3) uint8, RGB, a
        copy; in the frames' order.
    """
    wanted: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for place, trajectory in enumerate(trajectories):
        for step, index in enumerate(trajectory.frames):
            wanted[index].append((place, step))
    for frame in frames:
        height, width = frame.picture.shape[:2]
        for place, step in wanted.pop(frame.index, ()):
            box = whole_pixels(trajectories[place].boxes[step], (width, height))
            left, top, right, bottom = box
            yield place, step, np.ascontiguousarray(frame.picture[top:bottom, left:right])
        if not wanted:
            return
