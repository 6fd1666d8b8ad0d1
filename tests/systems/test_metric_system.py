"""Training `metric`: pairs are right and wrong ones, the loss falls, and it is gone on with."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from PIL import Image  # noqa: E402

from snapshelf.datasets.training_item import TrainingItem  # noqa: E402
from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.metric import metric_from_folder, train_metric  # noqa: E402
from snapshelf.training.feature_pairs import FeaturePairs, PairBatch  # noqa: E402
from snapshelf.training.metric_module import MetricModule  # noqa: E402
from snapshelf.training.metric_settings import MetricSettings  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402

TINY = MetricSettings(base="classical", hidden=16, epochs=8, batch=4, dropout=0.0)


@dataclasses.dataclass(frozen=True)
class Toy:
    items: tuple
    name: str = "toy"

    def training_items(self):
        return self.items


def toy(folder, count=5, street=2):
    """Products of one colour each; a photo has another light."""
    folder.mkdir()
    items = []
    for number in range(count):
        colour = np.random.default_rng(number).integers(40, 200, 3)
        files = {}
        for side, many, light in (("street", street, 25), ("shop", 1, 0)):
            files[side] = tuple(folder / f"{number}-{side}-{each}.png" for each in range(many))
            for each, file in enumerate(files[side]):
                picture = np.full((24, 24, 3), 255, np.uint8)
                picture[4:20, 4:20] = colour + light * (1 + each) // 2
                Image.fromarray(picture).save(file)
        items.append(TrainingItem(f"p{number}", files["street"], files["shop"]))
    return Toy(tuple(items))


class Heard(Monitor):
    def __init__(self, stop_after=None):
        self.epochs, self.batches, self.stop_after = [], 0, stop_after

    def step(self, name, done, total):
        self.batches += name.startswith("epoch")

    def epoch(self, figures):
        self.epochs.append(figures)

    def should_stop(self):
        return self.stop_after is not None and self.batches >= self.stop_after


def pairs(**changes):
    street = np.arange(5, dtype=np.float32)[:, None]
    shop = np.arange(10, 14, dtype=np.float32)[:, None]
    given = {
        "street_products": [7, 7, 8, 9, 5],  # 5 has no shop picture
        "shop_products": [7, 8, 8, 9],
        "batch": 3,
        "negatives": 2,
        "count": 7,
    }
    return FeaturePairs(street, shop, **given | changes)


def test_each_right_pair_has_its_wrong_ones():
    loader = pairs()
    assert len(loader) == 2
    of_street, of_shop = {0: 7, 1: 7, 2: 8, 3: 9}, {10: 7, 11: 8, 12: 8, 13: 9}
    seen = set()
    for epoch in range(40):
        loader.set_epoch(epoch)
        for batch in loader:
            assert len(batch.same) == loader.pairs_per_batch == 9
            assert batch.same.tolist() == [True, False, False] * 3
            for street, shop, same in zip(batch.street, batch.shop, batch.same, strict=True):
                own, other = of_street[int(street)], of_shop[int(shop)]
                assert (own == other) == bool(same)
                seen.add((int(street), int(shop)))
    assert len(seen) == 16, "every photo meets every shop picture"


def test_an_epoch_is_gone_on_with_where_it_was_left():
    whole, part = pairs(), pairs()
    for loader in (whole, part):
        loader.set_epoch(3)
    expected = list(whole)
    first = next(iter(part))
    again = pairs()
    again.set_epoch(3)
    again.load_state_dict(part.state_dict())
    rest = list(again)
    for one, other in zip([first, *rest], expected, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "changes", [{"shop_products": [1, 2, 3, 4]}, {"shop_products": [7, 7, 7, 7]}]
)
def test_pairs_need_photos_and_another_product(changes):
    with pytest.raises(TrainingError, match="a metric network learns from street photos"):
        pairs(**changes)


def test_a_step_is_the_cross_entropy_and_the_network_gives_the_same_probabilities():
    torch.manual_seed(1)
    module = MetricModule(4, dataclasses.replace(TINY, hidden=5), steps_per_epoch=1)
    module.log = lambda *given, **named: None
    rng = np.random.default_rng(1)
    street, shop = (rng.normal(size=(6, 4)).astype(np.float32) for _ in range(2))
    same = np.array([True, False, False, True, False, True])
    batch = PairBatch(*map(torch.from_numpy, (street, shop, same)))
    loss = module.training_step(batch, 0).item()
    made = module.network()
    found = [
        made.probabilities(made.street_part(q), made.shop_part(g)[None])[0]
        for q, g in zip(street, shop, strict=True)
    ]
    expected = -np.mean([np.log(p if s else 1 - p) for p, s in zip(found, same, strict=True)])
    assert loss == pytest.approx(expected, rel=1e-4)


def test_training_lowers_the_loss_and_gives_a_system(tmp_path):
    heard = Heard()
    data = toy(tmp_path / "data")
    system = train_metric([data], TINY, tmp_path / "out", monitor=heard)
    assert heard.epochs[-1].losses["loss"] < heard.epochs[0].losses["loss"]
    again = System.load(tmp_path / "out")
    assert again.fingerprint == system.fingerprint
    assert again.fingerprint != System.load("classical").fingerprint
    assert again.reranker.depth == 10_000
    settings = json.loads((tmp_path / "out" / "system.json").read_text())
    with pytest.raises(ModelError, match="cannot be used"):
        metric_from_folder(tmp_path / "out", settings | {"base": "gist"})
    with pytest.raises(ModelError, match="cannot be used: depth must be at least 1"):
        metric_from_folder(tmp_path / "out", settings | {"depth": 0})


def test_cut_off_and_gone_on_with_gives_the_same(tmp_path):
    data = toy(tmp_path / "data")
    whole = train_metric([data], TINY, tmp_path / "whole")
    with pytest.raises(TrainingStopped):
        train_metric([data], TINY, tmp_path / "out", monitor=Heard(stop_after=5))
    with pytest.raises(TrainingError, match="add --resume"):
        train_metric([data], TINY, tmp_path / "out")
    other = dataclasses.replace(TINY, hidden=9)
    with pytest.raises(TrainingError, match=r"recipe\.hidden was 16, is 9"):
        train_metric([data], other, tmp_path / "out", resume=True)
    system = train_metric([data], TINY, tmp_path / "out", resume=True)
    assert system.fingerprint == whole.fingerprint


def test_bases_and_data_that_cannot_be_used(tmp_path):
    data = toy(tmp_path / "data")
    train_metric([data], dataclasses.replace(TINY, epochs=1), tmp_path / "one")
    twice = dataclasses.replace(TINY, base=str(tmp_path / "one"))
    with pytest.raises(ModelError, match="must not be a metric system itself"):
        train_metric([data], twice, tmp_path / "two")
    with pytest.raises(TrainingError, match="needs pictures of both sides, got 0 of the street"):
        train_metric([toy(tmp_path / "bare", street=0)], TINY, tmp_path / "three")
    assert not (tmp_path / "three").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": ""}, "base must be the name"),
        ({"hidden": 0}, "hidden must be"),
        ({"negatives": 0}, "negatives must be"),
        ({"dropout": 1.0}, "dropout must be in"),
        ({"warmup_epochs": 9.0}, "warmup_epochs must be in"),
    ],
)
def test_settings_out_of_range(changes, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(TINY, **changes)
