"""Searching a shelf with clips."""

import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from shelf_parts import FakeEncoder, Reversing, fake_system, pixels, png, write_feed

from snapshelf.catalog import Catalog
from snapshelf.errors import VideoError
from snapshelf.locating import Region
from snapshelf.locating.tracking_settings import TrackingSettings
from snapshelf.matching.trajectory_reranker import TrajectoryReranker
from snapshelf.media.video import Video
from snapshelf.media.video_frame import VideoFrame
from snapshelf.media.video_limits import VideoLimits
from snapshelf.shelf import ClipSettings, Shelf
from snapshelf.shelf.as_json import items_json
from written_clip import sound_only, written_clip

SIDE = 64
UNKNOWN = 77


def shot(seed: int, count: int) -> list[np.ndarray]:
    return [pixels(seed, height=SIDE, width=SIDE)] * count


@pytest.fixture(scope="module")
def clip() -> bytes:
    """SKU-1 for 1 s, SKU-3 for 0.8 s, SKU-1 again for 0.6 s, something unknown for 0.5 s."""
    pictures = shot(1, 10) + shot(3, 8) + shot(1, 6) + shot(UNKNOWN, 5)
    return written_clip(pictures, pixels="yuv444p")


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    feed = write_feed(tmp_path / "feed", 6)
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", fake_system()) as built:
        yield built


class Bright:
    """Finds the bright parts of a dark picture: columns of the left and the right half."""

    fingerprint = "bright"

    def locate(self, picture: np.ndarray) -> tuple[Region, ...]:
        height, width = picture.shape[:2]
        found = []
        for left, right, label in ((0, width // 2, "left"), (width // 2, width, "right")):
            rows, columns = np.nonzero(picture[:, left:right].max(axis=2) > 60)
            if len(rows):
                box = (columns.min() + left, rows.min(), columns.max() + left + 1, rows.max() + 1)
                found.append(Region(tuple(map(float, box)), label, 0.8))
        return tuple(found) or (Region((0.0, 0.0, float(width), float(height))),)

    candidates = locate


@pytest.mark.parametrize("form", ["path", "bytes", "video"])
def test_shots_that_look_the_same_are_one_item(
    shelf: Shelf, clip: bytes, tmp_path: Path, form: str
) -> None:
    (tmp_path / "seen.bin").write_bytes(clip)
    query = {"path": tmp_path / "seen.bin", "bytes": clip, "video": Video(clip)}[form]
    result = shelf.search(query, top=3)
    assert result.query == ("seen.bin" if form == "path" else "")
    assert result.size == (SIDE, SIDE)
    assert result.clip is not None
    assert (result.clip.frames, result.clip.warnings) == (29, ())
    assert result.clip.seconds == pytest.approx(2.8)
    assert set(result.seconds) == {"track", "encode", "search"}
    first, second, unknown = result.items
    assert first.matches[0].product.id == "SKU-1"
    assert first.item.frames == (0, 23)
    assert np.allclose(first.item.spans, [(0, 0.9), (1.8, 2.3)])
    assert first.item.seconds == (first.item.spans[0][0], first.item.spans[1][1])
    assert first.item.box == (0, 0, SIDE, SIDE)
    assert first.in_catalogue
    assert first.matches[0].similarity == pytest.approx(1, abs=0.01)
    assert [match.rank for match in first.matches] == [1, 2, 3]
    assert second.matches[0].product.id == "SKU-3"
    assert second.item.frames == (10, 17)
    assert not unknown.in_catalogue
    assert np.allclose(unknown.item.spans, [(2.4, 2.8)])


def test_json_tells_when_an_item_is_seen(shelf: Shelf, clip: bytes) -> None:
    item = items_json(shelf.search(clip, top=1))[0]["item"]
    assert set(item) == {"box", "label", "frames", "seconds", "spans", "best"}
    assert item["frames"] == [0, 23]
    assert item["seconds"] == pytest.approx([0, 2.3])
    assert len(item["spans"]) == 2
    assert set(item["best"]) == {"seconds", "box"}
    assert 0 <= item["best"]["seconds"] <= 2.3
    photo = items_json(shelf.search(png(1), top=1))[0]["item"]
    assert set(photo) == {"box", "label"}


def test_nothing_is_joined_where_it_is_not_wanted(shelf: Shelf, clip: bytes) -> None:
    apart = shelf.search(clip, top=1, clip=ClipSettings(alike=1.1, alike_found=1.1))
    assert [found.matches[0].product.id for found in apart.items][:3] == ["SKU-1", "SKU-3", "SKU-1"]
    assert len(apart.items) == 4
    joined = shelf.search(clip, top=1, clip=ClipSettings(alike=-1.0))
    assert len(joined.items) == 1


def test_things_are_followed_and_things_seen_at_once_stay_apart(shelf: Shelf) -> None:
    """Both halves show SKU-2, first on a dark ground; the right one moves."""
    pictures = []
    for step in range(20):
        picture = np.zeros((128, 256, 3), np.uint8)
        picture[32:96, 16:80] = np.maximum(pixels(2, height=64, width=64), 64)
        picture[32:96, 150 + step : 214 + step] = np.maximum(pixels(2, height=64, width=64), 64)
        pictures.append(picture)
    shelf.system = replace(shelf.system, locator=Bright())
    result = shelf.search(written_clip(pictures, pixels="yuv444p"), top=2)
    assert [found.item.label for found in result.items] == ["left", "right"]
    for found in result.items:
        assert found.matches[0].product.id == "SKU-2"
        assert found.item.frames == (0, 19)
        assert found.item.best is not None
        assert found.item.box == found.item.best.box
        assert found.item.box[2] - found.item.box[0] == pytest.approx(64, abs=4)
        assert found.item.best.jpeg.startswith(b"\xff\xd8\xff")


def test_a_shot_in_which_nothing_is_found_counts_whole(shelf: Shelf) -> None:
    """The first shot has a part on a dark ground, the second one fills the picture."""
    part = np.zeros((64, 64, 3), np.uint8)
    part[8:40, 0:30] = 200
    full = np.maximum(pixels(4, height=64, width=64), 64)
    clip = written_clip([part] * 8 + [full] * 8, pixels="yuv444p")

    class WholeWhereFull(Bright):
        def locate(self, picture: np.ndarray) -> tuple[Region, ...]:
            found = super().locate(picture)
            whole = Region((0.0, 0.0, 64.0, 64.0))
            return found if len(found) == 1 and found[0].label == "left" else (whole,)

    shelf.system = replace(shelf.system, locator=WholeWhereFull())
    first, second = shelf.search(clip, top=1).items
    assert (first.item.label, first.item.frames) == ("left", (0, 7))
    assert (second.item.box, second.item.frames) == ((0, 0, 64, 64), (8, 15))


def test_progress_is_told_in_seconds_and_may_end_the_search(shelf: Shelf, clip: bytes) -> None:
    told: list[tuple[float, float | None]] = []
    shelf.search(clip, top=1, on_progress=lambda done, total: told.append((done, total)))
    done = [each for each, _ in told]
    assert done == sorted(done)
    assert len(done) > 29
    assert told[-1] == (pytest.approx(2.8), pytest.approx(2.8))
    assert told[0][1] == pytest.approx(2.9)

    def stop(seconds: float, total: float | None) -> None:
        if seconds > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shelf.search(clip, on_progress=stop)


class LooksFirst:
    """Locates the bright parts, once it has looked through the clip."""

    rate = 5.0

    def __init__(self) -> None:
        self.seen: list[float] = []

    def of_clip(self, frames: Iterable[VideoFrame]) -> Bright:
        self.seen = [frame.time for frame in frames]
        return Bright()


def test_a_locator_may_look_through_the_clip_first(shelf: Shelf) -> None:
    dark = np.zeros((2 * SIDE, 4 * SIDE, 3), np.uint8)
    lit = dark.copy()
    lit[20 : 20 + SIDE, 30 : 30 + SIDE] = np.maximum(pixels(3, height=SIDE, width=SIDE), 70)
    clip = written_clip([lit] * 14 + [dark] * 6, pixels="yuv444p")
    looks = LooksFirst()
    told: list[float] = []
    settings = ClipSettings(locator=looks, tracking=TrackingSettings(cut=1))
    found = shelf.search(
        clip, top=1, clip=settings, on_progress=lambda done, total: told.append(done)
    ).items
    assert looks.seen == pytest.approx(np.arange(10) / 5)
    assert found[0].item.label == "left"
    assert found[0].matches[0].product.id == "SKU-3"
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.9)
    # A twentieth of the work is over when tracking begins; none of it is told twice.
    assert told[9] == pytest.approx(0.05 * 1.8)
    assert told[10] == pytest.approx(0.05 * 1.8)
    assert told[11] == pytest.approx(0.05 * 1.8 + 0.7 * 0.1)


def test_steps_are_embedded_in_batches_and_no_more_than_asked_for(shelf: Shelf) -> None:
    encoder = shelf.system.encoder
    assert isinstance(encoder, FakeEncoder)
    sizes: list[int] = []
    plain = encoder.encode

    def counted(inputs: np.ndarray, domain: object) -> np.ndarray:
        sizes.append(len(inputs))
        return plain(inputs, domain)

    encoder.encode = counted
    clip = written_clip([*shot(1, 60), *shot(3, 50)], pixels="yuv444p")
    shelf.search(clip, top=1, clip=ClipSettings(tracking=TrackingSettings(largest=1)))
    assert (sum(sizes), max(sizes)) == (64, 32)
    sizes.clear()
    few = ClipSettings(steps=4, tracking=TrackingSettings(largest=1))
    shelf.search(clip, top=1, clip=few)
    assert sizes == [8]
    sizes.clear()
    result = shelf.search(clip, top=1)
    assert sum(sizes) == 6 * 8
    assert [found.item.frames for found in result.items] == [(0, 59), (60, 109)]
    assert np.allclose([found.item.spans for found in result.items], [[(0, 5.9)], [(6, 10.9)]])


def test_a_camera_that_goes_on_to_another_thing_without_a_cut(shelf: Shelf) -> None:
    """The picture fades over from SKU-1 to SKU-3 so slowly that no cut is seen."""
    one, other = (pixels(seed, height=SIDE, width=SIDE).astype(float) for seed in (1, 3))
    shares = np.clip((np.arange(100) - 35) / 30, 0, 1)
    clip = written_clip(
        [((1 - share) * one + share * other).astype(np.uint8) for share in shares],
        pixels="yuv444p",
    )
    result = shelf.search(clip, top=1, clip=ClipSettings(tracking=TrackingSettings(cut=0.9)))
    first, *_, last = result.items
    assert (first.matches[0].product.id, last.matches[0].product.id) == ("SKU-1", "SKU-3")
    assert first.in_catalogue
    assert last.in_catalogue
    assert len(result.items) <= 4


def test_another_locator_than_the_systems(shelf: Shelf) -> None:
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[8:40, 10:42] = 200
    clip = written_clip([picture] * 8, pixels="yuv444p")
    (whole,) = shelf.search(clip, top=1).items
    (found,) = shelf.search(clip, top=1, clip=ClipSettings(locator=Bright())).items
    assert whole.item.box == (0, 0, 128, 64)
    assert found.item.box == pytest.approx((10, 8, 42, 40), abs=3)


def test_memory_does_not_grow_with_the_clip(shelf: Shelf) -> None:
    alive: list[weakref.ref[np.ndarray]] = []
    most = 0

    class Watched(Video):
        def frames(self, rate: float | None = None):
            nonlocal most
            for frame in super().frames(rate):
                alive.append(weakref.ref(frame.picture))
                most = max(most, sum(each() is not None for each in alive))
                yield frame

    clip = written_clip(
        [each for step in range(12) for each in shot(step % 4, 10)], pixels="yuv444p"
    )
    result = shelf.search(Watched(clip), top=1)
    assert len(result.items) == 4
    assert len(alive) > 200
    # Those between two key frames, and three views of each trajectory of a batch.
    assert most <= 6 + 3 * 4


class Steps(Reversing):
    """A re-ranker of trajectories: describes one by the number of its pictures."""

    def describe_trajectory(self, pictures: Sequence[np.ndarray]) -> bytes:
        assert all(picture.shape == (SIDE, SIDE, 3) for picture in pictures)
        return b"steps %d" % len(pictures)


@pytest.mark.parametrize("reranker", [Reversing(), Steps()])
def test_a_reranker_sees_the_steps_or_the_best_frame(
    tmp_path: Path, clip: bytes, reranker: Reversing
) -> None:
    feed = write_feed(tmp_path / "feed", 6)
    system = fake_system(reranker=reranker)
    assert isinstance(reranker, TrajectoryReranker) == isinstance(reranker, Steps)
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", system) as shelf:
        result = shelf.search(clip, top=6)
    assert set(result.seconds) == {"track", "encode", "search", "rerank"}
    first = result.items[0]
    # It turns the shortlist around, so what is most alike comes last.
    assert first.matches[-1].product.id == "SKU-1"
    query = bytes.fromhex(first.matches[0].evidence["query"])
    if isinstance(reranker, Steps):
        # The first second of the clip: 8 of its frames.
        assert query == b"steps 8"
    else:
        assert query.startswith(b"street ")


def test_items_beyond_the_bound_are_left_out_with_a_warning(shelf: Shelf, clip: bytes) -> None:
    result = shelf.search(clip, top=1, clip=ClipSettings(most=1))
    assert [found.matches[0].product.id for found in result.items] == ["SKU-1"]
    assert result.clip is not None
    (warning,) = result.clip.warnings
    assert "only the 1 items" in warning
    assert "2 more" in warning


def test_a_clip_cut_short_gives_what_can_be_read_and_a_warning(shelf: Shelf) -> None:
    clip = written_clip(shot(1, 30) + shot(3, 30), kind="matroska", pixels="yuv444p")
    result = shelf.search(clip[: len(clip) * 2 // 3], top=1)
    assert result.items[0].matches[0].product.id == "SKU-1"
    assert result.clip is not None
    assert result.clip.warnings


def test_one_frame_is_a_clip_too(shelf: Shelf) -> None:
    result = shelf.search(Video(written_clip(shot(5, 1), pixels="yuv444p")), top=1)
    (found,) = result.items
    assert found.matches[0].product.id == "SKU-5"
    assert found.item.frames == (0, 0)
    assert found.item.seconds == (0, 0)


def test_a_show_of_slides_has_an_item_for_each(shelf: Shelf) -> None:
    """One frame every two seconds, as in a GIF."""
    clip = written_clip(
        shot(1, 1) + shot(3, 1) + shot(5, 1),
        ticks=[0, 20, 40],
        kind="gif",
        codec="gif",
        pixels="rgb8",
    )
    found = shelf.search(clip, top=1).items
    assert [each.item.frames for each in found] == [(0, 0), (1, 1), (2, 2)]


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "empty"), (sound_only(), "sound only"), (b"\0\0\0\x20ftypisom", "damaged")],
)
def test_what_cannot_be_read_is_told(
    shelf: Shelf, tmp_path: Path, data: bytes, message: str
) -> None:
    (tmp_path / "clip.mp4").write_bytes(data)
    with pytest.raises(VideoError, match=message):
        shelf.search(tmp_path / "clip.mp4")


def test_a_clip_that_is_too_long_is_refused_or_cut(shelf: Shelf, clip: bytes) -> None:
    short = VideoLimits(max_seconds=1.5)
    with pytest.raises(VideoError, match="at most"):
        shelf.search(clip, clip=ClipSettings(limits=short))
    cut = ClipSettings(limits=replace(short, cut_longer=True))
    result = shelf.search(clip, top=1, clip=cut)
    assert [found.matches[0].product.id for found in result.items] == ["SKU-1", "SKU-3"]
    assert result.clip is not None
    assert result.clip.warnings == ()


def test_a_box_is_refused_for_a_clip(shelf: Shelf, clip: bytes) -> None:
    for chosen in ({"box": (0.0, 0.0, 9.0, 9.0)}, {"point": (3.0, 3.0)}):
        with pytest.raises(ValueError, match="not of a clip"):
            shelf.search(clip, **chosen)


def test_categories_and_filters_work_as_for_photos(shelf: Shelf, clip: bytes) -> None:
    result = shelf.search(clip, top=2, by_category=3, filter="price<2")
    for found in result.items:
        assert {match.product.id for match in found.matches} <= {"SKU-0", "SKU-1"}
        assert found.by_category is not None
        assert found.item.best is not None


def test_an_empty_shelf_gives_items_without_matches(tmp_path: Path, clip: bytes) -> None:
    feed = tmp_path / "feed.jsonl"
    feed.write_text('{"id": "1", "title": "gone", "image_link": "gone.png"}\n')
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", fake_system()) as shelf:
        result = shelf.search(clip)
    assert len(result.items) == 3
    assert not any(found.matches or found.in_catalogue for found in result.items)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"rate": 0}, "rate"),
        ({"steps": 1}, "steps"),
        ({"whole_steps": 1}, "whole_steps"),
        ({"alike": -2}, "alike"),
        ({"alike_found": -2}, "alike_found"),
        ({"alike": float("nan")}, "alike"),
        ({"most": 0}, "most"),
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ClipSettings(**setting)


def test_the_whole_picture_is_followed_where_that_is_asked_for(shelf: Shelf, clip: bytes) -> None:
    settings = ClipSettings(tracking=TrackingSettings(largest=1))
    assert len(shelf.search(clip, top=1, clip=settings).items) == 3
