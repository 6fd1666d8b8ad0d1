"""Clips to what they show, as files hold it."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snapshelf.annotation import annotate_clips, clip_json_line, file_clips, file_pictures
from snapshelf.catalog import Catalog
from snapshelf.features.attribute_predictor import PredictedAttribute
from snapshelf.features.encoder import Domain
from snapshelf.locating import WholePicture
from snapshelf.shelf import Shelf
from snapshelf.systems import System
from written_clip import written_clip


def pixels(seed: int, side: int = 16) -> np.ndarray:
    tiles = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return tiles.repeat(side // 4, axis=0).repeat(side // 4, axis=1)


def png(seed: int) -> bytes:
    stream = BytesIO()
    Image.fromarray(pixels(seed)).save(stream, "PNG")
    return stream.getvalue()


class Pixels:
    """Embeds a picture as its 4 x 4 pixels."""

    dimension = 48
    fingerprint = "pixels"

    def prepare(self, picture: np.ndarray, domain: Domain) -> np.ndarray:
        return np.asarray(Image.fromarray(picture).resize((4, 4), Image.Resampling.BOX))

    def encode(self, inputs: np.ndarray, domain: Domain) -> np.ndarray:
        flat = inputs.reshape(len(inputs), -1).astype(np.float32) - 127.3
        return flat / np.linalg.norm(flat, axis=1, keepdims=True)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    (tmp_path / "feed").mkdir()
    for number in range(4):
        (tmp_path / "feed" / f"{number}.png").write_bytes(png(number))
    feed = tmp_path / "feed" / "feed.csv"
    feed.write_text("id,title,image\n" + "".join(f"SKU-{n},A,{n}.png\n" for n in range(4)))
    system = System("pixels", WholePicture(), Pixels())
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", system) as built:
        yield built


def clip(*seeds: int) -> bytes:
    return written_clip([pixels(seed, 64) for seed in seeds for _ in range(6)], pixels="yuv444p")


class Brightness:
    """Finds whether a picture's first tile is brighter than its last one."""

    def prepare(self, part: np.ndarray) -> np.ndarray:
        return part

    def find(
        self, inputs: list[np.ndarray], domain: Domain
    ) -> list[tuple[PredictedAttribute, ...]]:
        assert domain is Domain.STREET
        return [
            (PredictedAttribute("brighter", "", str(part[4, 4].sum() > part[-4, -4].sum()), 0.9),)
            for part in inputs
        ]


def test_items_have_times_products_and_the_attributes_of_their_best_frame(
    shelf: Shelf, tmp_path: Path
) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(clip(1, 2))
    told: list[tuple[Path, float, float | None]] = []
    (found,) = annotate_clips(
        [file],
        shelf,
        top=2,
        attributes=Brightness(),
        on_progress=lambda *each: told.append(each),
    )
    line = json.loads(clip_json_line(found))
    assert list(line) == ["clip", "items"]
    assert line["clip"] == str(file)
    for item, seed in zip(line["items"], (1, 2), strict=True):
        assert item["matches"][0]["product"]["id"] == f"SKU-{seed}"
        assert len(item["matches"]) == 2
        picture = pixels(seed).astype(int)
        brighter = picture[1, 1].sum() > picture[-1, -1].sum()
        assert item["attributes"]["brighter"][0]["value"] == str(brighter)
    assert [item["item"]["frames"] for item in line["items"]] == [[0, 5], [6, 11]]
    assert {each[0] for each in told} == {file}
    assert told[-1][1] == pytest.approx(1.1)


def test_a_bad_clip_has_its_error_and_the_rest_goes_on(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"")
    (tmp_path / "b.mp4").write_bytes(clip(3))
    bad, good = annotate_clips([tmp_path / "a.mp4", tmp_path / "b.mp4"], shelf, top=1)
    assert "empty" in json.loads(clip_json_line(bad))["error"]
    assert bad.items == ()
    assert good.items[0].found is not None
    assert good.items[0].attributes is None


def test_clips_and_pictures_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "mixed"
    (folder / "below").mkdir(parents=True)
    (folder / "b.mp4").write_bytes(clip(1))
    (folder / "below" / "a.MOV").write_bytes(clip(1))
    (folder / "c.png").write_bytes(png(1))
    (folder / "photo.mp4").write_bytes(png(1))
    (folder / "notes.txt").write_text("no picture")
    (tmp_path / "odd name").write_bytes(clip(1))
    sources = [folder, tmp_path / "odd name"]
    assert list(file_clips(sources)) == [
        folder / "b.mp4",
        folder / "below" / "a.MOV",
        tmp_path / "odd name",
    ]
    assert [picture.name for picture in file_pictures(sources)] == [str(folder / "c.png")]
