"""Networks that rows of Video2Shop's tables share: trained once, with all epochs wanted."""

import dataclasses

import pytest

from tiny_asymnet import clip_pairs
from written_clip import written_clip

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from snapshelf.datasets.clips.registry import open_clip_training_data  # noqa: E402
from snapshelf.systems import System  # noqa: E402
from snapshelf.systems.asymnet_bench import AsymNetBench  # noqa: E402
from snapshelf.systems.asymnet_comparisons import states_compared  # noqa: E402
from snapshelf.systems.asymnet_learning import HeadLearning, epoch_checkpoint  # noqa: E402
from snapshelf.systems.asymnet_variants import AsymNetVariants, Variant  # noqa: E402
from snapshelf.training.asymnet_settings import AsymNetSettings  # noqa: E402
from snapshelf.training.asymnet_tables_settings import AsymNetTablesSettings  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402

SMALL = {"states": 8, "hidden": 16, "clips": 2, "batch": 2, "positives": 2, "learning_rate": 1e-3}
UNTRAINED = {"backbone": "test_resnet", "weights": "random", "size": (32, 32)}
SETTINGS = AsymNetSettings(**SMALL, tree="2-2", epochs=3, keep_checkpoints=0)


class Counting(Monitor):
    """Counts epochs, and asks to stop after one of them."""

    def __init__(self, stop_after=None):
        self.epochs, self.stop_after = 0, stop_after

    def epoch(self, figures):
        self.epochs += 1

    def should_stop(self):
        return self.epochs == self.stop_after


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = clip_pairs(tmp_path_factory.mktemp("clips"), written_clip)
    return open_clip_training_data(f"clip-pairs:{folder}")


@pytest.fixture
def learning(data, tmp_path):
    def make(monitor, *, kept=0, folder="networks"):
        bench = AsymNetBench(
            System.load("compact"), [data], clips=2, steps=4, folder=tmp_path / "clips"
        )
        settings = dataclasses.replace(SETTINGS, keep_checkpoints=kept)
        return HeadLearning(
            bench=bench, settings=settings, folder=tmp_path / folder, monitor=monitor
        )

    return make


def weights(networks):
    video, similarity, _ = networks
    return [*video.state_dict().values(), *similarity.state_dict().values()]


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def epochs_in(place):
    """The single similarity network's first layer after each epoch."""
    found = []
    for epoch in (1, 2, 3):
        state = torch.load(epoch_checkpoint(place, epoch), weights_only=True)["state_dict"]
        found.append([state[name] for name in sorted(state) if name.startswith("similarity.")])
    return found


def test_whether_epochs_are_kept_makes_no_other_network(learning):
    counts = Counting()
    with_epochs = learning(counts, kept=3).networks()
    without = learning(counts).networks()
    assert counts.epochs == 3, "trained once"
    assert with_epochs[2] == without[2]
    assert same(weights(with_epochs), weights(without))


def test_a_network_without_the_epochs_that_are_wanted_is_trained_again(learning):
    counts = Counting()
    before = learning(counts).networks()
    assert not epoch_checkpoint(before[2], 1).exists()
    after = learning(counts, kept=3).networks()
    assert counts.epochs == 6
    assert same(weights(before), weights(after))
    whole = learning(Counting(), kept=3, folder="whole").networks()
    first, second, third = epochs_in(after[2])
    assert all(map(same, (first, second, third), epochs_in(whole[2])))
    assert not same(first, second)
    epoch_checkpoint(after[2], 2).unlink()
    learning(counts, kept=3).networks()
    assert counts.epochs == 9
    assert same(epochs_in(after[2])[1], second)


def test_epochs_are_whole_after_a_training_that_was_begun_without_them(learning):
    with pytest.raises(TrainingStopped):
        learning(Counting(stop_after=1)).networks()
    gone_on = learning(Counting(), kept=3).networks()
    whole = learning(Counting(), kept=3, folder="whole").networks()
    assert same(weights(gone_on), weights(whole))
    assert all(map(same, epochs_in(gone_on[2]), epochs_in(whole[2])))


def test_an_epoch_is_shown_with_its_own_weights(learning):
    own = learning(Counting(), kept=3)
    steps, gallery = own.bench.trained_on(Monitor())
    shown = [states_compared(own, epoch=epoch)(steps, gallery) for epoch in (1, 2, 3)]
    assert (shown[0] != shown[1]).any()
    assert (shown[1] != shown[2]).any()
    assert (shown[2] == states_compared(own)(steps, gallery)).all()


@pytest.mark.parametrize("first", ["figure 3", "figure 4"])
def test_figures_3_and_4_share_the_default_tree(data, tmp_path, first):
    settings = AsymNetTablesSettings(**SMALL, **UNTRAINED, epochs=2, tree_epochs=2, tuned_epochs=1)
    variants = AsymNetVariants([data], settings, tmp_path)
    rows = [
        Variant(kind="asymnet"),
        Variant(kind="asymnet", changes={"tree": "2-2-2-2-2", "epochs": 2}, epoch=1),
    ]
    counts = Counting()
    for row in rows if first == "figure 3" else rows[::-1]:
        variants.make("row", row, 0, counts)
    assert counts.epochs == 2
    variants.make("own", Variant(kind="asymnet", category="cold"), 0, counts)
    assert counts.epochs == 3
    kept = sorted(len(list(place.rglob("*.ckpt"))) for place in (tmp_path / "networks").iterdir())
    assert kept == [0, 2], "a category's own network keeps none"
