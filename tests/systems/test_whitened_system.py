"""`whitened`: fitted to small data sets that the test draws, written and read back."""

import json
from dataclasses import replace

import numpy as np
import pytest
from boxed_pictures import Boxed
from PIL import Image

pytest.importorskip("safetensors")

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import DatasetError, ModelError
from snapshelf.features.encoder import Domain
from snapshelf.features.whitening import WhitenedEncoder
from snapshelf.systems.registry import load_system
from snapshelf.systems.whitened import (
    WhitenedSettings,
    train_whitened,
    whitened_from_folder,
)


class Drawn:
    """Products of one colour and pattern each; street photos are darker."""

    name = "drawn"

    def __init__(self, folder, products=6, street=2, shop=1):
        rng = np.random.default_rng(8)
        self.items = []
        for number in range(products):
            cells = rng.integers(0, 256, (4, 4, 3), np.uint8)
            shades = [1.0] * shop + [0.4 + 0.1 * each for each in range(street)]
            files = []
            for each, shade in enumerate(shades):
                picture = Image.fromarray((cells * shade).astype(np.uint8)).resize((48, 48), 0)
                files.append(folder / f"{number}-{each}.png")
                picture.save(files[-1])
            item = TrainingItem(str(number), street=tuple(files[shop:]), shop=tuple(files[:shop]))
            self.items.append(item)

    def training_items(self):
        return self.items


@pytest.fixture
def data(tmp_path):
    (tmp_path / "pictures").mkdir()
    return Drawn(tmp_path / "pictures")


SETTINGS = WhitenedSettings(base="classical", dimension=9)


def read(folder):
    return whitened_from_folder(folder, json.loads((folder / "system.json").read_text()))


def test_is_written_and_read_back(tmp_path, data):
    trained = train_whitened([data], SETTINGS, tmp_path / "out")
    back = read(tmp_path / "out")
    assert back.encoder.dimension == 9
    assert back.fingerprint == trained.fingerprint
    assert back.fingerprint != load_system("classical").fingerprint
    notes = json.loads((tmp_path / "out" / "system.json").read_text())["notes"]
    assert notes == {"data": ["drawn"], "street_pictures": 12, "shop_pictures": 6, "power": 0.0}


def test_pictures_are_cut_to_their_boxes(tmp_path, data):
    plain = train_whitened([data], SETTINGS, tmp_path / "plain")
    boxed = Boxed(data, tmp_path / "boxed")
    assert train_whitened([boxed], SETTINGS, tmp_path / "out").fingerprint == plain.fingerprint
    for item in boxed.items:
        item.boxes.clear()
    whole = train_whitened([boxed], SETTINGS, tmp_path / "whole")
    assert whole.fingerprint != plain.fingerprint


def test_the_bases_other_parts_stay(tmp_path, data, monkeypatch):
    base = replace(load_system("classical"), distance="l1", reranker=object())
    monkeypatch.setattr("snapshelf.systems.whitened.load_base", lambda *_: base)
    system = train_whitened([data], SETTINGS, tmp_path / "out")
    assert (system.distance, system.reranker) == ("l1", base.reranker)
    assert system.locator is base.locator
    assert system.name == str(tmp_path / "out")


def test_each_side_is_centred(tmp_path, data):
    system = train_whitened(
        [data], WhitenedSettings(base="classical", dimension=None), tmp_path / "o"
    )
    base = load_system("classical").encoder
    assert system.encoder.dimension == base.dimension
    for domain in Domain:
        files = [
            file
            for item in data.items
            for file in (item.street if domain is Domain.STREET else item.shop)
        ]
        pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files]
        inputs = np.stack([base.prepare(picture, Domain.SHOP) for picture in pictures])
        plain = base.encode(inputs, domain).astype(np.float64)
        plain -= plain.mean(0)
        plain /= np.linalg.norm(plain, axis=1, keepdims=True)
        turned = system.encoder.encode(inputs, domain)
        np.testing.assert_allclose(turned @ turned.T, plain @ plain.T, atol=1e-3)


def test_the_base_may_lie_in_the_folder(tmp_path, data):
    """A relative base is looked for beside system.json, so that both can be moved together."""
    pytest.importorskip("torch")
    import timm
    import torch
    from safetensors.torch import save_file

    base = tmp_path / "base"
    base.mkdir()
    torch.manual_seed(0)
    save_file(timm.create_model("test_resnet").state_dict(), base / "w.safetensors")
    settings = {"system": "timm", "backbone": "test_resnet", "weights": "w.safetensors"}
    (base / "system.json").write_text(json.dumps(settings))
    out = tmp_path / "out"
    trained = train_whitened([data], WhitenedSettings(base=str(base), dimension=4), out)
    base.rename(out / "base")
    written = json.loads((out / "system.json").read_text())
    moved = whitened_from_folder(out, {**written, "base": "base"})
    assert moved.fingerprint == trained.fingerprint
    assert isinstance(moved.encoder, WhitenedEncoder)
    with pytest.raises(ModelError, match="there is no system"):
        whitened_from_folder(out, written)


def test_a_whitening_of_another_base_is_refused(tmp_path, data):
    out = tmp_path / "out"
    train_whitened([data], SETTINGS, out)
    from safetensors.numpy import load_file, save_file

    tensors = load_file(out / "whitening.safetensors")
    save_file(tensors, out / "whitening.safetensors", metadata={"encoder": "0" * 32})
    with pytest.raises(ModelError, match="fitted to another encoder"):
        read(out)


@pytest.mark.parametrize("base", [".", "../out", "{out}"])
def test_a_base_that_leads_back_is_refused(tmp_path, data, base):
    out = tmp_path / "out"
    train_whitened([data], SETTINGS, out)
    written = json.loads((out / "system.json").read_text())
    written["base"] = base.format(out=out)
    (out / "system.json").write_text(json.dumps(written))
    with pytest.raises(ModelError, match="must not be a whitened system itself"):
        read(out)


def test_a_name_of_the_user_that_leads_back_is_refused(tmp_path, data, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    out = tmp_path / "snapshelf" / "models" / "mine"
    train_whitened([data], SETTINGS, out)
    written = json.loads((out / "system.json").read_text()) | {"base": "mine"}
    with pytest.raises(ModelError, match="must not be a whitened system itself"):
        whitened_from_folder(out, written)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": 7}, "base must be a str"),
        ({"base": "no-such-system"}, "there is no system 'no-such-system'"),
        ({"base": "nul\0"}, "there is no system"),
        ({"whitening": "../x"}, "whitening must be a file in this folder"),
        ({"whitening": "none"}, "no whitening at"),
        ({"power": 1}, "unknown setting 'power'"),
    ],
)
def test_a_bad_setting_is_named(tmp_path, data, changes, message):
    train_whitened([data], SETTINGS, tmp_path / "out")
    written = json.loads((tmp_path / "out" / "system.json").read_text())
    with pytest.raises(ModelError, match=message):
        whitened_from_folder(tmp_path / "out", {**written, **changes})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"base": ""}, "base must be the name"),
        ({"dimension": 0}, "dimension must be at least 1, got 0"),
        ({"power": 0.7}, r"power must be in \[0, 0.5\], got 0.7"),
    ],
)
def test_settings_out_of_range(values, message):
    with pytest.raises(ValueError, match=message):
        WhitenedSettings(**values)


class TestTrainingThatCannotBegin:
    def test_a_folder_that_holds_something(self, tmp_path, data):
        (tmp_path / "pictures" / "note.txt").write_text("mine")
        with pytest.raises(ModelError, match="holds something; give a new folder"):
            train_whitened([data], SETTINGS, tmp_path / "pictures")

    def test_a_side_without_pictures(self, tmp_path):
        with pytest.raises(DatasetError, match="two pictures of each side, got 0 of the street"):
            train_whitened([Drawn(tmp_path, street=0)], SETTINGS, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_no_data(self, tmp_path):
        with pytest.raises(DatasetError, match="got 0 of the street"):
            train_whitened([], SETTINGS, tmp_path / "out")

    def test_a_picture_that_cannot_be_read(self, tmp_path, data):
        data.items[2].street[1].write_bytes(b"no picture")
        with pytest.raises(DatasetError, match=data.items[2].street[1].name):
            train_whitened([data], SETTINGS, tmp_path / "out")

    def test_a_dimension_that_the_base_does_not_have(self, tmp_path, data):
        with pytest.raises(ModelError, match="classical cannot be whitened: dimension must be in"):
            train_whitened(
                [data], WhitenedSettings(base="classical", dimension=100_000), tmp_path / "out"
            )
