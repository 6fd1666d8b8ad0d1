"""`fisher` and `vlad`: learned from pictures on disk, kept as a folder, loaded again."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pytest

from snapshelf.datasets.registry import open_dataset
from snapshelf.datasets.training_item import TrainingData, TrainingItem
from snapshelf.errors import ModelError
from snapshelf.features.classical.codebook_settings import FisherSettings, VladSettings
from snapshelf.features.encoder import Domain
from snapshelf.media.decode import decode_picture
from snapshelf.systems.codebook import (
    _choose,
    fisher_from_folder,
    train_fisher,
    train_vlad,
    vlad_from_folder,
)
from snapshelf.training.monitor import Monitor, TrainingStopped
from snapshelf.training.training_error import TrainingError

pytest.importorskip("sklearn")

SMALL = {"components": 4, "dimension": 8, "size": 64, "pictures": 20, "per_picture": 40}
KINDS = {
    "fisher": (train_fisher, fisher_from_folder, FisherSettings(**SMALL)),
    "vlad": (train_vlad, vlad_from_folder, VladSettings(**SMALL, intra_normalise=True)),
}


@dataclass
class Pictures:
    """Training data as a test needs it."""

    items: list = field(default_factory=list)
    name = "pictures"

    def training_items(self):
        return self.items


def draw(path, seed, size=(80, 70)):
    random = np.random.default_rng(seed)
    picture = np.full((*size, 3), 255, np.uint8)
    for _ in range(12):
        place = random.integers(4, min(size) - 4, 2).tolist()
        shade = random.integers(0, 200, 3).tolist()
        cv2.circle(picture, place, int(random.integers(2, 9)), shade, -1)
    assert cv2.imwrite(str(path), picture)
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    return Pictures(
        [
            TrainingItem(
                f"p{number}",
                street=(draw(folder / f"street{number}.png", 100 + number),),
                shop=(draw(folder / f"shop{number}.png", number),),
            )
            for number in range(4)
        ]
    )


@pytest.fixture(scope="module", params=KINDS)
def trained(request, data, tmp_path_factory):
    train, load, settings = KINDS[request.param]
    out = tmp_path_factory.mktemp("systems") / request.param
    return request.param, train([data], settings, out), out, load


def rewrite(folder, target, **changes):
    """Copy a trained folder with another ``system.json``."""
    target.mkdir(exist_ok=True)
    (target / "codebook.safetensors").write_bytes((folder / "codebook.safetensors").read_bytes())
    settings = json.loads((folder / "system.json").read_text()) | changes
    (target / "system.json").write_text(json.dumps(settings))
    return settings


def test_the_test_data_is_training_data(data):
    assert isinstance(data, TrainingData)


def test_a_folder_gives_the_same_system_again(trained, data):
    name, system, out, load = trained
    settings = json.loads((out / "system.json").read_text())
    assert settings["system"] == name
    assert settings["learned_from"]["data"] == ["pictures"]
    assert settings["learned_from"]["pictures"] == 8
    again = load(out, settings)
    assert again.fingerprint == system.fingerprint
    assert again.name == str(out)
    picture = cv2.imread(str(data.items[0].shop[0]))[..., ::-1]
    inputs = system.encoder.prepare(picture, Domain.SHOP)[None]
    embedding = system.encoder.encode(inputs, Domain.SHOP)
    assert embedding.shape == (1, 4 * 8 * (2 if name == "fisher" else 1))
    np.testing.assert_array_equal(again.encoder.encode(inputs, Domain.SHOP), embedding)


def test_training_again_gives_the_same_fingerprint(trained, data, tmp_path):
    name, system, _, _ = trained
    train, _, settings = KINDS[name]
    assert train([data], settings, tmp_path / "again").fingerprint == system.fingerprint


def test_the_fingerprint_covers_settings_and_codebook(trained, tmp_path):
    _, system, out, load = trained
    given = json.loads((out / "system.json").read_text())["settings"]
    prints = {system.fingerprint}
    for number, change in enumerate(
        ({"fit": "squash"}, {"size": 72}, {"features": given["features"] | {"root": False}})
    ):
        target = tmp_path / str(number)
        prints.add(load(target, rewrite(out, target, settings=given | change)).fingerprint)
    target = tmp_path / "codebook"
    values = rewrite(out, target)
    file = target / "codebook.safetensors"
    # The last value of a tensor that no check looks into.
    content = bytearray(file.read_bytes())
    content[-4:] = np.float32(0.125).tobytes()
    file.write_bytes(content)
    prints.add(load(target, values).fingerprint)
    assert len(prints) == 5


def test_what_the_codebook_was_learned_from_is_no_part_of_the_fingerprint(trained, tmp_path):
    _, system, out, load = trained
    assert load(tmp_path, rewrite(out, tmp_path, learned_from={})).fingerprint == system.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"odd": 1}, "unknown setting 'odd'; expected system, settings, learned_from"),
        ({"settings": 3}, "settings must be a table, got 3"),
        ({"settings": None}, "settings must be a table, got None"),
        ({"settings": {"componets": 4}}, "unknown setting 'componets'"),
        ({"settings": {"size": "large"}}, "size must be a whole number, got 'large'"),
        ({"settings": {"size": 4}}, r"size must be in \[16, 2048\], got 4"),
        ({"settings": {"fit": "stretch"}}, "fit must be one of"),
        ({"settings": {"features": {"root": 1}}}, "root must be true or false, got 1"),
        ({"settings": {}}, r"holds words of shape \(4, 8\).* says \(64, 64\).*train it anew"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(trained, tmp_path, changes, message):
    _, _, out, load = trained
    with pytest.raises(ModelError, match=message):
        load(tmp_path, rewrite(out, tmp_path, **changes))


def test_a_codebook_that_is_missing_or_of_the_other_system_is_refused(trained, data, tmp_path):
    name, _, out, load = trained
    values = rewrite(out, tmp_path)
    (tmp_path / "codebook.safetensors").unlink()
    with pytest.raises(ModelError, match=r"codebook\.safetensors cannot be read: No such file"):
        load(tmp_path, values)
    other = "vlad" if name == "fisher" else "fisher"
    train, _, settings = KINDS[other]
    train([data], settings, tmp_path / "other")
    with pytest.raises(ModelError, match=r"lacks the tensor '(mixture\.weights|centroids)'"):
        load(tmp_path / "other", values)


class TestTraining:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_folder_that_holds_something_is_left_alone(self, kind, data, tmp_path):
        train, _, settings = KINDS[kind]
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(
            TrainingError, match="holds something else than a training; give another"
        ):
            train([data], settings, tmp_path)
        with pytest.raises(TrainingError, match="is a file; give a folder"):
            train([data], settings, tmp_path / "notes.txt")
        assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]

    @pytest.mark.parametrize("kind", KINDS)
    def test_pictures_that_show_nothing_are_too_few(self, kind, tmp_path):
        train, _, settings = KINDS[kind]
        path = tmp_path / "plain.png"
        cv2.imwrite(str(path), np.full((50, 50, 3), 255, np.uint8))
        plain = Pictures([TrainingItem("p", street=(), shop=(path,))])
        with pytest.raises(
            TrainingError, match="0 descriptors were found in 1 pictures, at least 8"
        ):
            train([plain], settings, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_no_picture_at_all_is_an_error(self, tmp_path):
        with pytest.raises(TrainingError, match="no picture to learn from in pictures"):
            train_vlad([Pictures()], VladSettings(), tmp_path / "out")
        with pytest.raises(TrainingError, match="no picture to learn from in no data set"):
            train_vlad([], VladSettings(), tmp_path / "out")

    @pytest.mark.parametrize("content", [None, b"no picture"])
    def test_a_picture_that_cannot_be_read_is_named(self, tmp_path, content):
        path = tmp_path / "broken.jpg"
        if content is not None:
            path.write_bytes(content)
        broken = Pictures([TrainingItem("p", street=(path,), shop=())])
        with pytest.raises(
            TrainingError, match=r"a training picture cannot be used: [^:]*broken\.jpg"
        ):
            train_fisher([broken], FisherSettings(), tmp_path / "out")
        assert not (tmp_path / "out").exists()

    @pytest.mark.parametrize("kind", KINDS)
    def test_the_monitor_hears_of_pictures_and_can_stop(self, kind, data, tmp_path):
        train, _, settings = KINDS[kind]
        steps = []

        class Impatient(Monitor):
            def step(self, name, done, total):
                steps.append((name, done, total))

            def should_stop(self):
                return len(steps) == 3

        with pytest.raises(TrainingStopped):
            train([data], settings, tmp_path / "out", monitor=Impatient())
        assert steps == [("pictures", done, 8) for done in range(3)]
        assert not (tmp_path / "out").exists()

    def test_the_box_alone_is_learned_from(self, tmp_path):
        path = draw(tmp_path / "boxed.png", 5, size=(160, 160))
        settings = VladSettings(**SMALL | {"components": 2, "dimension": 2})
        systems = []
        for number, box in enumerate(({}, {path: (0.0, 0.0, 80.0, 80.0)})):
            item = TrainingItem("p", street=(), shop=(path,), boxes=box)
            systems.append(train_vlad([Pictures([item])], settings, tmp_path / str(number)))
        assert systems[0].fingerprint != systems[1].fingerprint


class TestChoice:
    def choose(self, street, shop, pictures, seed=0):
        items = [
            TrainingItem(
                "p",
                tuple(Path(f"street{number}") for number in range(street)),
                tuple(Path(f"shop{number}") for number in range(shop)),
            )
        ]
        settings = VladSettings(pictures=pictures, seed=seed)
        return [path.name for path, _ in _choose([Pictures(items)], settings)]

    @pytest.mark.parametrize(
        ("street", "shop", "pictures", "expected"),
        [
            (100, 100, 10, (5, 5)),
            (100, 100, 11, (6, 5)),
            (100, 3, 10, (7, 3)),
            (2, 100, 10, (2, 8)),
            (2, 3, 10, (2, 3)),
            (0, 30, 10, (0, 10)),
            (30, 0, 10, (10, 0)),
            (9, 9, 1, (1, 0)),
        ],
    )
    def test_half_comes_from_each_side_as_far_as_there_are(self, street, shop, pictures, expected):
        names = self.choose(street, shop, pictures)
        assert len(set(names)) == len(names)
        counts = tuple(sum(name.startswith(side) for name in names) for side in ("street", "shop"))
        assert counts == expected

    def test_the_seed_decides(self):
        assert self.choose(50, 50, 10) == self.choose(50, 50, 10)
        assert self.choose(50, 50, 10) != self.choose(50, 50, 10, seed=1)


@pytest.mark.data
@pytest.mark.parametrize("kind", KINDS)
def test_shop_pictures_closer_up_and_in_other_light_find_themselves(kind, data_dir, tmp_path):
    grocery = open_dataset(f"grocery:{data_dir / 'grocery'}")
    paths = [grocery.root / image for product in grocery.products() for image in product.images]
    pictures = [decode_picture(path.read_bytes()) for path in paths]
    data = Pictures([TrainingItem("all", street=(), shop=tuple(paths[::3]))])
    train, _, small = KINDS[kind]
    encoder = train([data], type(small)(size=144, components=8), tmp_path / kind).encoder

    def embed(*some):
        return encoder.encode(
            np.stack([encoder.prepare(one, Domain.SHOP) for one in some]), Domain.SHOP
        )

    def changed(picture):
        height, width = picture.shape[:2]
        part = picture[height // 16 : -height // 16, width // 16 : -width // 16]
        return (cv2.GaussianBlur(part, (0, 0), 0.8) * 0.7).astype(np.uint8)

    queries = range(0, len(pictures), 4)
    similarity = embed(*(changed(pictures[number]) for number in queries)) @ embed(*pictures).T
    assert np.mean(similarity.argmax(axis=1) == queries) > 0.8
