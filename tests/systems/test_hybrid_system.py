"""`hybrid`: any system with re-ranking on top, put together, fitted, written and read back."""

import importlib
import json
from dataclasses import replace

import pytest
from printed_labels import Labels

from snapshelf.catalog import Catalog
from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import DatasetError, MissingWeightsError, ModelError, SystemMismatchError
from snapshelf.matching.local.published_reranking import PublishedReranker
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.text_reranking import TextReranker
from snapshelf.shelf import Shelf
from snapshelf.systems.hybrid import (
    DEFAULT_FUSION,
    HybridSettings,
    hybrid_from_folder,
    train_hybrid,
)
from snapshelf.systems.registry import load_system
from snapshelf.training.monitor import Monitor, TrainingStopped


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return Labels(tmp_path_factory.mktemp("labels") / "pictures")


SETTINGS = HybridSettings(base="classical")


def read(folder):
    return hybrid_from_folder(folder, json.loads((folder / "system.json").read_text()))


@pytest.mark.torch
def test_is_fitted_written_and_read_back(tmp_path, data):
    trained = train_hybrid([data], SETTINGS, tmp_path / "out")
    back = read(tmp_path / "out")
    assert back.fingerprint == trained.fingerprint
    assert isinstance(back.reranker, VerifiedReranker)
    assert back.reranker.fusion == trained.reranker.fusion
    assert back.reranker.fusion.weight > 0.02, "key points alone tell these apart"
    notes = json.loads((tmp_path / "out" / "system.json").read_text())["notes"]
    assert notes == {"data": ["labels"], "queries": 12}
    assert load_system(tmp_path / "out").fingerprint == trained.fingerprint


def test_a_shelf_is_searched_with_verified_key_points(tmp_path, data):
    feed = tmp_path / "feed.csv"
    for item in data.items:
        (tmp_path / item.shop[0].name).write_bytes(item.shop[0].read_bytes())
    feed.write_text(
        "id,title,image\n"
        + "".join(f"{i.product_id},Label {i.product_id},{i.shop[0].name}\n" for i in data.items)
    )
    system = load_system("hybrid/classical")
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", system) as shelf:
        for item in data.items:
            for photo in item.street:
                matches = shelf.search(photo).items[0].matches
                assert matches[0].product.id == item.product_id
                assert matches[0].evidence["inliers"] > DEFAULT_FUSION.chance
                similarities = [match.similarity for match in matches]
                assert similarities == sorted(similarities, reverse=True)
    with Shelf.open(tmp_path / "shelf") as shelf:
        assert shelf.system.name == "hybrid/classical"
    with pytest.raises(SystemMismatchError):
        Shelf.open(tmp_path / "shelf", load_system("hybrid/standard"))


def test_the_base_is_named_after_the_slash():
    base, system = load_system("classical"), load_system("hybrid/classical")
    assert system.name == "hybrid/classical"
    assert system.embedding_fingerprint == base.fingerprint
    assert system.encoder.fingerprint == base.encoder.fingerprint
    assert isinstance(system.reranker, VerifiedReranker)
    assert system.reranker.depth == 100


def test_everything_can_be_set_by_hand(tmp_path):
    written = {
        "system": "hybrid",
        "base": "classical",
        "distance": "l1",
        "reranking": "published",
        "depth": 7,
    }
    (tmp_path / "system.json").write_text(json.dumps(written))
    system = load_system(tmp_path)
    assert isinstance(system.reranker, PublishedReranker)
    assert system.reranker.depth == 7
    assert system.distance == "l1"
    written |= {"reranking": "verified", "local": {"ratio": 0.7}, "fusion": {"weight": 0.3}}
    (tmp_path / "system.json").write_text(json.dumps(written))
    reranker = load_system(tmp_path).reranker
    assert reranker.settings == replace(LocalSettings(), ratio=0.7)
    assert (reranker.fusion.weight, reranker.fusion.chance) == (0.3, DEFAULT_FUSION.chance)
    (tmp_path / "system.json").write_text(json.dumps(written | {"reranking": "none"}))
    assert load_system(tmp_path).reranker is None


class KnownText:
    """Reads from a label's pixels which it is: all of one kind have a print of the same colours."""

    fingerprint = "known"

    def read(self, picture):
        return (f"word{picture.mean(axis=(0, 1)).argmax()}", "label")


def test_text_is_a_third_signal_that_is_fitted_too(tmp_path, data, monkeypatch):
    monkeypatch.setattr("snapshelf.text.text_reader.TextReader", KnownText)
    trained = train_hybrid([data], replace(SETTINGS, text=True), tmp_path / "out")
    written = json.loads((tmp_path / "out" / "system.json").read_text())
    assert written["text"] is True
    back = read(tmp_path / "out").reranker
    assert isinstance(back, TextReranker)
    assert back.verified.fusion.text == written["fusion"]["text"] > 0
    assert back.fingerprint == trained.reranker.fingerprint
    plain = load_system("hybrid/classical")
    assert isinstance(plain.reranker, VerifiedReranker), "off by default"
    assert plain.reranker.fingerprint != back.fingerprint


def test_without_the_networks_text_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr("snapshelf.text.text_models.find_spec", lambda name: None)
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path / "weights"))
    written = {"system": "hybrid", "base": "classical", "text": True}
    (tmp_path / "system.json").write_text(json.dumps(written))
    with pytest.raises(MissingWeightsError, match=r"pip install 'snapshelf\[ocr\]'"):
        load_system(tmp_path)


@pytest.mark.torch
def test_learned_matching_takes_the_place_of_sift(tmp_path, data, monkeypatch):
    feature = pytest.importorskip("kornia.feature", reason="needs kornia, of the extra `torch`")
    learned = importlib.import_module("snapshelf.matching.local.learned_matching")
    monkeypatch.setattr(learned, "load_disk", feature.DISK)
    monkeypatch.setattr(
        learned, "load_lightglue", lambda: feature.LightGlue(None, input_dim=128, n_layers=1)
    )
    settings = replace(
        SETTINGS, reranking="learned", local=LocalSettings(query_side=64, shop_side=64), depth=3
    )
    reranker = train_hybrid([data], settings, tmp_path / "out").reranker
    assert isinstance(reranker, VerifiedReranker)
    assert isinstance(reranker.method, learned.LearnedMethod)
    assert json.loads((tmp_path / "out" / "system.json").read_text())["reranking"] == "learned"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"base": "hybrid/classical"}, "the base must not be a hybrid system itself"),
        ({"base": "nothing"}, "there is no system 'nothing'"),
        ({"base": ""}, "base must be the name or folder of a system"),
        ({"distance": "manhattan"}, "distance must be one of"),
        ({"reranking": "perhaps"}, "reranking must be one of 'verified', 'learned', 'published'"),
        ({"text": 1}, "text must be a bool"),
        ({"text": True, "reranking": "published"}, "text must be false where reranking is 'publ"),
        ({"text": True, "reranking": "none"}, "text must be false where reranking is 'none'"),
        ({"fusion": {"text": -1}}, "text must be a number of at least 0"),
        ({"depth": 0}, "depth must be at least 1, got 0"),
        ({"depth": "7"}, "depth must be a int"),
        ({"local": {"sides": 3}}, "unknown setting 'sides'"),
        ({"local": {"ratio": 2}}, r"ratio must be in \(0, 1\], got 2"),
        ({"fusion": {"weight": -1}}, "weight must be a number of at least 0"),
        ({"fusion": {"heavy": 1}}, "unknown setting 'heavy'"),
        ({"colour": "red"}, "unknown setting 'colour'"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path, wrong, message):
    written = {"system": "hybrid", "base": "classical"} | wrong
    (tmp_path / "system.json").write_text(json.dumps(written))
    with pytest.raises(ModelError, match=message):
        load_system(tmp_path)


def test_a_base_is_needed(tmp_path):
    (tmp_path / "system.json").write_text('{"system": "hybrid"}')
    with pytest.raises(ModelError, match="the setting 'base' is missing"):
        load_system(tmp_path)


def test_a_hybrid_of_a_hybrid_is_refused():
    with pytest.raises(ModelError, match="the base must not be a hybrid system itself"):
        load_system("hybrid/hybrid/classical")


@pytest.mark.parametrize(
    "wrong", [{"depth": 0}, {"queries": 0}, {"seed": -1}, {"base": ""}], ids=str
)
def test_settings_out_of_range_are_named(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        HybridSettings(**wrong)


def test_data_without_photos_cannot_be_fitted_on(tmp_path, data):
    class ShopOnly:
        name = "shop only"

        def training_items(self):
            return [TrainingItem(i.product_id, (), i.shop) for i in data.items]

    with pytest.raises(DatasetError, match="fusion needs street photos of products"):
        train_hybrid([ShopOnly()], SETTINGS, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_published_form_needs_no_data(tmp_path):
    settings = HybridSettings(base="classical", reranking="published")
    system = train_hybrid([], settings, tmp_path / "out")
    assert isinstance(system.reranker, PublishedReranker)


def test_a_folder_that_holds_something_is_left_alone(tmp_path, data):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ModelError, match="holds something"):
        train_hybrid([data], SETTINGS, tmp_path)


def test_a_fit_can_be_stopped(tmp_path, data):
    class Impatient(Monitor):
        def should_stop(self):
            return True

    with pytest.raises(TrainingStopped):
        train_hybrid([data], SETTINGS, tmp_path / "out", monitor=Impatient())
    assert not (tmp_path / "out").exists()
