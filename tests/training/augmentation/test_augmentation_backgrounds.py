"""Backgrounds: read from a folder with what a folder can hold, and drawn clutter."""

import pickle

import cv2
import numpy as np
import pytest
from augmentation_pictures import mug, photo
from PIL import Image

from snapshelf.errors import DatasetError
from snapshelf.features.encoder import Domain
from snapshelf.training.augmentation import Backgrounds, Source
from snapshelf.training.augmentation.clutter import draw_clutter


@pytest.fixture
def folder(tmp_path):
    """Four pictures, one of them deeper; one that is corrupt, one that is cut off, a note."""
    place = tmp_path / "photos"
    (place / "deeper").mkdir(parents=True)
    for number, name in enumerate(["a.jpg", "b.PNG", "c.webp", "deeper/d.jpeg"]):
        Image.fromarray(photo((60, 90 + number), number).picture).save(place / name)
    (place / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    (place / "cut.png").write_bytes((place / "b.PNG").read_bytes()[:200])
    (place / "note.txt").write_text("no picture")
    (place / "folder.jpg").mkdir()
    return place


def test_a_folder_is_read_in_the_order_of_its_paths_without_what_is_broken(folder):
    pool = Backgrounds.from_folder(folder)
    assert [picture.shape for picture in pool.pictures] == [
        (60, 90, 3),
        (60, 91, 3),
        (60, 92, 3),
        (60, 93, 3),
    ]
    assert np.array_equal(pool.pictures[1], photo((60, 91), 1).picture)
    assert [each.split(":")[0] for each in pool.skipped] == ["broken.jpg", "cut.png"]
    assert all(len(each.split(":", 1)[1]) > 5 for each in pool.skipped)


def test_large_pictures_are_shrunk_and_a_few_are_spread_over_the_folder(folder):
    pool = Backgrounds.from_folder(folder, longest_side=30)
    assert [picture.shape for picture in pool.pictures] == [
        (20, 30, 3),
        (20, 30, 3),
        (20, 30, 3),
        (19, 30, 3),
    ]
    # Of a, b, broken, c, cut and d every other one.
    few = Backgrounds.from_folder(folder, at_most=3)
    assert [picture.shape[1] for picture in few.pictures] == [90]
    assert len(few.skipped) == 2
    assert len(Backgrounds.from_folder(folder, at_most=50).pictures) == 4


def test_a_folder_that_cannot_be_used_is_refused(folder, tmp_path):
    with pytest.raises(DatasetError, match="none is no folder"):
        Backgrounds.from_folder(tmp_path / "none")
    with pytest.raises(DatasetError, match=r"a.jpg is no folder"):
        Backgrounds.from_folder(folder / "a.jpg")
    with pytest.raises(DatasetError, match=r"holds no picture .*\(JPEG, PNG, WebP or HEIC\)$"):
        Backgrounds.from_folder(folder / "folder.jpg")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "x.jpg").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"holds no picture .*the first was refused: x.jpg: "):
        Backgrounds.from_folder(broken)


@pytest.mark.parametrize("wrong", [{"longest_side": 0}, {"at_most": 0}])
def test_limits_below_1_are_refused(folder, wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be at least 1, got 0"):
        Backgrounds.from_folder(folder, **wrong)
    with pytest.raises(ValueError, match="longest_side must be at least 1"):
        Backgrounds().with_items([], longest_side=0)


def test_items_are_cut_out_and_what_cannot_be_is_left_out():
    whole = Source(photo().picture, None, Domain.SHOP)
    pool = Backgrounds(pictures=(photo().picture,)).with_items([mug(), whole], longest_side=20)
    assert len(pool.items) == 1
    assert len(pool.pictures) == 1
    assert max(pool.items[0].shape[:2]) == 20
    assert (pool.items[0][..., :3] <= pool.items[0][..., 3:]).all()


SIZES = [(1, 1), (1, 300), (300, 1), (32, 48), (128, 128)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (90, 60)])
def test_a_part_fills_any_view(size, shape):
    picture = np.full((*shape, 3), 120, np.uint8)
    pool = Backgrounds(pictures=(picture,))
    for seed in range(4):
        view = pool.draw(size, np.random.default_rng(seed))
        assert (view.shape, view.dtype) == ((*size, 3), np.uint8)
        # The light is another, but no border of another colour comes in.
        assert np.abs(view.astype(int) - view[0, 0]).max() <= 2


@pytest.mark.parametrize("size", SIZES)
def test_clutter_fills_any_view(size):
    for seed in range(6):
        view = draw_clutter(size, np.random.default_rng(seed))
        assert (view.shape, view.dtype) == ((*size, 3), np.uint8)


def test_clutter_is_varied_neither_black_nor_white():
    views = [draw_clutter((64, 64), np.random.default_rng(seed)) for seed in range(60)]
    means = np.array([view.mean() for view in views])
    assert 20 < means.min() < means.max() < 235
    assert means.std() > 15
    assert np.mean([view.std() for view in views]) > 15
    assert len({view.tobytes() for view in views}) == 60


def test_the_same_seed_gives_the_same_background_and_another_another():
    pool = Backgrounds(pictures=(photo().picture, photo(seed=1).picture))
    for procedural in (0.0, 1.0):
        first, again, other = (
            pool.draw((40, 50), np.random.default_rng(seed), procedural=procedural)
            for seed in (1, 1, 2)
        )
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)


def test_procedural_decides_between_photos_and_clutter(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "snapshelf.training.augmentation.background.draw_clutter",
        lambda size, rng: drawn.append(size) or np.zeros((*size, 3), np.uint8),
    )
    pool = Backgrounds(pictures=(photo().picture,))
    for procedural, expected in ((0.0, 0), (1.0, 20)):
        drawn.clear()
        for seed in range(20):
            pool.draw((8, 8), np.random.default_rng(seed), procedural=procedural)
        assert len(drawn) == expected
    drawn.clear()
    Backgrounds().draw((8, 8), np.random.default_rng(0))
    assert len(drawn) == 1


def test_pictures_are_left_as_they_are_and_a_pool_can_be_sent_to_workers():
    pool = Backgrounds(pictures=(photo().picture,)).with_items([mug()])
    before = pickle.dumps(pool)
    view = pool.draw((30, 30), np.random.default_rng(0))
    view[:] = 0
    assert pickle.dumps(pool) == before
    received = pickle.loads(before)
    again = received.draw((30, 30), np.random.default_rng(5))
    assert np.array_equal(again, pool.draw((30, 30), np.random.default_rng(5)))


def test_photos_appear_in_all_their_parts():
    """Left, right, top and bottom of a photo all get to be seen."""
    quarters = np.zeros((60, 60, 3), np.uint8)
    quarters[:30, :30], quarters[:30, 30:] = (200, 0, 0), (0, 200, 0)
    quarters[30:, :30], quarters[30:, 30:] = (0, 0, 200), (200, 200, 0)
    pool = Backgrounds(pictures=(quarters,))
    middles = set()
    for seed in range(60):
        view = pool.draw((9, 9), np.random.default_rng(seed))
        view = cv2.blur(view, (3, 3))
        middles.add(tuple((view[4, 4] > 60).tolist()))
    assert {(True, False, False), (False, True, False), (False, False, True)} <= middles
