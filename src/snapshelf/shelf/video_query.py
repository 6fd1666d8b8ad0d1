"""A search with a clip.

frames ──► regions ──► trajectories, and pieces of shots where nothing is located
       ──► read again: embeddings of their steps, the best view of each
       ──► items: trajectories that look the same ──► mean embedding ──► shortlist
       ──► items that look much the same and have the same nearest product are one ──► re-ranking

The clip is read twice and never held: what trajectories show is known once their shot has ended,
and then its frames are gone. A `ClipLocator` has it read once more, before.
"""

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from snapshelf.features.encoder import Domain
from snapshelf.locating.clip_locator import ClipLocator
from snapshelf.locating.even_steps import even_steps
from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Region
from snapshelf.locating.tracking import track
from snapshelf.locating.trajectory import Trajectory
from snapshelf.locating.whole_shots import WholeShots
from snapshelf.matching.trajectory_reranker import TrajectoryReranker
from snapshelf.media.encode import encode_jpeg
from snapshelf.media.video import Video
from snapshelf.media.video_frame import VideoFrame
from snapshelf.shelf.clip_items import THUMBNAIL, ClipItem, ClipItems, join_found
from snapshelf.shelf.clip_settings import ClipSettings
from snapshelf.shelf.finding import find_items, find_shortlists
from snapshelf.shelf.result import ClipFacts, FoundItem, SearchResult
from snapshelf.shelf.seen_trajectory import SeenTrajectory, seen_trajectories
from snapshelf.shelf.shortlists import Shortlists
from snapshelf.store.filters import Filter
from snapshelf.store.vector_store import VectorStore
from snapshelf.systems.system import System

__all__ = ["Progress", "search_video"]

Progress = Callable[[float, float | None], None]
"""Called with the seconds of the clip that are done and those in all, None where the clip does not
say how long it is."""

_SECOND_READING = 0.25
"""Share of the work that the second reading counts for in what is told of progress."""
_LOOKING_AHEAD = 0.05
"""The same of a reading before the first one, which decodes and little else."""


def search_video(
    store: VectorStore,
    system: System,
    video: Video,
    settings: ClipSettings = ClipSettings(),  # noqa: B008
    *,
    top: int,
    by_category: int | None = None,
    where: Filter | None = None,
    name: str = "",
    on_progress: Progress | None = None,
) -> SearchResult:
    """Find the products in a clip.

    What the locator finds is followed through each shot. Of a shot in which it finds nothing
    smaller than the picture, pieces of 2 s count whole, as a photo would; what looks the same is
    one item again.

    Args:
        store: Made with the system.
        system: Locates, embeds, re-ranks, and tells confidences.
        video: The clip.
        settings: How to search it.
        top: Largest number of matches for each item, at least 1.
        by_category: How many of each category are given as well; None for none.
        where: Only products that pass this filter.
        name: Of the clip, for the result.
        on_progress: See `Progress`. What it raises ends the search and comes out.

    Returns:
        The items in the order in which they first appear, each with its matches.

    Raises:
        VideoError: If nothing of the clip can be read.
        FilterError: If the filter names an attribute that no product has.
    """
    start = time.perf_counter()
    seen = _Seen(video.header.seconds, on_progress)
    trajectories = _trajectories(video, system, settings, seen)
    tracked = time.perf_counter()
    warnings = list(video.warnings)
    items, dropped = _items(video, system, settings, trajectories, seen)
    embedded = time.perf_counter()
    if dropped:
        warnings.append(
            f"only the {settings.most:,} items that are seen longest are given, {dropped:,} more "
            "were left out"
        )
    found, seconds = _found(
        store,
        system,
        items,
        alike=settings.alike_found,
        top=top,
        by_category=by_category,
        where=where,
    )
    return SearchResult(
        query=name,
        size=seen.size,
        items=found,
        seconds={"track": tracked - start, "encode": embedded - tracked, **seconds},
        clip=ClipFacts(seen.time, seen.frames, tuple(warnings), seen.poster),
    )


@dataclass(slots=True)
class _Seen:
    """What has gone by of a clip, and telling of it."""

    total: float | None
    on_progress: Progress | None
    time: float = 0.0
    frames: int = 0
    size: tuple[int, int] = (0, 0)
    poster: bytes = b""
    _poster_at: float = 0.0
    _ahead: float = 0.0

    def looking_ahead(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        self._ahead = _LOOKING_AHEAD
        last = 0.0
        for frame in frames:
            last = frame.time
            yield frame
            self._tell(_LOOKING_AHEAD * last)
        self.total = last

    def first_reading(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            if not self.frames:
                self.size = frame.picture.shape[1], frame.picture.shape[0]
                self._take_poster(frame)
            self.frames, self.time = self.frames + 1, frame.time
            yield frame
            before = self._ahead * (self.total or 0.0)
            self._tell(before + (1 - _SECOND_READING - self._ahead) * frame.time)

    def second_reading(self, frames: Iterable[VideoFrame]) -> Iterator[VideoFrame]:
        # By now it is known how long the clip is, whatever its header says.
        self.total = self.time
        self._poster_at = self.time / 2
        for frame in frames:
            if frame.time >= self._poster_at:
                self._take_poster(frame)
            yield frame
            self._tell((1 - _SECOND_READING) * self.time + _SECOND_READING * frame.time)

    def finish(self) -> None:
        self._tell(self.time)

    def _take_poster(self, frame: VideoFrame) -> None:
        """Take a frame for the clip's picture: the first one, then the one in the middle."""
        self.poster = encode_jpeg(frame.picture, longest_side=THUMBNAIL)
        self._poster_at = math.inf

    def _tell(self, done: float) -> None:
        if self.on_progress is not None:
            self.on_progress(done if self.total is None else min(done, self.total), self.total)


def _trajectories(
    video: Video, system: System, settings: ClipSettings, seen: _Seen
) -> tuple[Trajectory, ...]:
    """Follow what is located; of each trajectory no more steps stay than are looked at."""
    shots = WholeShots(settings.tracking.cut, most=settings.whole_steps)
    locator = _locator(video, settings.locator or system.locator, seen)
    with closing(video.frames(settings.rate)) as frames:
        watched = shots.watch(seen.first_reading(frames))
        found = [
            even_steps(trajectory, settings.steps)
            for trajectory in track(watched, locator, settings.tracking)
        ]
    return (*found, *shots.without(found))


def _locator(video: Video, chosen: Locator | ClipLocator, seen: _Seen) -> Locator:
    if not isinstance(chosen, ClipLocator):
        return chosen
    with closing(video.frames(chosen.rate)) as frames:
        return chosen.of_clip(seen.looking_ahead(frames))


def _items(
    video: Video,
    system: System,
    settings: ClipSettings,
    trajectories: tuple[Trajectory, ...],
    seen: _Seen,
) -> tuple[tuple[ClipItem, ...], int]:
    """Embed trajectories, and put those together that look the same."""
    reranker = system.reranker

    def describe(one: SeenTrajectory) -> bytes:
        if reranker is None:
            return b""
        if isinstance(reranker, TrajectoryReranker):
            return reranker.describe_trajectory(one.pictures)
        return reranker.describe(one.view.picture, Domain.STREET)

    items = ClipItems(alike=settings.alike, most=settings.most, describe=describe)
    with closing(video.frames(settings.rate)) as frames:
        for one in seen_trajectories(
            seen.second_reading(frames),
            trajectories,
            system.encoder,
            keep_pictures=isinstance(reranker, TrajectoryReranker),
        ):
            items.add(one)
    seen.finish()
    return items.given(), items.dropped


def _found(
    store: VectorStore,
    system: System,
    items: tuple[ClipItem, ...],
    *,
    alike: float,
    top: int,
    by_category: int | None,
    where: Filter | None,
) -> tuple[tuple[FoundItem, ...], dict[str, float]]:
    """Search for items, as for those of a photo."""
    if not items:
        return (), {"search": 0.0}
    start = time.perf_counter()

    def shortlisted(items: tuple[ClipItem, ...]) -> Shortlists:
        embeddings = np.stack([item.embedding for item in items])
        return find_shortlists(
            store, system, embeddings, top=top, by_category=by_category, where=where
        )

    shortlists = shortlisted(items)
    nearest = [hits[0].product_id if hits else None for hits in shortlists.hits]
    joined = join_found(items, nearest, alike=alike)
    if len(joined) < len(items):
        items, shortlists = joined, shortlisted(joined)
    searched = time.perf_counter()
    found = find_items(
        store,
        system,
        [Region(item.best.box, item.label, item.confidence) for item in items],
        shortlists,
        None if system.reranker is None else [item.description for item in items],
        top=top,
        by_category=by_category,
    )
    seconds = {"search": searched - start}
    if system.reranker is not None:
        seconds["rerank"] = time.perf_counter() - searched
    return tuple(_timed(one, item) for one, item in zip(found, items, strict=True)), seconds


def _timed(found: FoundItem, item: ClipItem) -> FoundItem:
    """Add when an item of a clip is seen."""
    return replace(
        found,
        item=replace(found.item, frames=item.frames, spans=item.spans, best=item.best),
    )
