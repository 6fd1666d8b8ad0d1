"""What trajectories show: embedded, and the best view of each, in a second reading of the clip."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain, Encoder
from snapshelf.locating.trajectory import Trajectory
from snapshelf.locating.trajectory_pictures import trajectory_pictures
from snapshelf.media.picture import RGB
from snapshelf.media.video_frame import VideoFrame
from snapshelf.shelf.best_view import BestViews, View

__all__ = ["SeenTrajectory", "seen_trajectories"]

BATCH = 32
"""Steps embedded at once, of whichever trajectories."""

SMALL = 320
"""Pixels of the longer side of the pictures that are kept for a trajectory."""


@dataclass(frozen=True, slots=True, eq=False)
class SeenTrajectory:
    """A trajectory and what it shows.

    Attributes:
        trajectory: The steps looked at, L of them.
        total: (D,) float32, the sum of their embeddings.
        view: The step that shows the item best.
        pictures: One for each step in the order of time, scaled down to 320 pixels on the longer
            side, where they were asked for; else empty.
    """

    trajectory: Trajectory
    total: NDArray[np.float32]
    view: View
    pictures: tuple[RGB, ...] = ()


@dataclass(slots=True, eq=False)
class _Live:
    """A trajectory some of whose steps have been read."""

    trajectory: Trajectory
    embeddings: NDArray[np.float32]
    views: BestViews = field(default_factory=BestViews)
    pictures: list[RGB] = field(default_factory=list)
    done: int = 0


def seen_trajectories(
    frames: Iterable[VideoFrame],
    trajectories: Sequence[Trajectory],
    encoder: Encoder,
    *,
    keep_pictures: bool = False,
) -> Iterator[SeenTrajectory]:
    """Embed the steps of trajectories, and find the best view of each.

    No more is held than the encoder's inputs for a batch, three views and, where they are asked
    for, the pictures of each trajectory that goes through the frame at hand.

    Args:
        frames: Of the clip, read again as it was read for the trajectories.
        trajectories: With no more steps than are to be looked at.
        encoder: Embeds; its street side.
        keep_pictures: Give the pictures of all steps too.

    Yields:
        Each trajectory, as they end; one whose frames do not come is left out.
    """
    waiting: list[tuple[_Live, int, NDArray[np.uint8]]] = []
    live: dict[int, _Live] = {}

    def embedded() -> Iterator[SeenTrajectory]:
        if not waiting:
            return
        inputs = np.stack([pixels for _, _, pixels in waiting])
        rows = encoder.encode(inputs, Domain.STREET)
        for (one, step, _), row in zip(waiting, rows, strict=True):
            one.embeddings[step] = row
            one.done += 1
        finished = dict.fromkeys(one for one, _, _ in waiting if one.done == len(one.trajectory))
        waiting.clear()
        for one in finished:
            yield SeenTrajectory(
                one.trajectory,
                one.embeddings.sum(axis=0),
                one.views.most_typical(one.embeddings),
                tuple(one.pictures),
            )

    for place, step, picture in trajectory_pictures(frames, trajectories):
        if place not in live:
            trajectory = trajectories[place]
            empty = np.zeros((len(trajectory), encoder.dimension), np.float32)
            live[place] = _Live(trajectory, empty)
        one = live[place]
        if step + 1 == len(one.trajectory):
            del live[place]
        one.views.add(step, picture)
        if keep_pictures:
            one.pictures.append(_small(picture))
        waiting.append((one, step, encoder.prepare(picture, Domain.STREET)))
        if len(waiting) >= BATCH:
            yield from embedded()
    yield from embedded()


def _small(picture: RGB) -> RGB:
    height, width = picture.shape[:2]
    ratio = SMALL / max(height, width)
    if ratio >= 1:
        return picture
    size = max(1, round(width * ratio)), max(1, round(height * ratio))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
