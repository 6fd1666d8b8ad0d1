"""Tracking: moving squares with known courses, in clips that are written and read again."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest

from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.region import Box, Region
from snapshelf.locating.tracking import track
from snapshelf.locating.tracking_settings import TrackingSettings
from snapshelf.locating.trajectory import Trajectory
from snapshelf.locating.trajectory_pictures import trajectory_pictures
from snapshelf.locating.trajectory_windows import trajectory_windows
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.media.picture import RGB
from snapshelf.media.video import Video
from snapshelf.media.video_frame import VideoFrame
from written_clip import written_clip

HEIGHT, WIDTH = 120, 200
COLOURS = {"red": (220, 30, 30), "green": (30, 180, 30), "blue": (40, 40, 220)}
Course = Callable[[int], tuple[float, float] | None]


class Square:
    """A square of one colour with dark stripes, and where its middle is in each frame."""

    def __init__(self, colour: str, course: Course, side: int = 32) -> None:
        self.colour, self.course, self.side = colour, course, side

    def box(self, step: int) -> Box | None:
        middle = self.course(step)
        if middle is None:
            return None
        x, y = round(middle[0]) - self.side // 2, round(middle[1]) - self.side // 2
        return float(x), float(y), float(x + self.side), float(y + self.side)

    def draw(self, picture: RGB, step: int) -> None:
        box = self.box(step)
        if box is None:
            return
        stamp = np.full((self.side, self.side, 3), COLOURS[self.colour], np.uint8)
        stamp[::8], stamp[:, ::10] = (90, 90, 90), (120, 120, 60)
        x0, y0, x1, y1 = (int(value) for value in box)
        left, top = max(0, x0), max(0, y0)
        right, bottom = min(WIDTH, x1), min(HEIGHT, y1)
        if right > left and bottom > top:
            picture[top:bottom, left:right] = stamp[top - y0 : bottom - y0, left - x0 : right - x0]


def background(shade: int = 200) -> RGB:
    picture = np.full((HEIGHT, WIDTH, 3), shade, np.uint8)
    picture[:, ::20] = shade - 25
    return picture


def scene(squares: Sequence[Square], count: int, shade: int = 200) -> Iterator[RGB]:
    for step in range(count):
        picture = background(shade)
        for square in squares:
            square.draw(picture, step)
        yield picture


class Colours:
    """Locates what has one of the colours; `misses` are the calls in which it sees nothing."""

    fingerprint = "colours"

    def __init__(self, *, misses: Sequence[int] = (), jitter: float = 0.0, most: int = 9) -> None:
        self.calls = 0
        self._misses, self._jitter, self._most = set(misses), jitter, most
        self._rng = np.random.default_rng(0)

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        self.calls += 1
        height, width = picture.shape[:2]
        nothing = (Region((0.0, 0.0, float(width), float(height)), confidence=0.2),)
        if self.calls in self._misses:
            return nothing
        found = []
        for label, colour in COLOURS.items():
            near = np.abs(picture.astype(int) - colour).max(axis=2) < 60
            rows, columns = np.nonzero(near)
            if len(rows) > 60:
                box = np.array(
                    [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float
                )
                box += self._rng.normal(0, self._jitter, 4)
                found.append(Region((box[0], box[1], box[2], box[3]), label, 0.9))
        return tuple(found[: self._most]) or nothing

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        return self.locate(picture)


def frames_of(pictures: Iterable[RGB]) -> list[VideoFrame]:
    """The pictures as a clip would show them, after H.264."""
    return list(Video(written_clip(pictures)).frames())


def bare(pictures: Iterable[RGB]) -> list[VideoFrame]:
    return [VideoFrame(index, index / 10, picture) for index, picture in enumerate(pictures)]


def overlaps(found: Trajectory, square: Square, first: int = 0) -> list[float]:
    """IoU with the truth at each step."""
    values = []
    for frame, box in zip(found.frames, found.boxes, strict=True):
        truth = square.box(frame - first)
        assert truth is not None
        inside = np.clip(truth, 0, [WIDTH, HEIGHT, WIDTH, HEIGHT])
        values.append(float(iou(as_boxes([box]), as_boxes([inside]))[0, 0]))
    return values


def right(step: int) -> tuple[float, float]:
    return 30 + 3 * step, 40 + 0.5 * step


def test_a_square_is_followed() -> None:
    square = Square("red", right)
    (found,) = track(frames_of(scene([square], 41)), Colours(jitter=0.7))
    assert found.frames == tuple(range(41))
    assert found.times == pytest.approx([frame / 10 for frame in range(41)])
    assert (found.label, found.number) == ("red", 1)
    assert found.confidence == pytest.approx(0.9)
    assert (found.first, found.last) == pytest.approx((0.0, 4.0))
    values = overlaps(found, square)
    assert np.mean(values) > 0.85
    assert min(values) > 0.65


def test_key_frames_alone_are_located_in() -> None:
    locator = Colours()
    list(track(bare(scene([Square("red", right)], 22)), locator, TrackingSettings(every=7)))
    assert locator.calls == 4  # frames 0, 7, 14 and 21


def test_boxes_grow_from_one_key_frame_to_the_next() -> None:
    pictures = []
    for step in range(16):
        picture = background()
        Square("blue", lambda _: (100, 60), side=24 + 2 * step).draw(picture, step)
        pictures.append(picture)
    (found,) = track(bare(pictures), Colours())
    widths = [box[2] - box[0] for box in found.boxes]
    assert all(after > before - 1e-6 for before, after in pairwise(widths))
    assert widths[0] == pytest.approx(24, abs=4)
    assert widths[-1] == pytest.approx(54, abs=4)


def test_two_that_cross_keep_their_numbers() -> None:
    one = Square("red", lambda step: (30 + 3.5 * step, 55))
    other = Square("blue", lambda step: (170 - 3.5 * step, 62))
    found = list(track(frames_of(scene([one, other], 41)), Colours()))
    by_label = {course.label: course for course in found}
    assert len(found) == 2
    for label, square in (("red", one), ("blue", other)):
        course = by_label[label]
        assert (course.frames[0], course.frames[-1]) == (0, 40)
        away = [
            value
            for value, frame in zip(overlaps(course, square), course.frames, strict=True)
            if not 13 <= frame <= 27  # where one hides the other
        ]
        assert min(away) > 0.6


def test_nothing_is_followed_over_a_cut() -> None:
    one = Square("red", lambda step: (60 + step, 60))
    pictures = [*scene([one], 17), *scene([one], 18, shade=90)]
    found = list(track(frames_of(pictures), Colours()))
    assert [(course.frames[0], course.frames[-1]) for course in found] == [(0, 16), (17, 34)]
    assert [course.number for course in found] == [1, 2]
    assert np.mean(overlaps(found[1], one, first=17)) > 0.8


def test_a_change_of_size_is_a_cut() -> None:
    pictures = list(scene([Square("red", lambda step: (60 + step, 60))], 20))
    pictures[10:] = [np.ascontiguousarray(picture[:100, :180]) for picture in pictures[10:]]
    found = list(track(bare(pictures), Colours()))
    assert [(course.frames[0], course.frames[-1]) for course in found] == [(0, 9), (10, 19)]
    assert all(box[2] <= 180 and box[3] <= 100 for box in found[1].boxes)


def test_what_leaves_ends_and_what_comes_begins() -> None:
    leaving = Square("red", lambda step: (150 + 4 * step, 40))  # wholly out from step 17 on
    coming = Square("green", lambda step: (-100 + 5 * step, 90))  # wholly in from step 24 on
    found = list(track(frames_of(scene([leaving, coming], 50)), Colours()))
    courses = {course.label: course for course in found}
    assert set(courses) == {"red", "green"}
    assert 9 <= courses["red"].frames[-1] <= 16
    assert 17 <= courses["green"].frames[0] <= 25
    assert courses["green"].frames[-1] == 49
    for label, square in (("red", leaving), ("green", coming)):
        assert np.mean(overlaps(courses[label], square)) > 0.7
        for x0, y0, x1, y1 in courses[label].boxes:
            assert 0 <= x0 < x1 <= WIDTH
            assert 0 <= y0 < y1 <= HEIGHT


def test_what_vanishes_on_the_spot_is_not_followed_on() -> None:
    square = Square("red", lambda step: (100, 60) if step < 22 else None)
    (found,) = track(bare(scene([square], 60)), Colours())
    assert 20 <= found.frames[-1] <= 22


def test_missed_key_frames_are_bridged() -> None:
    square = Square("red", right)
    (found,) = track(frames_of(scene([square], 41)), Colours(misses=(3, 4, 6)))
    assert found.frames == tuple(range(41))
    assert min(overlaps(found, square)) > 0.6
    assert found.confidence == pytest.approx(0.9 * 6 / 9)


def test_what_is_hidden_for_a_while_is_found_again() -> None:
    square = Square("blue", lambda step: None if 18 <= step < 27 else (100, 60))
    (found,) = track(bare(scene([square], 45)), Colours())
    assert found.frames[0] == 0
    assert found.frames[-1] == 44
    assert not {20, 21, 22, 23, 24} & set(found.frames)


def test_what_is_hidden_for_long_is_another() -> None:
    square = Square("blue", lambda step: None if 18 <= step < 60 else (100, 60))
    found = list(track(bare(scene([square], 80)), Colours()))
    assert len(found) == 2


def test_another_in_its_place_is_another() -> None:
    one = Square("red", lambda step: (100, 60) if step < 20 else None)
    other = Square("blue", lambda step: (100, 60) if step >= 20 else None)
    found = list(track(bare(scene([one, other], 40)), Colours()))
    assert [course.label for course in found] == ["red", "blue"]


class Doubled:
    """Another locator's regions, each a second time, shifted."""

    fingerprint = "doubled"

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        regions = []
        for region in Colours().locate(picture):
            x0, y0, x1, y1 = region.box
            regions += [region, Region((x0 + 4, y0 + 3, x1 + 4, y1 + 3), region.label, 0.6)]
        return tuple(regions)

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        return self.locate(picture)


def test_duplicates_are_removed() -> None:
    square = Square("red", right)
    (found,) = track(bare(scene([square], 30)), Doubled())
    assert np.mean(overlaps(found, square)) > 0.85
    both = list(
        track(bare(scene([square], 30)), Doubled(), TrackingSettings(duplicate_overlap=1.0))
    )
    assert len(both) == 2


def test_a_long_shot_comes_in_pieces_of_one_number() -> None:
    square = Square("red", lambda step: (40 + step, 60))
    pieces = list(
        track(bare(scene([square], 100)), Colours(), TrackingSettings(longest=30, every=5))
    )
    assert len(pieces) == 4
    assert {piece.number for piece in pieces} == {1}
    for before, after in pairwise(pieces):
        assert after.frames[0] == before.frames[-1]
    assert {frame for piece in pieces for frame in piece.frames} == set(range(100))


def test_one_frame_and_no_frame() -> None:
    pictures = list(scene([Square("red", lambda _: (60, 60))], 1))
    (found,) = track(bare(pictures), Colours())
    assert found.frames == (0,)
    assert list(track([], Colours())) == []
    (window,) = trajectory_windows(found)
    assert window.frames == (0,) * 32


def test_an_empty_scene_has_no_trajectory() -> None:
    assert list(track(bare(scene([], 20)), Colours())) == []


def test_the_whole_picture_is_followed_where_asked_for() -> None:
    pictures = [*scene([], 12), *scene([], 9, shade=40)]
    settings = TrackingSettings(largest=1)
    found = list(track(bare(pictures), WholePicture(), settings))
    assert [(course.frames[0], course.frames[-1]) for course in found] == [(0, 11), (12, 20)]
    assert set(found[0].boxes) == {(0.0, 0.0, float(WIDTH), float(HEIGHT))}
    assert list(track(bare(pictures), WholePicture())) == []


class Crowd:
    """200 regions in each picture."""

    fingerprint = "crowd"

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        return tuple(
            Region((x * 10.0, y * 12.0, x * 10.0 + 10, y * 12.0 + 12), confidence=1 - index / 300)
            for index, (y, x) in enumerate(np.ndindex(10, 20))
        )

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        return self.locate(picture)


class Still:
    """A tracker for which nothing moves, and which counts."""

    def __init__(self) -> None:
        self.most = 0

    def follow(self, pictures: Sequence[RGB], boxes: Sequence[Box]) -> tuple[tuple[Box, ...], ...]:
        self.most = max(self.most, len(boxes))
        return tuple((box,) * len(pictures) for box in boxes)


def test_two_hundred_items_are_bounded() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    frames = bare([picture] * 11)
    tracker = Still()
    assert len(list(track(frames, Crowd(), tracker=tracker))) == 20
    assert tracker.most == 20
    every = list(track(frames, Crowd(), TrackingSettings(most=200), tracker=Still()))
    assert len(every) == 200
    assert [course.number for course in every] == list(range(1, 201))


def test_no_more_frames_are_held_than_a_stretch() -> None:
    alive = [0, 0]

    class Held(VideoFrame):
        def __del__(self) -> None:
            alive[0] -= 1

    def frames() -> Iterator[VideoFrame]:
        for index, picture in enumerate(scene([Square("red", right)], 60)):
            alive[0] += 1
            alive[1] = max(alive)
            yield Held(index, index / 10, picture)

    list(track(frames(), Colours(), TrackingSettings(every=4)))
    assert alive[1] <= 4 + 1 + 4  # one stretch and what is being read of the next


def test_pictures_of_trajectories_come_in_a_second_reading() -> None:
    square = Square("red", right)
    clip = written_clip(scene([square], 40))
    found = [
        window
        for course in track(Video(clip).frames(), Colours())
        for window in trajectory_windows(course)
    ]
    taken = list(trajectory_pictures(Video(clip).frames(), found))
    assert sorted((place, step) for place, step, _ in taken) == [
        (place, step) for place in range(len(found)) for step in range(32)
    ]
    for place, step, picture in taken:
        left, top, across, down = found[place].boxes[step]
        assert picture.shape[1] == pytest.approx(across - left, abs=2)
        assert picture.shape[0] == pytest.approx(down - top, abs=2)
        assert np.abs(np.median(picture, axis=(0, 1)) - COLOURS["red"]).max() < 40


def test_stretched_windows_have_each_picture_as_often() -> None:
    course = Trajectory(1, (2, 3), (0.2, 0.3), ((5.0, 5.0, 9.0, 9.0),) * 2)
    windows = trajectory_windows(course, steps=5)
    taken = list(trajectory_pictures(bare(scene([], 6)), windows))
    assert [(place, step) for place, step, _ in taken] == [(0, step) for step in range(5)]
