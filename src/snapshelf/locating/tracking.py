"""From a clip's frames to trajectories.

frames ──► shots, cut where the colours change ──► regions of key frames
       ──► followed to the next key frame, and back from it ──► paired by overlap and looks
       ──► trajectories, without duplicates

Cheng, Wu, Liu, Hua: Video2Shop, Section 1 and 6.1: Faster R-CNN finds clothes, KCF follows them,
duplicates are removed. How regions and courses are brought together is not told there; it is ours.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.appearance import Appearance, ColourAppearance
from snapshelf.locating.association import Courses, associate, course_overlaps, joined_course
from snapshelf.locating.box_tracker import BoxTracker
from snapshelf.locating.duplicate_trajectories import without_duplicates
from snapshelf.locating.followed_thing import FollowedThing, Step
from snapshelf.locating.kcf_tracker import KcfTracker
from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Box, Region
from snapshelf.locating.shot_cuts import ShotCuts
from snapshelf.locating.stretches import Stretch, stretches
from snapshelf.locating.tracking_settings import TrackingSettings
from snapshelf.locating.trajectory import Trajectory
from snapshelf.media.picture import RGB
from snapshelf.media.video_frame import VideoFrame

__all__ = ["track"]


def track(
    frames: Iterable[VideoFrame],
    locator: Locator,
    settings: TrackingSettings = TrackingSettings(),  # noqa: B008
    *,
    tracker: BoxTracker | None = None,
    appearance: Appearance | None = None,
) -> Iterator[Trajectory]:
    """Follow what a locator finds through a clip.

    Args:
        frames: Of one clip, in order, about ten a second; read as they are needed, and no more than
            1 + `settings.every` are held.
        locator: Looks at the key frames.
        settings: How to follow.
        tracker: Follows between them; by default `KcfTracker`.
        appearance: Tells things apart; by default `ColourAppearance`.

    Yields:
        Trajectories, shot by shot, and within one as they begin. None reaches over a cut. A thing
        has one number; that of a long shot comes in several pieces.
    """
    tracker = KcfTracker() if tracker is None else tracker
    appearance = ColourAppearance() if appearance is None else appearance
    shot = _Shot(locator, settings, tracker, appearance)
    for stretch in stretches(frames, ShotCuts(settings.cut), every=settings.every):
        shot.go_on(stretch)
        if stretch.ends or shot.frames >= settings.longest:
            yield from shot.give(ended=stretch.ends)


class _Shot:
    """The things of a shot."""

    def __init__(
        self,
        locator: Locator,
        settings: TrackingSettings,
        tracker: BoxTracker,
        appearance: Appearance,
    ) -> None:
        self._locator, self._settings = locator, settings
        self._tracker, self._appearance = tracker, appearance
        self._colours = ColourAppearance()
        self._open: list[FollowedThing] = []
        self._ended: list[FollowedThing] = []
        self._key_frames = 0
        self._numbers = 0
        self.frames = 0

    def go_on(self, stretch: Stretch) -> None:
        """Follow the things through the next frames."""
        frames = stretch.frames
        if stretch.begins:
            self._key_frames = 0
            for region, looks in self._located(frames[0].picture):
                self._begin([_step(frames[0], region.box)], region, looks)
        if len(frames) > 1:
            self._follow(frames)
        self.frames += len(frames) - (not stretch.begins)

    def give(self, *, ended: bool) -> Iterator[Trajectory]:
        """Give the trajectories so far.

        Args:
            ended: Whether the shot ends here; else the things go on.
        """
        self.frames = 0
        things = [*self._ended, *self._open]
        least = min(self._settings.least_regions, self._key_frames)
        seen = [thing for thing in things if thing.regions >= least and len(thing.steps) > 1]
        if self._key_frames == 1:
            seen = things
        # Until duplicates are gone, a thing goes by its place.
        still_open = set() if ended else {id(thing) for thing in self._open}
        courses = [
            thing.trajectory(place, ended=id(thing) not in still_open)
            for place, thing in enumerate(seen)
        ]
        kept = without_duplicates(courses, overlap=self._settings.duplicate_overlap)
        for course in sorted(kept, key=lambda course: (course.frames[0], -course.confidence)):
            thing = seen[course.number]
            if thing.number is None:
                self._numbers += 1
                thing.number = self._numbers
            yield thing.trajectory(thing.number, ended=id(thing) not in still_open)
        self._ended = []
        self._open = [] if ended else self._open
        for thing in self._open:
            thing.begin_piece()

    def _located(self, picture: RGB) -> list[tuple[Region, NDArray[np.float32]]]:
        """Locate what is to be followed in a key frame, and describe it."""
        self._key_frames += 1
        height, width = picture.shape[:2]
        most = self._settings.largest * height * width
        regions = [
            region
            for region in self._locator.locate(picture)
            if region.confidence >= self._settings.least_confidence
            and (self._settings.largest == 1 or _area(region.box) <= most)
        ][: self._settings.most]
        looks = self._appearance.describe(picture, [region.box for region in regions])
        return list(zip(regions, looks, strict=True))

    def _begin(self, steps: list[Step], region: Region, looks: NDArray[np.float32]) -> None:
        thing = FollowedThing(looks, [])
        thing.confirm(steps, region, looks)
        self._open.append(thing)

    def _follow(self, frames: Sequence[VideoFrame]) -> None:
        pictures = [frame.picture for frame in frames]
        found = self._located(pictures[-1])
        forward = self._forward(frames)
        backward = _as_courses(
            self._tracker.follow(pictures[::-1], [region.box for region, _ in found]), len(frames)
        )[:, ::-1]
        pairs = associate(
            course_overlaps(forward, backward),
            _inner(self._open, found),
            least_overlap=self._settings.least_overlap,
            least_likeness=self._settings.least_likeness,
            weight=self._settings.likeness_weight,
        )
        region_of = dict(pairs)
        for index, thing in enumerate(self._open):
            if index in region_of:
                there = region_of[index]
                course = (
                    backward[there]
                    if thing.lost
                    else joined_course(forward[index], backward[there])
                )
                thing.confirm(_steps(frames[1:], course[1:]), *found[there])
            else:
                self._miss(thing, frames, forward[index])
        for index in sorted(set(range(len(found))) - set(region_of.values())):
            self._begin_earlier(frames, backward[index], *found[index])
        self._ended += [thing for thing in self._open if thing.missed > self._settings.patience]
        self._open = [thing for thing in self._open if thing.missed <= self._settings.patience]

    def _forward(self, frames: Sequence[VideoFrame]) -> Courses:
        """Follow the open things; a lost one is taken to go on as it did."""
        courses = np.empty((len(self._open), len(frames), 4))
        here = [index for index, thing in enumerate(self._open) if not thing.lost]
        for index in set(range(len(self._open))) - set(here):
            courses[index] = [self._open[index].expected(frame.time) for frame in frames]
        followed = self._tracker.follow(
            [frame.picture for frame in frames], [self._open[index].box for index in here]
        )
        courses[here] = _as_courses(followed, len(frames))
        return courses

    def _miss(
        self, thing: FollowedThing, frames: Sequence[VideoFrame], course: NDArray[np.float64]
    ) -> None:
        if thing.lost:
            thing.miss([], lost=True)
            return
        last = self._alike_until(frames, course)
        thing.miss(_steps(frames[1:last], course[1:last]), lost=last < len(frames))

    def _begin_earlier(
        self,
        frames: Sequence[VideoFrame],
        course: NDArray[np.float64],
        region: Region,
        looks: NDArray[np.float32],
    ) -> None:
        """Begin a thing that was not there in the last key frame, where it came in since."""
        back = self._alike_until(frames[::-1], course[::-1])
        first = len(frames) - back
        self._begin(_steps(frames[first:], course[first:]), region, looks)

    def _alike_until(self, frames: Sequence[VideoFrame], course: NDArray[np.float64]) -> int:
        """Give how many frames of a course hold what the first does, by its colours.

        A tracker may stay on the background that a thing has left.
        """
        known = len(course) if np.isfinite(course).all() else int(np.isnan(course[:, 0]).argmax())
        first = self._colours.describe(frames[0].picture, [_box(course[0])])[0]
        for step in range(1, known):
            looks = self._colours.describe(frames[step].picture, [_box(course[step])])[0]
            if float(first @ looks) < self._settings.least_likeness:
                return step
        return known


def _inner(
    things: Sequence[FollowedThing], found: Sequence[tuple[Region, NDArray[np.float32]]]
) -> NDArray[np.float64]:
    """(N, M): how alike things and regions look."""
    if not things or not found:
        return np.zeros((len(things), len(found)))
    ours = np.stack([thing.looks for thing in things]).astype(np.float64)
    return ours @ np.stack([looks for _, looks in found]).T


def _as_courses(followed: Sequence[Sequence[Box]], count: int) -> Courses:
    courses = np.full((len(followed), count, 4), np.nan)
    for course, boxes in zip(courses, followed, strict=True):
        course[: len(boxes)] = boxes
    return courses


def _steps(frames: Sequence[VideoFrame], course: NDArray[np.float64]) -> list[Step]:
    """Give the known steps of a course."""
    return [
        _step(frame, _box(box))
        for frame, box in zip(frames, course, strict=True)
        if np.isfinite(box).all()
    ]


def _step(frame: VideoFrame, box: Box) -> Step:
    """Give a step, its box within the picture."""
    height, width = frame.picture.shape[:2]
    x0, y0 = min(max(box[0], 0.0), width - 1.0), min(max(box[1], 0.0), height - 1.0)
    x1, y1 = min(max(box[2], x0 + 1), float(width)), min(max(box[3], y0 + 1), float(height))
    return Step(frame.index, frame.time, (x0, y0, x1, y1))


def _box(values: NDArray[np.float64]) -> Box:
    x0, y0, x1, y1 = values.tolist()
    return x0, y0, x1, y1


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
