"""`corrected`: a bank of street photos made from a small data set, written and read back."""

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
from snapshelf.features.hubness import hubness
from snapshelf.systems.corrected import (
    CorrectedSettings,
    corrected_from_folder,
    train_corrected,
)
from snapshelf.systems.registry import load_system
from snapshelf.systems.whitened import WhitenedSettings, train_whitened


class Drawn:
    """Products of random colour fields; street photos of the same product are darker."""

    name = "drawn"

    def __init__(self, folder, products=5, street=2):
        folder.mkdir()
        rng = np.random.default_rng(3)
        self.items = []
        for number in range(products):
            cells = rng.integers(0, 256, (4, 4, 3), np.uint8)
            files = [folder / f"{number}-{each}.png" for each in range(street + 1)]
            for each, file in enumerate(files):
                darker = (cells * (1 - 0.2 * each)).astype(np.uint8)
                Image.fromarray(darker).resize((48, 48), 0).save(file)
            item = TrainingItem(str(number), street=tuple(files[1:]), shop=(files[0],))
            self.items.append(item)

    def training_items(self):
        return self.items


@pytest.fixture
def data(tmp_path):
    return Drawn(tmp_path / "pictures")


SETTINGS = CorrectedSettings(base="classical", neighbours=3, weight=0.4)


def read(folder):
    return corrected_from_folder(folder, json.loads((folder / "system.json").read_text()))


def encode(encoder, files, domain):
    pictures = [np.asarray(Image.open(file).convert("RGB")) for file in files]
    return encoder.encode(np.stack([encoder.prepare(each, domain) for each in pictures]), domain)


def test_is_written_and_read_back(tmp_path, data):
    trained = train_corrected([data], SETTINGS, tmp_path / "out")
    back = read(tmp_path / "out")
    assert back.fingerprint == trained.fingerprint != load_system("classical").fingerprint
    assert back.encoder.dimension == load_system("classical").encoder.dimension + 1
    notes = json.loads((tmp_path / "out" / "system.json").read_text())["notes"]
    assert notes == {"data": ["drawn"], "street_pictures": 10, "neighbours": 3, "weight": 0.4}


def test_photos_are_cut_to_their_boxes(tmp_path, data):
    plain = train_corrected([data], SETTINGS, tmp_path / "plain")
    boxed = Boxed(data, tmp_path / "boxed")
    assert train_corrected([boxed], SETTINGS, tmp_path / "out").fingerprint == plain.fingerprint
    for item in boxed.items:
        item.boxes.clear()
    whole = train_corrected([boxed], SETTINGS, tmp_path / "whole")
    assert whole.fingerprint != plain.fingerprint


def test_the_bases_reranker_stays_and_l1_distance_is_refused(tmp_path, data, monkeypatch):
    base = replace(load_system("classical"), reranker=object())
    monkeypatch.setattr("snapshelf.systems.corrected.load_base", lambda *_: base)
    system = train_corrected([data], SETTINGS, tmp_path / "out")
    assert system.reranker is base.reranker
    assert system.name == str(tmp_path / "out")
    by_l1 = replace(base, distance="l1")
    monkeypatch.setattr("snapshelf.systems.corrected.load_base", lambda *_: by_l1)
    for use in (
        lambda: read(tmp_path / "out"),
        lambda: train_corrected([data], SETTINGS, tmp_path / "x"),
    ):
        with pytest.raises(ModelError, match="'classical' compares by L1 distance, which cannot"):
            use()
    assert not (tmp_path / "x").exists()


def test_the_bank_holds_the_street_photos(tmp_path, data):
    system = train_corrected([data], SETTINGS, tmp_path / "out")
    base = load_system("classical").encoder
    bank = encode(base, [file for item in data.items for file in item.street], Domain.STREET)
    shop = encode(base, [item.shop[0] for item in data.items], Domain.SHOP)
    held = encode(system.encoder, [item.shop[0] for item in data.items], Domain.SHOP)[:, -1]
    np.testing.assert_allclose(held, 0.4 * hubness(shop, bank, 3), atol=1e-3)


def test_a_large_bank_is_drawn_from(tmp_path, data):
    settings = CorrectedSettings(base="classical", neighbours=2, most=4)
    system = train_corrected([data], settings, tmp_path / "out")
    assert len(system.encoder.correction.bank) == 4
    again = train_corrected([data], settings, tmp_path / "again")
    assert again.fingerprint == system.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": 7}, "base must be a str"),
        ({"base": "no-such-system"}, "there is no system 'no-such-system'"),
        ({"base": "."}, "must not be a corrected system itself"),
        ({"correction": "../x"}, "correction must be a file in this folder"),
        ({"correction": "none"}, "no hubness correction at"),
        ({"weight": 1}, "unknown setting 'weight'"),
    ],
)
def test_a_bad_setting_is_named(tmp_path, data, changes, message):
    out = tmp_path / "out"
    train_corrected([data], SETTINGS, out)
    written = json.loads((out / "system.json").read_text())
    with pytest.raises(ModelError, match=message):
        corrected_from_folder(out, {**written, **changes})


def test_a_bank_of_another_base_is_refused(tmp_path, data):
    out = tmp_path / "out"
    train_corrected([data], SETTINGS, out)
    train_whitened([data], WhitenedSettings(base="classical", dimension=9), out / "other")
    written = json.loads((out / "system.json").read_text())
    with pytest.raises(ModelError, match="made with another encoder"):
        corrected_from_folder(out, {**written, "base": "other"})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"base": ""}, "base must be the name"),
        ({"neighbours": 0}, "expected 1 <= neighbours <= most, got neighbours=0"),
        ({"neighbours": 9, "most": 8}, "got neighbours=9, most=8"),
        ({"weight": 1.0}, r"weight must be in \[0, 1\), got 1.0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_settings_out_of_range(values, message):
    with pytest.raises(ValueError, match=message):
        CorrectedSettings(**values)


class TestTrainingThatCannotBegin:
    def test_a_folder_that_holds_something(self, tmp_path, data):
        with pytest.raises(ModelError, match="holds something; give a new folder"):
            train_corrected([data], SETTINGS, tmp_path / "pictures")

    def test_too_few_street_photos(self, tmp_path):
        data = Drawn(tmp_path / "few", products=2, street=1)
        with pytest.raises(DatasetError, match="at least 3 street photos, got 2"):
            train_corrected([data], SETTINGS, tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_a_picture_that_cannot_be_read(self, tmp_path, data):
        data.items[2].street[1].write_bytes(b"no picture")
        with pytest.raises(DatasetError, match=data.items[2].street[1].name):
            train_corrected([data], SETTINGS, tmp_path / "out")
