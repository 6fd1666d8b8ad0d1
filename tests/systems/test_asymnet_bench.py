"""Features that rows of Video2Shop's tables share, and trajectories that drift away."""

import numpy as np
import pytest

from tiny_asymnet import clip_pairs
from written_clip import written_clip

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.datasets.clips.registry import (  # noqa: E402
    open_clip_dataset,
    open_clip_training_data,
)
from snapshelf.errors import DatasetError  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.asymnet_bench import AsymNetBench, Drift  # noqa: E402
from snapshelf.training.monitor import Monitor  # noqa: E402

STEPS = 8


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    made = {}
    for name, products in (("sold", 3), ("more", 5), ("one", 1)):
        folder = clip_pairs(tmp_path_factory.mktemp(name), written_clip, products=products)
        made[name] = f"clip-pairs:{folder}"
    return made


def steps_of(places, folder, drift=None):
    """The trajectories of both sides."""
    system = System.load("compact")
    data = [open_clip_training_data(places["sold"])]
    bench = AsymNetBench(system, data, clips=2, steps=STEPS, folder=folder, drift=drift)
    searched = []

    def compare(steps, gallery):
        searched.append(steps)
        return steps.mean(1) @ gallery.T

    trained, _ = bench.trained_on(Monitor())
    bench.search(compare, open_clip_dataset(places["sold"]), "test", None)
    return trained, searched[0]


class Others:
    """Clips of what is not sold."""

    name = "others"

    def __init__(self, clips):
        self._clips = clips

    def clips(self, split):
        assert split == "test"
        return self._clips


def test_both_sides_drift_and_to_different_clips(places, tmp_path):
    other = Others(open_clip_dataset(places["more"]).clips("test")[3:])
    plain = steps_of(places, tmp_path / "kept")
    drifted = steps_of(places, tmp_path / "kept", Drift(0.5, other))
    data = [open_clip_training_data(places["sold"])]
    features = AsymNetBench(
        System.load("compact"), data, clips=2, steps=STEPS, folder=tmp_path / "kept"
    )._features
    others = features("others", other.clips("test"), Monitor())
    for side, (before, after) in enumerate(zip(plain, drifted, strict=True)):
        changed = (before != after).any(2)
        assert (changed.sum(1) == STEPS // 2).all(), "half of each"
        shown = set()
        for row, own in zip(after, changed, strict=True):
            places_of = np.flatnonzero(own)
            assert places_of.tolist() == list(range(places_of[0], places_of[0] + STEPS // 2))
            alike = [(row[places_of] == each[places_of]).all() for each in others]
            shown.add(int(np.flatnonzero(alike)[0]))
        assert shown == {side}


def test_a_drift_needs_clips_for_both_sides(places, tmp_path):
    one = open_clip_dataset(places["one"])
    with pytest.raises(DatasetError, match="has 1 test clips, expected at least 2"):
        steps_of(places, tmp_path, Drift(0.5, one))
