"""The clip of the demo shop."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snapshelf.datasets.demo.shop import StreetItem, StreetPhoto
from snapshelf.datasets.demo.shown_clip import SETTINGS, shown_photos, write_shown_clip
from snapshelf.media.video import Video


def photo(number: int, *products: str, difficulty: str = "easy", sold: bool = True) -> StreetPhoto:
    items = tuple(StreetItem(product, (40.0, 30.0, 240.0, 200.0)) for product in products)
    return StreetPhoto(Path(f"{number}.jpg"), items, difficulty, "table", sold)


def test_two_products_one_of_them_again_and_one_that_is_not_sold() -> None:
    photos = [
        photo(0, "a", "b"),
        photo(1, "a", difficulty="hard"),
        photo(2, "a"),
        photo(3, "b"),
        photo(4, "b", difficulty="medium"),
        photo(5, "c"),
        photo(6, "x", sold=False),
        photo(7, "y", sold=False),
    ]
    assert [one.picture.stem for one in shown_photos(photos)] == ["3", "5", "4", "6"]
    assert [one.picture.stem for one in shown_photos(photos[:3])] == ["2"]
    assert shown_photos(photos[:2]) == ()


class Shop:
    """As much of a demo shop as the clip needs."""

    def __init__(self, photos: list[StreetPhoto]) -> None:
        self._photos = photos

    def photos(self) -> list[StreetPhoto]:
        return self._photos


def test_the_clip_is_the_same_each_time_and_shows_each_in_turn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    photos = []
    for number, colour in enumerate(((200, 30, 30), (30, 30, 200))):
        file = tmp_path / f"{number}.jpg"
        noise = rng.integers(0, 50, (240, 320, 3)) + np.array(colour)
        Image.fromarray(noise.astype(np.uint8)).save(file)
        items = (StreetItem(str(number), (40.0, 30.0, 240.0, 200.0)),)
        photos.append(StreetPhoto(file, items, "easy", "table", in_catalogue=True))
    shop = Shop(photos)
    shown = write_shown_clip(shop, tmp_path / "clip.mp4")
    assert [one.items[0].product_id for one in shown] == ["0", "1"]
    frames = list(Video(tmp_path / "clip.mp4").frames())
    assert len(frames) == 2 * SETTINGS.frames
    assert frames[0].picture.shape == (*SETTINGS.size, 3)
    for place, frame in enumerate(frames):
        red, _, blue = frame.picture.reshape(-1, 3).mean(axis=0)
        assert (red > blue) == (place < SETTINGS.frames)
    write_shown_clip(shop, tmp_path / "clip.mp4")
    for frame, again in zip(frames, Video(tmp_path / "clip.mp4").frames(), strict=True):
        colours = frame.picture.mean((0, 1)) - again.picture.mean((0, 1))
        assert np.abs(colours).max() < 2
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(OSError, match="No such file"):
        write_shown_clip(shop, tmp_path / "no folder" / "clip.mp4")
