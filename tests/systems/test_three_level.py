"""Training `three-level`: stage by stage, gone on with, and hostile data."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from coloured_products import TINY, Toy, toy  # noqa: E402
from PIL import Image  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.backbones import feature_map  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.level_weights import LevelWeights  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing, normalise  # noqa: E402
from snapshelf.locating import Region, WholePicture  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.three_level import (  # noqa: E402
    start_network,
    three_level_from_folder,
    train_three_level,
    write_pretrained_fc1,
)
from snapshelf.training.attributes import AttributeTable  # noqa: E402
from snapshelf.training.batches import ViewBatch  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.sag_module import SagModule  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402


class Heard(Monitor):
    """Remembers what it hears, and stops after so many batches of a network."""

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


def stacked(system, items, side):
    pictures = [np.array(Image.open(path)) for item in items for path in getattr(item, side)]
    return np.stack([system.encoder.prepare(picture, Domain.STREET) for picture in pictures])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    data = toy(folder / "data")
    heard = Heard()
    settings = dataclasses.replace(
        TINY,
        street_epochs=6,
        shop_epochs=6,
        pictures_per_epoch=48,
        optimizer="adamw",
        learning_rate=3e-3,
    )
    system = train_three_level([data], settings, folder / "out", monitor=heard)
    return system, heard, data, settings, folder / "out"


def test_the_losses_fall_and_the_attribute_is_predicted(trained):
    system, heard, data, *_ = trained
    street, shop = heard.epochs[:6], heard.epochs[6:]
    assert len(shop) == 6
    for side in (street, shop):
        assert side[-1].losses["loss"] < 0.7 * side[0].losses["loss"]
    predictor = system.predictor
    assert dict(predictor.classes) == {
        "colour": (("blue", "blue"), ("green", "green"), ("red", "red"))
    }
    for domain, side in ((Domain.STREET, "street"), (Domain.SHOP, "shop")):
        pictures = [np.array(Image.open(p)) for item in data.items for p in getattr(item, side)]
        found = predictor.predict(np.stack([predictor.prepare(p) for p in pictures]), domain)
        np.testing.assert_allclose(found["colour"].sum(1), 1, atol=1e-5)
        many = len(pictures) // len(data.items)
        expected = [[2, 1, 0][number % 3] for number in range(6) for _ in range(many)]
        assert (found["colour"].argmax(1) == expected).mean() > 0.8


def test_the_folder_is_the_system(trained):
    system, _, data, settings, out = trained
    again = System.load(out)
    assert again.fingerprint == system.fingerprint
    assert system.encoder.dimension == settings.dimension
    inputs = stacked(system, data.items, "street")
    found = again.encoder.encode(inputs, Domain.STREET)
    np.testing.assert_allclose(found, system.encoder.encode(inputs, Domain.STREET), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    shop = again.encoder.encode(stacked(system, data.items, "shop"), Domain.SHOP)
    nearest = (found @ shop.T).argmax(1)
    kinds = np.repeat(np.arange(6) % 3, 2)
    assert (nearest % 3 == kinds).mean() > 0.8


def test_the_two_networks_are_two(trained):
    from safetensors.torch import load_file

    *_, out = trained
    street, shop = load_file(out / "street.safetensors"), load_file(out / "shop.safetensors")
    assert street.keys() == shop.keys()
    assert not torch.equal(street["first.weight"], shop["first.weight"])


def test_cut_off_and_gone_on_with_gives_the_same_and_no_stage_is_done_twice(tmp_path):
    data = toy(tmp_path / "data")
    whole = train_three_level([data], TINY, tmp_path / "whole")
    # 12 street pictures are 3 batches of each of 2 epochs, 6 shop pictures 1.
    heard = Heard(stop_after=2)
    with pytest.raises(TrainingStopped):
        train_three_level([data], TINY, tmp_path / "out", monitor=heard)
    assert not (tmp_path / "out" / "street.safetensors").exists()
    heard = Heard(stop_after=5)
    with pytest.raises(TrainingStopped):
        train_three_level([data], TINY, tmp_path / "out", monitor=heard, resume=True)
    assert (tmp_path / "out" / "street.safetensors").exists()
    assert not (tmp_path / "out" / "shop.safetensors").exists()
    heard = Heard()
    system = train_three_level([data], TINY, tmp_path / "out", monitor=heard, resume=True)
    assert "the network of the street side" not in heard.notes
    assert system.fingerprint == whole.fingerprint
    heard = Heard()
    again = train_three_level([data], TINY, tmp_path / "out", monitor=heard, resume=True)
    assert (heard.notes, heard.epochs) == ([], [])
    assert again.fingerprint == whole.fingerprint
    # One stage alone is done anew.
    for name in ("system.json", "projection.safetensors"):
        (tmp_path / "out" / name).unlink()
    heard = Heard()
    again = train_three_level([data], TINY, tmp_path / "out", monitor=heard, resume=True)
    assert heard.epochs == []
    assert again.fingerprint == whole.fingerprint
    with pytest.raises(TrainingError, match="add --resume"):
        train_three_level([data], TINY, tmp_path / "out")
    other = dataclasses.replace(TINY, branch=9)
    with pytest.raises(TrainingError, match=r"recipe\.branch was 8, is 9"):
        train_three_level([data], other, tmp_path / "out", resume=True)


# --- one step -------------------------------------------------------------------------------


@pytest.mark.parametrize("balanced", [False, True])
def test_a_step_is_the_mean_cross_entropy_of_known_attributes(balanced):
    settings = dataclasses.replace(TINY, balanced=balanced)
    counts = [[3, 1], [1, 2, 1]]
    table = AttributeTable(
        ("a", "b"),
        tuple(tuple((str(g), str(g)) for g in range(len(count))) for count in counts),
        tuple(map(tuple, counts)),
    )
    network, _ = start_network(settings, table)
    spec = Preprocessing(size=(32, 32), mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.25))
    labels = np.array([[0, 2], [1, -1], [-1, -1], [0, 0]])
    module = SagModule(
        network, spec, settings, labels=labels, counts=counts, epochs=1, steps_per_epoch=1
    )
    logged = {}
    module.log_dict = lambda values, **kwargs: logged.update(values)
    pictures = torch.randint(
        0, 256, (4, 1, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )
    items = torch.tensor([3, 1, 2, 0])
    nothing = torch.zeros(4, dtype=torch.bool)
    loss = module.training_step(ViewBatch(pictures, items, torch.ones(4), nothing), 0)

    scaled = (pictures[:, 0].numpy() / 255 - np.reshape(spec.mean, (3, 1, 1))) / np.reshape(
        spec.std, (3, 1, 1)
    )
    with torch.no_grad():
        fc1 = network(torch.from_numpy(scaled).float())
        logits = [each.numpy() for each in network.attribute_logits(fc1)]
    total, right, known = 0.0, 0, 0
    for place, item in enumerate(items.tolist()):
        for m, count in enumerate(counts):
            g = labels[item][m]
            if g < 0:
                continue
            z = logits[m][place].astype(float)
            weight = 1.0
            if balanced:
                inverse = 1 / np.array(count)
                weight = len(count) * inverse[g] / inverse.sum()
            total -= weight * np.log(np.exp(z[g]) / np.exp(z).sum()) / 2
            known += 1
            right += z.argmax() == g
    assert loss.item() == pytest.approx(total / 4, rel=1e-4)
    assert float(logged["right"]) == pytest.approx(right / known)


# --- hostile data ---------------------------------------------------------------------------


def test_an_attribute_of_one_value_is_left_out_and_items_without_labels_are_told(tmp_path):
    def label(number, kind):
        if number == 0:
            return {}
        return {"colour": (kind, kind), "made": ("by hand", "by hand")}

    heard = Heard()
    system = train_three_level(
        [toy(tmp_path / "data", label=label)], TINY, tmp_path / "out", monitor=heard
    )
    assert list(system.predictor.classes) == ["colour"]
    assert any(
        note.startswith("attribute made is left out: all 5 labelled") for note in heard.notes
    )
    assert "items without any label, for the projections only: 1" in heard.notes


@pytest.mark.parametrize(
    "label", [lambda number, kind: {}, lambda number, kind: {"made": ("by hand", "by hand")}]
)
def test_nothing_to_learn_is_refused_before_a_folder_is_made(tmp_path, label):
    with pytest.raises(TrainingError, match="none with two values or more"):
        train_three_level([toy(tmp_path / "data", label=label)], TINY, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_attribute_that_no_item_has_is_refused(tmp_path):
    wanted = dataclasses.replace(TINY, attributes=("heel",))
    with pytest.raises(TrainingError, match="heel: no item is labelled with it"):
        train_three_level([toy(tmp_path / "data")], wanted, tmp_path / "out")


def test_a_data_set_without_labels_beside_one_with_them(tmp_path):
    labelled = toy(tmp_path / "data")
    bare = Toy(toy(tmp_path / "bare", label=lambda number, kind: {}).items, "bare")
    weighted = dataclasses.replace(TINY, sources={"bare": 3.0, "toy": 1.0})
    system = train_three_level([bare, labelled], weighted, tmp_path / "out")
    assert list(system.predictor.classes) == ["colour"]


def test_items_without_street_photos_are_trained_on_their_shop_pictures(tmp_path):
    system = train_three_level([toy(tmp_path / "data", street=0)], TINY, tmp_path / "out")
    assert system.encoder.dimension <= TINY.dimension


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    data = toy(tmp_path / "data")
    data.items[1].street[0].write_bytes(b"no picture")
    with pytest.raises(TrainingError, match=r"1-street-0\.png"):
        train_three_level([data], TINY, tmp_path / "out")


def test_pictures_that_are_all_the_same_cannot_be_projected(tmp_path):
    data = toy(tmp_path / "data")
    for item in data.items:
        for path in (*item.street, *item.shop):
            Image.new("RGB", (32, 32), "white").save(path)
    with pytest.raises(TrainingError, match="cannot be projected"):
        train_three_level([data], TINY, tmp_path / "out")


# --- levels, regions and parts --------------------------------------------------------------


class Half:
    """Takes two halves."""

    fingerprint = "half"

    def locate(self, picture):
        height, width = picture.shape[:2]
        return tuple(Region((left, 0, left + width / 2, height)) for left in (0.0, width / 2))


class Corner:
    """A part that is no grid."""

    count = 1
    fingerprint = "corner"

    def __call__(self, picture):
        return ((-5.0, -5.0, 8.0, 8.0),)


def test_an_injected_locator_and_parts_are_trained_with_and_asked_for_again(tmp_path):
    data, out = toy(tmp_path / "data"), tmp_path / "out"
    once = dataclasses.replace(TINY, street_epochs=1)
    system = train_three_level([data], once, out, locator=Half(), parts=Corner())
    inputs = system.encoder.prepare(np.zeros((20, 40, 3), np.uint8), Domain.STREET)
    assert inputs.shape == (3 * 32, 32, 3)
    with pytest.raises(ModelError, match="made with the parts 'corner', which are no grid"):
        System.load(out)
    settings = json.loads((out / "system.json").read_text())
    with pytest.raises(ModelError, match="made with the locator 'half', got 'whole-picture'"):
        three_level_from_folder(out, settings, locator=WholePicture(), parts=Corner())
    again = three_level_from_folder(out, settings, locator=Half(), parts=Corner())
    assert again.fingerprint == system.fingerprint
    with pytest.raises(TrainingError, match=r"locator was \"half\", is \"whole-picture\""):
        train_three_level([data], once, out, resume=True)


def test_levels_left_out_need_no_part_file(tmp_path):
    bare = dataclasses.replace(TINY, levels=LevelWeights(parts=0.0), street_epochs=1)
    system = train_three_level([toy(tmp_path / "data")], bare, tmp_path / "out")
    assert not (tmp_path / "out" / "parts.safetensors").exists()
    assert System.load(tmp_path / "out").fingerprint == system.fingerprint


def test_without_pcas_the_levels_are_compared_as_they_are(tmp_path):
    bare = dataclasses.replace(TINY, projected=False, street_epochs=1, shop_epochs=1)
    data = toy(tmp_path / "data")
    system = train_three_level([data], bare, tmp_path / "out")
    assert not list((tmp_path / "out").glob("p*.safetensors"))
    again = System.load(tmp_path / "out")
    assert again.fingerprint == system.fingerprint
    assert again.encoder.dimension > TINY.dimension
    inputs = stacked(system, data.items[:1], "shop")
    found = again.encoder.encode(inputs, Domain.SHOP)
    levels = again.encoder.levels(inputs, Domain.SHOP)
    assert np.array_equal(found, again.encoder.joined(levels, Domain.SHOP))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": {"whole": -1}}, "weights cannot be used"),
        ({"weights": {"all": 1}}, "weights cannot be used"),
        ({"fc1": 0}, "fc1 must be in"),
        ({"fc1": True}, "fc1 must be a whole number"),
        ({"located": None}, "located must hold locator, parts and grid"),
        ({"backbone": "nothing"}, "there is no backbone 'nothing'"),
        ({"attributes": {"a": [["x"]]}}, "must be a list of"),
        ({"extra": 1}, "unknown setting 'extra'"),
        ({"branch": 9}, "does not fit the settings"),
    ],
)
def test_damaged_settings(trained, change, message):
    *_, out = trained
    settings = json.loads((out / "system.json").read_text()) | change
    with pytest.raises(ModelError, match=message):
        three_level_from_folder(out, settings)


def test_projections_of_other_networks_are_refused(trained):
    *_, out = trained
    settings = json.loads((out / "system.json").read_text())
    settings["preprocessing"] |= {"background": [0, 0, 0]}
    with pytest.raises(ModelError, match="fitted to another encoder"):
        three_level_from_folder(out, settings)


def test_the_pretrained_row_is_the_pooled_backbone(tmp_path):
    system = write_pretrained_fc1(TINY, tmp_path / "fc1")
    network, description = start_network(TINY, AttributeTable((), (), ()))
    picture = np.random.default_rng(1).integers(0, 256, (40, 30, 3), np.uint8)
    inputs = system.encoder.prepare(picture, Domain.STREET)
    assert inputs.shape == (32, 32, 3)
    found = system.encoder.encode(inputs[None], Domain.STREET)[0]
    with torch.no_grad():
        tensor = torch.from_numpy(normalise(inputs[None], description.preprocessing))
        pooled = feature_map(network.eval().backbone, tensor).mean((2, 3)).relu().numpy()[0]
    np.testing.assert_allclose(found, pooled / np.linalg.norm(pooled), atol=1e-5)
    assert np.array_equal(found, system.encoder.encode(inputs[None], Domain.SHOP)[0])
    assert System.load(tmp_path / "fc1").fingerprint == system.fingerprint
    assert system.predictor is None
    larger = write_pretrained_fc1(dataclasses.replace(TINY, size=48), tmp_path / "larger")
    assert larger.fingerprint != system.fingerprint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": 8}, "size must be in"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"batch": 0}, "batch must be finite and at least 1"),
        ({"warmup_epochs": 3.0}, "warmup_epochs must be at most the 2 epochs"),
        ({"batch_norm": "melt"}, "batch_norm must be one of"),
        ({"fc1": 0}, "fc1 must be"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **changes)
