"""Things before the background of a camera that stands still."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from snapshelf.locating.background import background_seen, is_before
from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.clip_locator import ClipLocator
from snapshelf.locating.clip_locators import CLIP_LOCATORS, clip_locator
from snapshelf.locating.locator import Locator
from snapshelf.locating.region import Box, Region
from snapshelf.locating.still_camera import StillCamera
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.media.picture import RGB
from snapshelf.media.video_frame import VideoFrame

HEIGHT, WIDTH = 180, 320
LEFT, RIGHT = (40, 60, 80, 150), (200, 50, 250, 150)
GREEN, GREY = (60, 120, 70), (90, 90, 90)


def room() -> np.ndarray:
    """A wall above a brown floor, lit from the left; (H, W, 3) float64."""
    picture = np.full((HEIGHT, WIDTH, 3), (205.0, 205.0, 215.0))
    picture[120:] = 150.0, 100.0, 60.0
    return picture * np.linspace(1.0, 0.85, WIDTH)[None, :, None]


def filmed(
    *things: tuple[tuple[int, int, int, int], tuple[int, int, int]],
    light: float | Sequence[float] = 1.0,
    shadow: tuple[int, int, int, int] | None = None,
    seed: int = 0,
) -> RGB:
    """Film the room with things in it, a shadow and noise."""
    picture = room()
    if shadow is not None:
        left, top, right, bottom = shadow
        picture[top:bottom, left:right] *= 0.8
    for (left, top, right, bottom), colour in things:
        picture[top:bottom, left:right] = colour
    noise = np.random.default_rng(seed).normal(0, 3, picture.shape)
    return np.clip(picture * light + noise, 0, 255).astype(np.uint8)


def clip_of(pictures: Sequence[RGB]) -> list[VideoFrame]:
    return [VideoFrame(15 * at, at / 2, picture) for at, picture in enumerate(pictures)]


def learned(camera: StillCamera = StillCamera()) -> Locator:  # noqa: B008
    """Forty frames; the green thing is there in most of them, the grey one in the rest."""
    pictures = [filmed((LEFT, GREEN), seed=number) for number in range(34)]
    pictures += [filmed((RIGHT, GREY), seed=50 + number) for number in range(6)]
    return camera.of_clip(clip_of(pictures))


def overlap(region: Region, box: Box) -> float:
    return float(iou(as_boxes([region.box]), as_boxes([box]))[0, 0])


def slow_background(pictures: Sequence[RGB], lightest: float) -> RGB:
    """Give it place by place."""
    rank = round(lightest / 100 * (len(pictures) - 1))
    out = np.empty_like(pictures[0])
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            seen = [tuple(int(v) for v in picture[row, column]) for picture in pictures]
            out[row, column] = sorted(seen, key=sum)[rank]
    return out


@pytest.mark.parametrize("lightest", [0.0, 5.0, 50.0, 95.0, 100.0])
@pytest.mark.parametrize("count", [1, 2, 21])
def test_a_background_is_each_place_at_its_lightest(lightest: float, count: int) -> None:
    rng = np.random.default_rng(count)
    # Few values, so that there are ties.
    pictures = list(rng.integers(0, 4, (count, 7, 9, 3)).astype(np.uint8) * 85)
    found = background_seen(pictures, lightest)
    assert found.dtype == np.uint8
    assert np.array_equal(found, slow_background(pictures, lightest))


def held(ratio: float) -> float:
    return min(max(ratio, 0.8), 1.25)


def slow_before(picture: RGB, background: RGB) -> np.ndarray:
    """The lightness of each place by least squares, Eq. 4, and what remains, Eq. 6."""
    balance = []
    for channel in range(3):
        ratios = [
            int(picture[place][channel]) / int(background[place][channel])
            for place in np.ndindex(picture.shape[:2])
            if min(int(value) for value in background[place]) > 48
        ]
        balance.append(float(np.median(ratios)) if ratios else 1.0)
    overall = sum(balance) / 3
    balance = [held(overall) * held(channel / overall) for channel in balance]
    out = np.zeros(picture.shape[:2], np.bool_)
    for place in np.ndindex(out.shape):
        empty = [int(value) * by for value, by in zip(background[place], balance, strict=True)]
        seen = [int(value) for value in picture[place]]
        fitted = np.linalg.lstsq(np.array(empty)[:, None], np.array(seen), rcond=None)[0]
        lightness = float(fitted[0])
        rest = max(abs(s - lightness * e) for s, e in zip(seen, empty, strict=True))
        coloured = rest > 8 + 0.15 * (max(empty) - min(empty))
        darker = max(empty) * abs(lightness - 1) > 32 and not 0.75 <= lightness <= 1.35
        out[place] = coloured or darker
    return out


@pytest.mark.parametrize("seed", range(4))
def test_what_is_before_a_background_as_a_slow_reference_tells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    background = rng.integers(0, 256, (12, 15, 3)).astype(np.uint8)
    changed = background * rng.choice([0.4, 0.7, 0.8, 1.0, 1.0, 1.4], (12, 15, 1))
    picture = np.clip(changed + rng.normal(0, 6, background.shape), 0, 255).astype(np.uint8)
    found = is_before(picture, background)
    assert 0.1 < found.mean() < 0.9
    assert np.mean(found != slow_before(picture, background)) < 0.01  # rounding at a bound


def test_the_black_and_the_same_are_nothing() -> None:
    black = np.zeros((5, 6, 3), np.uint8)
    assert not is_before(black, black).any()
    assert not is_before(filmed(), filmed()).any()
    assert is_before(np.full_like(black, 200), black).all()


def test_things_are_found_whole_though_they_stand_there_most_of_the_time() -> None:
    locator = learned()
    (green,) = locator.locate(filmed((LEFT, GREEN), seed=99))
    assert overlap(green, LEFT) > 0.9
    assert green.confidence > 0.9
    both = locator.locate(filmed((LEFT, GREEN), (RIGHT, GREY), seed=99))
    assert len(both) == 2
    for box in (LEFT, RIGHT):
        assert max(overlap(region, box) for region in both) > 0.9
    assert all(first.confidence >= second.confidence for first, second in pairwise(both))


@pytest.mark.parametrize("light", [0.85, 1.1, (1.05, 1.0, 0.92)])
def test_neither_a_shadow_nor_another_light_is_a_thing(light: float | Sequence[float]) -> None:
    shadowed = filmed((LEFT, GREEN), light=light, shadow=(10, 20, 300, 170), seed=7)
    (green,) = learned().locate(shadowed)
    assert overlap(green, LEFT) > 0.9


def test_nothing_is_the_whole_picture_without_confidence() -> None:
    locator = learned()
    whole = Region((0.0, 0.0, float(WIDTH), float(HEIGHT)), confidence=0.0)
    assert locator.locate(filmed(seed=98)) == (whole,)
    assert locator.candidates(filmed(seed=98)) == (whole,)
    *things, last = locator.candidates(filmed((LEFT, GREEN), seed=99))
    assert tuple(things) == locator.locate(filmed((LEFT, GREEN), seed=99))
    assert last == whole
    other = np.zeros((90, 40, 3), np.uint8)  # a size that the clip has not shown
    assert [region.box for region in locator.locate(other)] == [(0, 0, 40, 90)]


def test_large_pictures_are_looked_at_small() -> None:
    times = 5
    large = [picture.repeat(times, 0).repeat(times, 1) for picture in (filmed(), filmed(seed=1))]
    locator = StillCamera().of_clip(clip_of(large))
    shown = filmed((RIGHT, GREY), seed=3).repeat(times, 0).repeat(times, 1)
    (grey,) = locator.locate(shown)
    assert overlap(grey, tuple(float(times * value) for value in RIGHT)) > 0.9  # type: ignore[arg-type]


def test_each_size_of_a_clip_has_its_background() -> None:
    pictures = [filmed(seed=1), filmed(seed=2)[:100], filmed(seed=3), filmed(seed=4)[:100]]
    locator = StillCamera().of_clip(clip_of(pictures))
    for shown in (filmed((LEFT, GREEN)), filmed((LEFT, GREEN))[:100]):
        (green,) = locator.locate(shown)
        assert green.box[2] - green.box[0] < 60


def test_a_dark_background_takes_another_percentile() -> None:
    dark = [255 - filmed((LEFT, GREEN), seed=number) for number in range(17)]
    dark += [255 - filmed(seed=number) for number in range(3)]
    locator = StillCamera(lightest=5).of_clip(clip_of(dark))
    (light,) = locator.locate(dark[0])
    assert overlap(light, LEFT) > 0.9


def test_few_frames_are_held_of_many() -> None:
    alive = most = 0

    class Counted(np.ndarray):
        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def frames():  # type: ignore[no-untyped-def]
        nonlocal alive, most
        for number in range(300):
            picture = np.zeros((700, 20, 3), np.uint8).view(Counted)
            alive += 1
            most = max(most, alive)
            yield VideoFrame(number, number / 2, picture)
            del picture

    StillCamera(most=4).of_clip(frames())
    assert most <= 3


def test_a_clip_locator_is_told_from_a_locator() -> None:
    camera = clip_locator("still")
    assert isinstance(camera, ClipLocator)
    assert isinstance(camera, StillCamera)
    assert not isinstance(WholePicture(), ClipLocator)
    assert set(CLIP_LOCATORS) == {"still", "proposals", "whole"}


def test_fingerprints_tell_backgrounds_apart() -> None:
    one = StillCamera().of_clip(clip_of([filmed()])).fingerprint
    assert one == StillCamera().of_clip(clip_of([filmed()])).fingerprint
    assert one != StillCamera(least=0.01).of_clip(clip_of([filmed()])).fingerprint
    assert one != StillCamera().of_clip(clip_of([filmed(seed=1)])).fingerprint
    empty = StillCamera().of_clip([])
    assert [region.confidence for region in empty.locate(filmed())] == [0.0]


@pytest.mark.parametrize(
    ("name", "values"),
    [("lightest", (-1, 101, float("nan"))), ("least", (0, 1)), ("most", (0, -2))],
)
def test_what_makes_no_sense_is_refused(name: str, values: tuple[float, ...]) -> None:
    for value in values:
        with pytest.raises(ValueError, match=f"{name} must be .* got {value}"):
            StillCamera(**{name: value})  # type: ignore[arg-type]
