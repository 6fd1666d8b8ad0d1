"""`asymnet` as a system: trained from pixels and from features, cut off and gone on with."""

import dataclasses
import json

import numpy as np
import pytest

from tiny_asymnet import COLOURS, CONFIG, clip_pairs, picture
from written_clip import written_clip

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

import tomllib  # noqa: E402

from snapshelf.datasets.clips.registry import (  # noqa: E402
    open_clip_dataset,
    open_clip_training_data,
)
from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.evaluation import evaluate  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.matching.reranker import Candidate  # noqa: E402
from snapshelf.matching.trajectory_reranker import TrajectoryReranker  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.asymnet import train_asymnet  # noqa: E402
from snapshelf.training.asymnet_settings import AsymNetSettings  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.settings import settings_from  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402

TINY = settings_from(AsymNetSettings, tomllib.loads(CONFIG), "tiny.toml")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return f"clip-pairs:{clip_pairs(tmp_path_factory.mktemp('clips'), written_clip)}"


def train(place, out, settings=TINY, **more):
    return train_asymnet([open_clip_training_data(place)], settings, out, **more)


class StopsAt(Monitor):
    """Asks to stop at a call of a step, counted from 1."""

    def __init__(self, name, call):
        self.name, self.left = name, call

    def step(self, name, done, total):
        self.left -= name == self.name

    def should_stop(self):
        return self.left <= 0


def described(system):
    shown = [picture(COLOURS[n], n) for n in range(3)]
    query = system.reranker.describe_trajectory(shown)
    shop = [system.reranker.describe(each, Domain.SHOP) for each in shown]
    found = system.reranker.rerank(query, [Candidate(0.0, each) for each in shop])
    return [each.similarity for each in found]


def test_cut_off_and_gone_on_with_it_is_the_same(place, tmp_path):
    whole = train(place, tmp_path / "whole")
    assert isinstance(whole.reranker, TrajectoryReranker)
    for name, call in (("clips", 2), ("epoch 1 of 2", 1)):
        with pytest.raises(TrainingStopped):
            train(place, tmp_path / "cut", resume=True, monitor=StopsAt(name, call))
    again = train(place, tmp_path / "cut", resume=True)
    assert again.fingerprint == whole.fingerprint
    assert described(again) == described(whole)
    loaded = System.load(tmp_path / "cut")
    assert loaded.fingerprint == again.fingerprint
    assert loaded.calibration.confidence(1 / 60) == pytest.approx(1 / (1 + np.exp(-1)))
    with pytest.raises(TrainingError, match=r"recipe\.states was 8, is 9"):
        train(place, tmp_path / "cut", dataclasses.replace(TINY, states=9), resume=True)


def test_from_pixels_all_networks_learn(place, tmp_path):
    settings = dataclasses.replace(TINY, frozen=False, epochs=1, learning_rate=1e-3)
    system = train(place, tmp_path / "out", settings)
    notes = json.loads((tmp_path / "out" / "system.json").read_text())
    assert "base" not in notes
    assert notes["networks"]["image"]["dense"] == [8]
    assert system.encoder.dimension == 8
    own = System.load(tmp_path / "out")
    np.testing.assert_array_equal(described(own), described(system))
    found = evaluate(own, open_clip_dataset(place), products="seen")
    assert found.queries == 3
    one = picture(COLOURS[0], 0, (1, 1))
    assert np.isfinite(described(own)).all()
    assert len(own.reranker.describe(one, Domain.SHOP)) == 4 * 16


def test_another_systems_features_and_a_model_to_start_from(place, tmp_path):
    base = train(place, tmp_path / "base")
    features = str(tmp_path / "base" / "features")
    settings = dataclasses.replace(TINY, features=features, start=str(tmp_path / "base"))
    tuned = train(place, tmp_path / "tuned", dataclasses.replace(settings, category="cold"))
    assert (tmp_path / "tuned" / "features" / "system.json").is_file()
    assert tuned.encoder.fingerprint == base.encoder.fingerprint
    assert tuned.fingerprint != base.fingerprint
    with pytest.raises(TrainingError, match="is of other sizes"):
        train(place, tmp_path / "larger", dataclasses.replace(settings, states=9))
    with pytest.raises(TrainingError, match="none of 3 trajectories in the category 'hats'"):
        train(place, tmp_path / "hats", dataclasses.replace(settings, category="hats"))


def test_folders_that_cannot_be_loaded(place, tmp_path):
    train(place, tmp_path / "out")
    file = tmp_path / "out" / "system.json"
    good = json.loads(file.read_text())
    for change, message in (
        ({"depth": 0}, "depth must be at least 1"),
        ({"depth": "all"}, "depth must be a int"),
        ({"base": "nowhere"}, "there is no system 'nowhere'"),
        ({"base": "standard"}, "must have no re-ranker"),
        ({"base": "."}, "must not be a asymnet system itself"),
        ({"base": None}, "expected either a base or an image network"),
        ({"networks": {}}, "image"),
    ):
        values = {key: value for key, value in {**good, **change}.items() if value is not None}
        file.write_text(json.dumps(values))
        with pytest.raises(ModelError, match=message):
            System.load(tmp_path / "out")
    file.write_text(json.dumps(good))
    (tmp_path / "out" / "video.safetensors").write_bytes(b"")
    with pytest.raises(ModelError, match="video"):
        System.load(tmp_path / "out")


def test_a_plain_system_searches_with_the_mean_and_the_best_frame(place):
    """Against a search written out, for a system without a re-ranker and one with another kind."""
    data = open_clip_dataset(place)
    plain = evaluate(System.load("compact"), data)
    system = System.load("compact")
    rows = []
    for clip in data.clips("test"):
        parts = [
            frame.picture[
                int(frame.box[1]) : int(frame.box[3]), int(frame.box[0]) : int(frame.box[2])
            ]
            for frame in clip.frames()
        ]
        inputs = np.stack([system.encoder.prepare(each, Domain.STREET) for each in parts])
        mean = system.encoder.encode(inputs, Domain.STREET).mean(0)
        rows.append(mean / np.linalg.norm(mean))
    from snapshelf.systems.wrapping import embed_pictures_of

    shop = embed_pictures_of(
        system, [(data.root / p.images[0], None) for p in data.products()], Domain.SHOP
    )
    expected = np.stack(rows) @ shop.T
    found = [outcome.found[0].similarity for outcome in plain.outcomes]
    np.testing.assert_allclose(found, expected.max(1), atol=1e-3)
    assert plain.metrics["top1"] == (expected.argmax(1) == np.arange(4)).mean()
    reranked = evaluate(System.load("standard"), data)
    assert "rerank" in reranked.seconds
    assert reranked.queries == 4
