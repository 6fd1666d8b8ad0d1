"""Clips rendered from photos: what follows from what, and where the item is."""

import hashlib
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clip_shop import Reader, photo
from PIL import Image

from snapshelf.datasets.clips import Clip, ClipFrame, Filming, RenderSettings
from snapshelf.datasets.clips.plan import ClipPlan, clip_generator
from snapshelf.datasets.clips.rendered_clips import RenderedClips
from snapshelf.datasets.clips.rendering import render_clip
from snapshelf.errors import DatasetError
from snapshelf.training.augmentation import Effect

NO = Effect(0.0)
STEADY = RenderSettings(
    zoom=NO,
    pan=NO,
    shake=NO,
    roll=NO,
    tilt=NO,
    tone=NO,
    flicker=NO,
    motion_blur=NO,
    cuts=(0, 0),
    occluder=NO,
    compression=NO,
)
"""Nothing happens."""

MOVING = replace(
    RenderSettings(), tone=NO, flicker=NO, motion_blur=NO, occluder=NO, compression=NO, cuts=(0, 0)
)
"""Only the camera moves."""


def textured(seed=0, size=(200, 150)):
    rng = np.random.default_rng(seed)
    coarse = rng.integers(60, 200, (size[0] // 5, size[1] // 5, 3), dtype=np.uint8)
    return np.ascontiguousarray(coarse.repeat(5, axis=0).repeat(5, axis=1))


def rendered(photos, settings, *, number=0, seed=0, product="cup"):
    """Render, the photos being given as pairs of a name and a box."""
    names = [(Path(f"{place}.png"), box) for place, (_, box) in enumerate(photos)]
    read = Reader({f"{place}.png": picture for place, (picture, _) in enumerate(photos)})
    rng = clip_generator(seed, [product], number)
    return list(render_clip(names, number, rng, settings, read))


def digest(frames):
    found = hashlib.blake2b(digest_size=16)
    for frame in frames:
        found.update(frame.picture.tobytes())
        found.update(np.array([frame.time, *frame.box]).tobytes())
    return found.hexdigest()


def test_a_clip_is_what_the_settings_say():
    settings = RenderSettings(frames=9, size=(48, 64), rate=10.0)
    frames = rendered([(textured(), None)], settings)
    assert len(frames) == 9
    for number, frame in enumerate(frames):
        assert frame.picture.shape == (48, 64, 3)
        assert frame.picture.dtype == np.uint8
        assert frame.time == pytest.approx(number / 10)
        x0, y0, x1, y1 = frame.box
        assert 0 <= x0 < x1 <= 64
        assert 0 <= y0 < y1 <= 48


def test_nothing_happens_where_nothing_may():
    first, *others = rendered([(textured(), None)], STEADY)
    assert all((frame.picture == first.picture).all() for frame in others)
    assert {frame.box for frame in others} == {first.box} == {(0.0, 0.0, 160.0, 160.0)}


def test_a_still_view_is_a_part_of_the_photo():
    picture = textured(size=(160, 160))
    settings = replace(STEADY, photo_share=(1.0, 1.0))
    frame = rendered([(picture, None)], settings)[0].picture
    assert np.abs(frame.astype(int) - picture).max() <= 2


def test_the_same_seed_product_and_number_give_the_same_clip_and_others_give_others():
    photos = [(textured(seed), None) for seed in range(3)]
    settings = RenderSettings(frames=8, size=(32, 32), shortest_shot=2)
    first = digest(rendered(photos, settings))
    assert digest(rendered(photos, settings)) == first
    others = [
        digest(rendered(photos, settings, seed=1)),
        digest(rendered(photos, settings, number=3)),
        digest(rendered(photos, settings, product="plate")),
    ]
    assert len({first, *others}) == 4


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np
import test_clip_rendering as own
photos = [(own.textured(seed), box) for seed, box in ((0, None), (1, (20.0, 20.0, 90.0, 160.0)))]
print(own.digest(own.rendered(photos, own.RenderSettings(), number=5, product="Kl\u00f6\u00dfe")))
"""


def test_another_process_renders_the_same():
    photos = [(textured(0), None), (textured(1), (20.0, 20.0, 90.0, 160.0))]
    own = digest(rendered(photos, RenderSettings(), number=5, product="Kl\u00f6\u00dfe"))
    script = SCRIPT.format(folder=str(Path(__file__).parent))
    for hash_seed in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.strip() == own


def test_the_order_of_the_products_does_not_count():
    one, other = (clip_generator(0, names, 1).random() for names in (["a", "b"], ["b", "a"]))
    assert one == other
    assert clip_generator(0, ["ab"], 1).random() != one
    with pytest.raises(ValueError, match="seed and number must be at least 0, got 0 and -1"):
        clip_generator(0, ["a"], -1)


def found_square(picture):
    """Find the bounding box of what is red."""
    red = (picture[..., 0] > 140) & (picture[..., 1] < 110) & (picture[..., 2] < 110)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


@pytest.mark.parametrize("size", [(160, 160), (96, 128)])
@pytest.mark.parametrize("box", [(60, 50, 140, 150), (10, 10, 50, 60), (150, 180, 230, 210)])
def test_the_box_follows_the_item(box, size):
    picture = photo((150, 160, 150), (320, 240))
    x0, y0, x1, y1 = box
    picture[y0:y1, x0:x1] = (220, 20, 30)
    corners = set()
    for number in range(6):
        settings = replace(MOVING, frames=12, size=size)
        for frame in rendered([(picture, tuple(map(float, box)))], settings, number=number):
            assert frame.box == pytest.approx(found_square(frame.picture), abs=1.6)
            corners.add(round(frame.box[0]))
    assert len(corners) > 10


def test_the_box_follows_the_item_through_all_that_a_camera_does():
    picture = photo((150, 160, 150), (320, 240))
    picture[100:220, 80:170] = (220, 20, 30)
    settings = replace(RenderSettings(), occluder=NO, tone=Effect(1.0, (0, 0.3)))
    apart = [
        np.abs(np.subtract(frame.box, found_square(frame.picture))).max()
        for number in range(5)
        for frame in rendered([(picture, (80.0, 100.0, 170.0, 220.0))], settings, number=number)
    ]
    # Motion blurs the edges, and compression smears what is red.
    assert np.median(apart) < 2.5
    assert max(apart) < 16


def test_no_frame_shows_anything_but_the_photo():
    settings = replace(RenderSettings(), occluder=NO, tone=NO, flicker=NO)
    for box in (None, (0.0, 0.0, 40.0, 30.0), (70.0, 100.0, 90.0, 120.0)):
        for number in range(8):
            for frame in rendered([(photo(200), box)], settings, number=number):
                assert frame.picture.min() >= 198
                assert frame.picture.max() <= 202


def test_a_clip_cuts_between_photos_and_begins_with_its_own():
    colours = (40, 100, 160, 220)
    settings = replace(STEADY, cuts=(2, 2), shortest_shot=5, frames=20)
    for number in range(8):
        frames = rendered([(photo(colour), None) for colour in colours], settings, number=number)
        shown = [int(frame.picture[0, 0, 0]) for frame in frames]
        cuts = [0, *(place for place in range(1, 20) if shown[place] != shown[place - 1]), 20]
        assert shown[0] == colours[number % 4]
        assert len(cuts) == 4
        assert min(after - before for before, after in pairwise(cuts)) >= 5
        assert len({shown[place] for place in cuts[:-1]}) == 3


def test_cuts_that_there_is_no_room_for_are_left_out():
    settings = replace(STEADY, cuts=(3, 3), shortest_shot=6, frames=11)
    for number in range(5):
        plan = ClipPlan.draw(4, number, np.random.default_rng(number), settings)
        assert [(shot.first, shot.last) for shot in plan.shots] == [(0, 11)]


def test_one_photo_is_cut_to_another_view_of_itself():
    settings = replace(STEADY, cuts=(1, 1), item_share=(0.4, 0.9))
    boxes = {frame.box for frame in rendered([(textured(), (40.0, 40.0, 90.0, 90.0))], settings)}
    assert len(boxes) == 2


def sharpness(frames):
    return np.mean([(np.diff(frame.picture.astype(int), axis=1) ** 2).mean() for frame in frames])


def test_an_open_shutter_blurs_what_moves():
    picture = [(textured(), None)]
    moving = replace(MOVING, rate=6.0)
    blurred = replace(moving, motion_blur=Effect(1.0, (1.0, 1.0)))
    assert sharpness(rendered(picture, blurred)) < 0.85 * sharpness(rendered(picture, moving))
    still = replace(STEADY, motion_blur=Effect(1.0, (1.0, 1.0)))
    assert sharpness(rendered(picture, still)) == sharpness(rendered(picture, STEADY))


def test_exposure_flickers_smoothly_and_settles_after_a_cut():
    settings = replace(STEADY, flicker=Effect(1.0, (1.0, 1.0)), cuts=(1, 1), frames=40)
    unsettled = 0
    for number in range(6):
        frames = rendered([(photo(128), None)], settings, number=number)
        light = np.array([frame.picture.mean() for frame in frames])
        steps = np.abs(np.diff(light))
        assert light.std() > 1
        cut = int(steps.argmax())
        unsettled += steps[cut] > 12
        assert np.median(steps) < 6
    assert unsettled >= 3


def test_what_passes_hides_some_for_some_time():
    settings = replace(STEADY, occluder=Effect(1.0), most_occluders=1, frames=32)
    hidden = []
    for number in range(30):
        frames = rendered([(photo((0, 255, 0)), None)], settings, number=number)
        share = np.array([(frame.picture[..., 1] < 250).mean() for frame in frames])
        hidden.append(share)
        assert share.min() == 0
    assert np.mean([share.max() > 0.05 for share in hidden]) > 0.9
    assert max(share.max() for share in hidden) < 0.8
    assert np.mean([(share > 0.02).mean() for share in hidden]) < 0.6


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 3)])
def test_a_photo_of_any_size_can_be_filmed(size):
    frames = rendered([(photo(90, size), None)], RenderSettings(frames=4, size=(16, 24)))
    assert [frame.picture.shape for frame in frames] == [(16, 24, 3)] * 4


def test_a_box_outside_the_photo_and_no_photo_are_refused():
    with pytest.raises(DatasetError, match=r"0.png: the item's box .* does not lie in the photo"):
        rendered([(photo(9), (500.0, 10.0, 600.0, 20.0))], STEADY)
    with pytest.raises(ValueError, match="photos must hold at least one"):
        rendered([], STEADY)


def test_a_box_is_cut_off_at_its_photo():
    whole = rendered([(textured(), (0.0, 0.0, 150.0, 100.0))], MOVING)
    beyond = rendered([(textured(), (-50.0, -1e6, 1e6, 100.0))], MOVING)
    assert digest(whole) == digest(beyond)


def clips_of(folder, *names, count=3, filming=None):
    photos = [(folder / name, None) for name in names]
    return RenderedClips(frozenset({"cup"}), "Cups", photos, count, filming or Filming())


def test_a_photo_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    for name in ("broken.jpg", "missing.jpg"):
        (clip,) = clips_of(tmp_path, name, count=1)
        with pytest.raises(DatasetError, match=f"{name}.*get the whole data set again"):
            next(clip.frames())


def test_clips_are_rendered_when_they_are_looked_at(tmp_path):
    read = Reader()
    clips = clips_of(tmp_path, "a", "b", count=1 << 40, filming=Filming(read=read))
    assert len(clips) == 1 << 40
    last = clips[-1]
    assert (last.id, last.products, last.category) == (f"cup#{(1 << 40) - 1}", {"cup"}, "Cups")
    frames = last.frames()
    assert read.asked == []
    assert next(frames).time == 0
    assert read.asked == [tmp_path / "b"]
    assert [clip.id for clip in clips[1:3]] == ["cup#1", "cup#2"]
    with pytest.raises(IndexError, match="there are 1099511627776 clips, got number"):
        clips[1 << 40]


def test_a_clip_can_be_handed_to_another_process(tmp_path):
    Image.fromarray(textured()).save(tmp_path / "a.png")
    filming = Filming(RenderSettings(frames=5, size=(24, 24)), seed=4)
    clip = clips_of(tmp_path, "a.png", filming=filming)[1]
    again = pickle.loads(pickle.dumps(clip))
    assert digest(again.frames()) == digest(clip.frames())


def test_frames_can_be_stacked():
    boxes = [(1.0, 2.0, 3.0, 4.0), None]
    frames = [ClipFrame(photo(place), place / 4, box) for place, box in enumerate(boxes)]
    clip = Clip("a", frozenset({"cup"}), "", lambda: iter(frames))
    stacked = clip.stacked()
    assert stacked.pictures.shape == (2, 120, 90, 3)
    assert stacked.boxes.tolist() == [[1, 2, 3, 4], [0, 0, 90, 120]]
    assert stacked.times.tolist() == [0, 0.25]
    with pytest.raises(ValueError, match="clip 'a' must have 1 to 1 frames, got more than 1"):
        clip.stacked(most=1)
    empty = replace(clip, opened=lambda: iter(()))
    with pytest.raises(ValueError, match="clip 'a' must have 1 to 1024 frames, got none"):
        empty.stacked()
    mixed = [frames[0], ClipFrame(photo(1, (8, 8)), 1.0, None)]
    with pytest.raises(ValueError, match="must have frames of one size"):
        replace(clip, opened=lambda: iter(mixed)).stacked()
    with pytest.raises(ValueError, match="must have at least one right product, got none"):
        replace(clip, products=frozenset())
