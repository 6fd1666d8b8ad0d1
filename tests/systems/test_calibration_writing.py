"""A fitted confidence in a system's folder: written whole, read by the next search, or refused."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("safetensors")

from snapshelf.catalog import Catalog
from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import ModelError
from snapshelf.matching import Calibration
from snapshelf.shelf import Shelf
from snapshelf.systems import System
from snapshelf.systems.calibration_writing import check_writable, write_calibration
from snapshelf.systems.codebook import VladSettings, train_vlad
from snapshelf.systems.whitened import WhitenedSettings, train_whitened

FITTED = Calibration(3.25, -1.5, 0.4, added_slope=0.75)


class Drawn:
    """Products of one pattern each; street photos are darker."""

    name = "drawn"

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        rng = np.random.default_rng(8)
        self.items = []
        for number in range(6):
            cells = rng.integers(0, 256, (4, 4, 3), np.uint8)
            files = []
            for each, shade in enumerate((1.0, 0.6)):
                picture = Image.fromarray((cells * shade).astype(np.uint8)).resize((48, 48), 0)
                files.append(folder / f"{number}-{each}.png")
                picture.save(files[-1])
            self.items.append(TrainingItem(str(number), (files[1],), (files[0],)))

    def training_items(self) -> list[TrainingItem]:
        return self.items


@pytest.fixture
def data(tmp_path: Path) -> Drawn:
    return Drawn(tmp_path / "pictures")


@pytest.fixture
def system(data: Drawn, tmp_path: Path) -> System:
    return train_whitened([data], WhitenedSettings(base="gist", dimension=4), tmp_path / "out")


def in_place_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_it_is_what_the_system_is_loaded_with_from_then_on(system: System) -> None:
    file = Path(system.name) / "system.json"
    before = json.loads(file.read_text())
    others = in_place_of(file.parent)
    assert check_writable(system) == file
    assert in_place_of(file.parent) == others
    for calibration in (FITTED, replace(FITTED, added_slope=None)):
        assert write_calibration(system, calibration) == file
        again = System.load(file.parent)
        assert again.calibration == calibration
        assert again.fingerprint == system.fingerprint
        assert again.embedding_fingerprint == system.embedding_fingerprint
        held = json.loads(file.read_text())
        assert held.pop("calibration") == asdict(calibration)
        assert held == {name: value for name, value in before.items() if name != "calibration"}
    assert in_place_of(file.parent).keys() == others.keys(), "nothing half written is left"


def test_a_shelf_goes_on_with_the_new_confidence(
    system: System, data: Drawn, tmp_path: Path
) -> None:
    feed = tmp_path / "feed.csv"
    rows = [f"{item.product_id},T,pictures/{item.shop[0].name}\n" for item in data.items]
    feed.write_text("id,title,image\n" + "".join(rows))
    place = tmp_path / "shelf"
    Shelf.build(Catalog.open(feed), place, system).close()
    write_calibration(system, FITTED)
    with Shelf.open(place) as shelf:
        (item,) = shelf.search(data.items[2].street[0], top=1).items
        (match,) = item.matches
    assert match.confidence == pytest.approx(FITTED.confidence(match.similarity))
    with Shelf.build(Catalog.open(feed), place, System.load(system.name)) as shelf:
        assert (shelf.updated.unchanged, shelf.updated.changed) == (6, 0)


@pytest.mark.parametrize("name", ["compact", "gist", "hybrid/gist"])
def test_what_comes_with_the_package_is_not_written_to(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A folder of that name is not the system's.
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir(parents=True)
    (tmp_path / name / "system.json").write_text("{}")
    with pytest.raises(ModelError, match=f"'{name}' has no folder .* give the folder of a system"):
        write_calibration(System.load(name), FITTED)
    assert (tmp_path / name / "system.json").read_text() == "{}"


def test_a_system_that_would_not_read_it_stays_as_it_is(data: Drawn, tmp_path: Path) -> None:
    system = train_vlad([data], VladSettings(components=2, dimension=2, size=48), tmp_path / "vlad")
    before = in_place_of(tmp_path / "vlad")
    for change in (check_writable, lambda one: write_calibration(one, FITTED)):
        with pytest.raises(ModelError, match="unknown setting 'calibration'"):
            change(system)
    assert in_place_of(tmp_path / "vlad") == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (replace(FITTED, slope=-1.0), "slopes of at least 0"),
        (replace(FITTED, intercept=float("nan")), "must hold the numbers"),
        (replace(FITTED, slope=1e7), "must hold the numbers"),
    ],
)
def test_what_could_not_be_loaded_again_is_not_written(
    system: System, wrong: Calibration, message: str
) -> None:
    before = in_place_of(Path(system.name))
    with pytest.raises(ModelError, match=message):
        write_calibration(system, wrong)
    assert in_place_of(Path(system.name)) == before


def test_an_end_in_the_middle_leaves_the_old_one(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(system.name) / "system.json"
    before = file.read_bytes()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_calibration(system, FITTED)
    assert file.read_bytes() == before
    monkeypatch.undo()
    write_calibration(System.load(system.name), FITTED)
    assert System.load(system.name).calibration == FITTED
