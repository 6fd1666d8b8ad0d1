"""`hybrid`: any system with re-ranking on top, put together, fitted, written and read back."""

import importlib
import json
import re
from dataclasses import asdict, replace

import numpy as np
import pytest
from boxed_pictures import Boxed
from PIL import Image
from printed_labels import Labels

from snapshelf.catalog import Catalog
from snapshelf.cli.search import write_page
from snapshelf.datasets.training_item import TrainingItem
from snapshelf.errors import DatasetError, MissingWeightsError, ModelError, SystemMismatchError
from snapshelf.evaluation import collect_first_places, evaluate, fit_confidence
from snapshelf.matching.confidence import Calibration
from snapshelf.matching.local.fusion import Fusion, Shortlisted
from snapshelf.matching.local.published_reranking import PublishedReranker
from snapshelf.matching.local.settings import LocalSettings
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.matching.text_reranking import TextReranker
from snapshelf.shelf import Shelf
from snapshelf.systems.hybrid import (
    DEFAULT_ADDED_SLOPE,
    DEFAULT_FUSION,
    HybridSettings,
    hybrid_from_folder,
    train_hybrid,
)
from snapshelf.systems.hybrid_fitting import first_places, fit_hybrid, training_shortlists
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
    written = json.loads((tmp_path / "out" / "system.json").read_text())
    assert written["notes"] == {"data": ["labels"], "queries": 12}
    assert back.calibration == trained.calibration == Calibration(**written["calibration"])
    assert load_system(tmp_path / "out").fingerprint == trained.fingerprint


@pytest.mark.torch
def test_the_confidence_is_that_of_an_evaluation_on_the_same_photos(tmp_path, data):
    trained = train_hybrid([data], SETTINGS, tmp_path / "out")
    expected = fit_confidence(collect_first_places(evaluate(trained, data)))
    own, other = asdict(trained.calibration), asdict(expected)
    assert own == pytest.approx(other, rel=0.02, abs=0.02)
    assert trained.calibration.added_slope > 0
    matches = [(0.99, 0.0), (1.4, 0.5), (1.9, 0.95)]
    confidences = [trained.calibration.confidence(*match) for match in matches]
    assert confidences == sorted(confidences)


@pytest.mark.torch
def test_pictures_are_cut_to_their_boxes(tmp_path, data):
    plain = train_hybrid([data], SETTINGS, tmp_path / "plain")
    boxed = Boxed(data, tmp_path / "boxed")
    cut = train_hybrid([boxed], SETTINGS, tmp_path / "cut")
    assert (cut.reranker.fusion, cut.calibration) == (plain.reranker.fusion, plain.calibration)
    for item in boxed.items:
        item.boxes.clear()
    whole = train_hybrid([boxed], SETTINGS, tmp_path / "whole")
    assert whole.calibration != plain.calibration


def lists(count, seed=0):
    """Shortlists of a right product and nine others, which are told apart by chance."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        inliers = rng.integers(0, 12, 10)
        inliers[0] += 20 * (number % 2)
        right = np.arange(10) == 0
        found.append(Shortlisted(rng.normal(0.5, 0.1, 10), inliers, rng.uniform(-1, 1, 10), right))
    return found


def test_first_places_are_those_of_slow_loops():
    fusion = Fusion(0.1, 0.1, 4.0)
    shortlists = lists(30)
    places = first_places(shortlists, fusion)
    for number, each in enumerate(shortlists):
        fused = [
            deep + max(0.1 + 0.1 * colour, 0) * np.log(1 + max(inliers - 4, 0))
            for deep, inliers, colour in zip(each.deep, each.inliers, each.agreement, strict=True)
        ]
        for place, among in ((number, range(10)), (30 + number, range(1, 10))):
            best = max(among, key=lambda candidate: fused[candidate])
            assert places.similarities[place] == pytest.approx(fused[best])
            assert places.added[place] == pytest.approx(fused[best] - each.deep[best])
            assert places.right[place] == (best == 0)
            assert places.sold[place] == (place < 30)


def test_a_tie_counts_as_wrong_and_nothing_wrong_is_left_out():
    same, nothing = np.array([0.5, 0.5]), np.zeros(2, np.int64)
    tie = Shortlisted(same, nothing, np.zeros(2), np.array([True, False]))
    alone = Shortlisted(same[:1], nothing[:1], np.zeros(1), np.array([True]))
    places = first_places([tie, alone], DEFAULT_FUSION)
    assert places.right.tolist() == [False, True, False]
    assert places.sold.tolist() == [True, True, False]


@pytest.mark.torch
def test_where_no_photo_finds_its_product_no_confidence_is_fitted():
    never = [
        Shortlisted(each.deep + 9 * ~each.right, 0 * each.inliers, each.agreement, each.right)
        for each in lists(5)
    ]
    assert fit_hybrid(never).calibration is None
    fitted = fit_hybrid([*lists(40), replace(never[0], right=np.zeros(10, np.bool_))])
    assert fitted.calibration is not None
    assert fitted.queries == 40


class Twice(Labels):
    """Each product has a second shop picture, which is blank."""

    def __init__(self, folder):
        super().__init__(folder)
        for number, item in enumerate(self.items):
            blank = folder / f"blank-{item.product_id}.png"
            Image.new("RGB", (64, 64), (40 * number, 99, 9)).save(blank)
            self.items[number] = TrainingItem(item.product_id, item.street, (blank, *item.shop))


def test_a_shortlist_holds_each_product_once_by_its_best_picture(tmp_path, data):
    base = load_system("classical")
    settings = LocalSettings()
    found = [
        training_shortlists(
            [one], base, VerifiedReranker(settings, DEFAULT_FUSION, depth=4), settings,
            queries=5, seed=0, monitor=Monitor(),
        )
        for one in (data, Twice(tmp_path / "twice"))
    ]  # fmt: skip
    for plain, twice in zip(*found, strict=True):
        assert len(plain.deep) == len(twice.deep) == 4
        assert plain.deep == pytest.approx(twice.deep, abs=1e-6)
        assert plain.right.tolist() == twice.right.tolist()


def test_without_a_fitted_confidence_it_is_the_bases(tmp_path):
    base = load_system("classical").calibration
    named = load_system("hybrid/classical").calibration
    assert named == replace(base, added_slope=DEFAULT_ADDED_SLOPE)
    assert named.confidence(0.9) == base.confidence(0.9)

    def read_with(**settings):
        written = {"system": "hybrid", "base": "classical"} | settings
        (tmp_path / "system.json").write_text(json.dumps(written))
        return load_system(tmp_path).calibration

    embeddings_alone = replace(base, added_slope=0.0)
    assert read_with() == read_with(distance="l2") == read_with(depth=9) == named
    assert read_with(fusion={"weight": 0.3}) == embeddings_alone
    assert read_with(reranking="published") == embeddings_alone
    assert read_with(reranking="none").confidence(0.7) == base.confidence(0.7)
    # The base was calibrated for another distance.
    unknown = replace(Calibration(), added_slope=DEFAULT_ADDED_SLOPE)
    assert read_with(distance="l1") == unknown
    own = Calibration(3.0, -1.0, 0.25, 0.5)
    assert read_with(calibration=asdict(own)) == own


def test_matched_points_are_drawn_on_the_picture_that_matched(tmp_path, data):
    twice = Twice(tmp_path / "pictures")
    feed = tmp_path / "feed.csv"
    rows = [f"{i.product_id},{i.shop[0].name},{i.shop[1].name}\n" for i in twice.items]
    feed.write_text("id,image_link,additional_image_link\n" + "".join(rows))
    for picture in (tmp_path / "pictures").iterdir():
        (tmp_path / picture.name).write_bytes(picture.read_bytes())
    photo = twice.items[2].street[0]
    system = load_system("hybrid/classical")
    with Shelf.build(Catalog.open(feed), tmp_path / "shelf", system) as shelf:
        result = shelf.search(photo, top=1)
        write_page(tmp_path / "page.html", shelf, [(photo, result)], where="shelf")
    (match,) = result.items[0].matches
    assert (match.image, match.box) == (twice.items[2].shop[1].name, (0.0, 0.0, 260.0, 260.0))
    page = (tmp_path / "page.html").read_text()
    assert page.count("<line ") == min(match.evidence["inliers"], 60) > 6
    assert f"{match.evidence['inliers']} of {match.evidence['matches']} points agree" in page
    # The photo shows the label at four fifths of its size, and turned.
    ends = np.array(re.findall(r'<line x1="(.*?)" y1="(.*?)" x2="(.*?)" y2="(.*?)"', page), float)
    moved = np.linalg.lstsq(np.c_[ends[:, :2], np.ones(len(ends))], ends[:, 2:], rcond=None)[0]
    assert np.linalg.det(moved[:2]) == pytest.approx(1 / 0.8**2, rel=0.15)


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
        Shelf.open(tmp_path / "shelf", load_system("hybrid/compact"))


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
