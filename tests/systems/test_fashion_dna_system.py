"""Training `fashion-dna`: on title pictures alone, gone on with, and hostile data."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from PIL import Image  # noqa: E402

from snapshelf.datasets.training_item import TrainingItem  # noqa: E402
from snapshelf.errors import MissingWeightsError, ModelError  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.fashion_dna import train_fashion_dna  # noqa: E402
from snapshelf.training.fashion_dna_settings import FashionDnaSettings  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.title_pictures import title_pictures  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402
from snapshelf.training.training_set import TrainingSet  # noqa: E402

TINY = FashionDnaSettings(
    backbone="test_resnet",
    weights="random",
    size=(48, 32),
    grid=(2, 1),
    fc1=16,
    branch=16,  # of six units, as the colours would have, all may die
    dimension=3,
    epochs=3,
    warmup_epochs=0,
    batch=3,
    learning_rate=3e-3,
    augmentation=False,
    num_workers=0,
)

KINDS = ("red", "green", "blue")


@dataclasses.dataclass(frozen=True)
class Toy:
    items: tuple
    name: str = "toy"

    def training_items(self):
        return self.items


def toy(folder, count=6, *, shop=1, label=None, name="toy"):
    """Articles of one colour each, which is their attribute; photos that show another."""
    folder.mkdir(exist_ok=True)
    colours = [(220, 30, 30), (30, 200, 40), (40, 60, 220)]
    items = []
    for number in range(count):
        files = {}
        for side, many, shift in (("street", 1, 1), ("shop", shop, 0)):
            files[side] = tuple(folder / f"{number}-{side}-{each}.png" for each in range(many))
            for each, file in enumerate(files[side]):
                noise = np.random.default_rng((number, each)).integers(-20, 20, (48, 36, 3))
                picture = np.clip(np.array(colours[(number + shift) % 3]) + noise, 0, 255)
                Image.fromarray(picture.astype(np.uint8)).save(file)
        kind = KINDS[number % 3]
        values = {"colour": (kind, kind)} if label is None else label(number, kind)
        items.append(TrainingItem(f"{name}{number}", files["street"], files["shop"], values))
    return Toy(tuple(items), name)


class Heard(Monitor):
    """Remembers what it hears, and stops after so many batches."""

    def __init__(self, stop_after=None):
        self.notes, self.epochs, self.batches = [], [], 0
        self.stop_after = stop_after

    def note(self, text):
        self.notes.append(text)

    def step(self, name, done, total):
        self.batches += name.startswith("epoch")

    def epoch(self, figures):
        self.epochs.append(figures)

    def should_stop(self):
        return self.stop_after is not None and self.batches >= self.stop_after


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dna")
    data = toy(folder / "data")
    for item in data.items:  # what is not looked at may be anything
        item.street[0].write_bytes(b"no picture")
    heard = Heard()
    settings = dataclasses.replace(TINY, epochs=8, pictures_per_epoch=36)
    system = train_fashion_dna([data], settings, folder / "out", monitor=heard)
    return system, heard, data, folder / "out"


def test_the_loss_falls_and_title_pictures_are_told_apart(trained):
    system, heard, data, _ = trained
    assert heard.epochs[-1].losses["loss"] < 0.7 * heard.epochs[0].losses["loss"]
    predictor = system.predictor
    assert dict(predictor.classes) == {
        "colour": (("blue", "blue"), ("green", "green"), ("red", "red"))
    }
    pictures = [np.array(Image.open(item.shop[0])) for item in data.items]
    found = predictor.predict(np.stack([predictor.prepare(p) for p in pictures]), Domain.SHOP)
    assert found["colour"].argmax(1).tolist() == [2, 1, 0, 2, 1, 0]
    rows = system.encoder.encode(
        np.stack([system.encoder.prepare(p, Domain.SHOP) for p in pictures]), Domain.SHOP
    )
    alike = rows @ rows.T - 2 * np.eye(len(rows))
    assert (alike.argmax(1) % 3).tolist() == [0, 1, 2, 0, 1, 2]
    assert "toy: 6 items, 0 street and 6 shop pictures" in heard.notes


def test_the_folder_is_the_system(trained):
    system, *_, out = trained
    again = System.load(out)
    assert again.fingerprint == system.fingerprint
    assert 1 <= again.encoder.dimension <= 3
    values = json.loads((out / "system.json").read_text())
    assert (values["system"], values["rows"], values["columns"]) == ("fashion-dna", 2, 1)
    assert values["notes"]["recipe"]["size"] == [48, 32]


def test_a_damaged_folder(trained, tmp_path):
    *_, out = trained
    for file in out.iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    values = json.loads((out / "system.json").read_text())
    for change, message in (({"fc1": 0}, "fc1 must be in"), ({"heel": 1}, "unknown setting")):
        (tmp_path / "system.json").write_text(json.dumps(values | change))
        with pytest.raises(ModelError, match=message):
            System.load(tmp_path)


def test_cut_off_and_gone_on_with_gives_the_same(tmp_path):
    data = toy(tmp_path / "data")
    whole = train_fashion_dna([data], TINY, tmp_path / "whole")
    with pytest.raises(TrainingStopped):  # 6 pictures are 2 batches of each of 3 epochs
        train_fashion_dna([data], TINY, tmp_path / "out", monitor=Heard(stop_after=3))
    with pytest.raises(TrainingError, match="add --resume"):
        train_fashion_dna([data], TINY, tmp_path / "out")
    system = train_fashion_dna([data], TINY, tmp_path / "out", resume=True)
    assert system.fingerprint == whole.fingerprint
    # The last stage alone is done anew.
    for name in ("system.json", "projection.safetensors"):
        (tmp_path / "out" / name).unlink()
    heard = Heard()
    again = train_fashion_dna([data], TINY, tmp_path / "out", monitor=heard, resume=True)
    assert heard.epochs == []
    assert again.fingerprint == whole.fingerprint
    heard = Heard()
    train_fashion_dna([data], TINY, tmp_path / "out", monitor=heard, resume=True)
    assert heard.notes == []
    other = dataclasses.replace(TINY, fc1=9)
    with pytest.raises(TrainingError, match=r"recipe\.fc1 was 16, is 9"):
        train_fashion_dna([data], other, tmp_path / "out", resume=True)


# --- hostile data ---------------------------------------------------------------------------


def test_attributes_that_few_items_have_and_of_one_value(tmp_path):
    def label(number, kind):
        rare = {"pattern": (("dots", "dots"), ("lines", "lines"))[number]} if number < 2 else {}
        colour = {"colour": (kind, kind)} if number != 3 else {}
        return {"made": ("by hand", "by hand"), **colour, **rare} if number != 5 else {}

    heard = Heard()
    data = toy(tmp_path / "data", label=label)
    system = train_fashion_dna([data], TINY, tmp_path / "out", monitor=heard)
    assert list(system.predictor.classes) == ["colour", "pattern"]
    assert any(note.startswith("attribute made is left out: all 5") for note in heard.notes)
    # The fourth has no attribute but the one that is left out.
    assert "items without any label, for the projections only: 2" in heard.notes


def test_nothing_to_learn_is_refused_before_a_folder_is_made(tmp_path):
    data = toy(tmp_path / "data", label=lambda number, kind: {"made": ("by hand", "by hand")})
    with pytest.raises(TrainingError, match="none with two values or more"):
        train_fashion_dna([data], TINY, tmp_path / "out")
    with pytest.raises(TrainingError, match="0 of 6 items have one; add a data set"):
        train_fashion_dna([toy(tmp_path / "street", shop=0)], TINY, tmp_path / "out")
    published = dataclasses.replace(TINY, backbone="snapshelf/fashion-dna", weights="hub")
    with pytest.raises(MissingWeightsError, match="published nowhere"):
        train_fashion_dna([toy(tmp_path / "data")], published, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_articles_that_all_look_the_same_cannot_be_projected(tmp_path):
    data = toy(tmp_path / "data")
    for item in data.items:
        Image.new("RGB", (1, 1), "white").save(item.shop[0])
    with pytest.raises(TrainingError, match="features of title pictures cannot be projected"):
        train_fashion_dna([data], TINY, tmp_path / "out")


def test_title_pictures_of_a_set(tmp_path):
    mixed = toy(tmp_path / "mixed", count=3, shop=2)
    bare = toy(tmp_path / "bare", count=2, shop=0, name="bare")
    items = (mixed.items[0], dataclasses.replace(mixed.items[1], shop=()), mixed.items[2])
    whole = TrainingSet.collect([bare, Toy(items, "mixed")], mattes=False)
    titles = title_pictures(whole)
    assert titles.names == ("mixed",)
    assert [item.product_id for item in titles.items] == ["toy0", "toy2"]
    assert titles.sources == (0, 0)
    assert [own.street for own in titles.pictures] == [(), ()]
    paths = [[titles.wanted[n].path for n in own.shop] for own in titles.pictures]
    assert paths == [list(items[0].shop), list(items[2].shop)]
    assert set(titles.domains) == {Domain.SHOP}
    assert len(titles.wanted) == len(titles.domains) == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": (256,)}, r"size must be \(height, width\) within"),
        ({"size": (256, 8)}, r"size must be \(height, width\) within"),
        ({"grid": (7, 0)}, r"grid must be \(rows, columns\) of at least 1"),
        ({"branch": -1}, "branch must be finite and at least 0"),
        ({"warmup_epochs": 99.0}, "warmup_epochs must be in"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"batch_norm": "none"}, "batch_norm must be one of"),
        ({"projection_pictures": 1}, "projection_pictures must be finite and at least 2"),
    ],
)
def test_settings_out_of_range(change, message):
    with pytest.raises(ValueError, match=message):
        FashionDnaSettings(**change)
