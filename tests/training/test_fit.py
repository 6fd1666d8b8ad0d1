"""`fit`: cut off anywhere and gone on with, the weights are those of a training in one go."""

import csv
import io
import logging
import pickle
import random

import pytest

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from snapshelf.training.fit import FitSettings, fit, last_checkpoint  # noqa: E402
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402
from snapshelf.training.training_error import TrainingError  # noqa: E402

BATCHES = 5
EPOCHS = 4


class Numbers:
    """Batches that follow from epoch and place, and can be gone on with."""

    def __init__(self, batches=BATCHES):
        self.sampler = self
        self.epoch, self.done = 0, 0
        self.batches = batches
        self.handed_out = []

    def __len__(self):
        return self.batches

    def __iter__(self):
        self.done %= self.batches
        for place in range(self.done, self.batches):
            self.done += 1
            self.handed_out.append((self.epoch, place))
            generator = torch.Generator().manual_seed(1000 * self.epoch + place)
            yield torch.rand(6, 3, generator=generator)

    def set_epoch(self, epoch):
        self.epoch = epoch

    def state_dict(self):
        return {"done": self.done}

    def close(self):
        self.closed = True

    def load_state_dict(self, state):
        self.done = state["done"]


class Line(lightning.LightningModule):
    """A linear fit with dropout, momentum and a schedule: everything that has a state."""

    def __init__(self, broken=False):
        super().__init__()
        torch.manual_seed(1)
        self.line = torch.nn.Linear(3, 1)
        self.drop = torch.nn.Dropout(0.5)
        self.broken = broken

    def training_step(self, batch, batch_idx):
        loss = (self.line(self.drop(batch)) - batch.sum(1, keepdim=True)).square().mean()
        self.log("loss", loss.detach() / (0 if self.broken else 1), on_epoch=True, on_step=False)
        return loss

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class Stopper(Monitor):
    def __init__(self, loader, after):
        self.loader, self.after = loader, after

    def should_stop(self):
        return self.after is not None and len(self.loader.handed_out) >= self.after


def train(out, *, stop_after=None, module=None, loader=None, settings=None):
    """Train, or stop after so many batches; gives the module and the loader."""
    out.mkdir(exist_ok=True)
    module, loader = module or Line(), loader or Numbers()
    fit(
        module,
        loader,
        out,
        settings or FitSettings(epochs=EPOCHS),
        pictures_per_batch=6,
        monitor=Stopper(loader, stop_after),
    )
    return module, loader


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    module, loader = train(tmp_path_factory.mktemp("fit") / "out")
    assert loader.handed_out == [(e, b) for e in range(EPOCHS) for b in range(BATCHES)]
    return module.state_dict()


@pytest.mark.parametrize("stop_after", [1, 3, 4, 5, 6, 10, 14, 19])
def test_gone_on_with_is_bit_equal(tmp_path, whole, stop_after):
    out = tmp_path / "out"
    with pytest.raises(TrainingStopped):
        train(out, stop_after=stop_after)
    assert last_checkpoint(out) is not None
    module, loader = train(out)
    all_of_it = [(e, b) for e in range(EPOCHS) for b in range(BATCHES)]
    assert loader.handed_out == all_of_it[stop_after:]
    assert all(torch.equal(whole[name], value) for name, value in module.state_dict().items())


def test_cut_off_many_times_is_bit_equal(tmp_path, whole):
    out = tmp_path / "out"
    seen = []
    while True:
        loader = Numbers()
        try:
            module, _ = train(out, stop_after=3, loader=loader)
            break
        except TrainingStopped:
            continue
        finally:
            seen += loader.handed_out
    assert seen == [(e, b) for e in range(EPOCHS) for b in range(BATCHES)]
    assert all(torch.equal(whole[name], value) for name, value in module.state_dict().items())


# --- checkpoints, log and figures ---------------------------------------------------------


class Told(Monitor):
    """Remembers the epochs, and how far each of them was."""

    def __init__(self):
        self.epochs, self.steps = [], []

    def epoch(self, figures):
        self.epochs.append(figures)

    def step(self, name, done, total):
        self.steps.append((name, done, total))


def names(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_as_many_epochs_are_kept_as_asked_for(tmp_path, keep):
    out = tmp_path / "out"
    module, _ = train(out, settings=FitSettings(epochs=EPOCHS, keep_checkpoints=keep))
    kept = [f"epoch-{number:04d}.ckpt" for number in range(EPOCHS - keep + 1, EPOCHS + 1)]
    assert names(out / "checkpoints") == [*kept, "last.ckpt"]
    for name, number in zip(kept, range(EPOCHS - keep + 1, EPOCHS + 1), strict=True):
        state = torch.load(out / "checkpoints" / name, weights_only=True)
        assert state["global_step"] == number * BATCHES
    last = torch.load(last_checkpoint(out), weights_only=True)["state_dict"]
    assert all(torch.equal(last[name], value) for name, value in module.state_dict().items())


def test_the_log_and_the_figures_tell_each_epoch_once(tmp_path):
    out, told = tmp_path / "out", Told()
    out.mkdir()
    settings = FitSettings(epochs=2)
    fit(Line(), Numbers(), out, settings, pictures_per_batch=6, monitor=told)
    assert told.steps == [
        (f"epoch {epoch} of 2", done + 1, BATCHES) for epoch in (1, 2) for done in range(BATCHES)
    ]
    assert [(one.epoch, one.epochs) for one in told.epochs] == [(1, 2), (2, 2)]
    for one in told.epochs:
        # The rate behind step n is 0.05 / (1 + n).
        assert one.learning_rate == pytest.approx(0.05 / (1 + one.epoch * BATCHES))
        assert one.pictures_per_second == pytest.approx(6 * BATCHES / one.seconds)
    with (out / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("epoch", "seconds", "pictures_per_second", "learning_rate", "loss")
    ]  # fmt: skip
    assert [float(row["loss"]) for row in rows] == pytest.approx(
        [one.losses["loss"] for one in told.epochs], abs=1e-6
    )


def test_the_loss_of_an_epoch_is_the_mean_over_its_batches(tmp_path):
    out, told = tmp_path / "out", Told()
    out.mkdir()
    module, losses = Line(), []
    step = module.training_step

    def noted(batch, batch_idx):
        loss = step(batch, batch_idx)
        losses.append(float(loss.detach()))
        return loss

    module.training_step = noted
    fit(module, Numbers(), out, FitSettings(epochs=2), pictures_per_batch=6, monitor=told)
    assert [one.losses["loss"] for one in told.epochs] == pytest.approx(
        [sum(losses[:BATCHES]) / BATCHES, sum(losses[BATCHES:]) / BATCHES]
    )


def test_an_epoch_that_was_cut_off_has_one_line_in_the_log(tmp_path):
    out = tmp_path / "out"
    for stop_after in (7, 2):
        with pytest.raises(TrainingStopped):
            train(out, stop_after=stop_after)
    train(out)
    rows = (out / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2", "3", "4"]


def test_going_back_to_an_earlier_epoch_drops_the_later_lines(tmp_path, whole):
    out = tmp_path / "out"
    train(out, settings=FitSettings(epochs=EPOCHS, keep_checkpoints=3))
    checkpoints = out / "checkpoints"
    (checkpoints / "epoch-0002.ckpt").replace(checkpoints / "last.ckpt")
    (out / "log.csv").write_text((out / "log.csv").read_text().replace("\n4,", "\n9,"))
    module, loader = train(out)
    assert loader.handed_out[0] == (2, 0)
    rows = (out / "log.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["epoch", "1", "2", "3", "4"]
    assert all(torch.equal(whole[name], value) for name, value in module.state_dict().items())


def test_a_finished_training_does_nothing_more(tmp_path):
    out = tmp_path / "out"
    train(out)
    _, loader = train(out)
    assert loader.handed_out == []


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(TrainingStopped):
        train(out, stop_after=BATCHES)
    before = last_checkpoint(out).read_bytes()
    with pytest.raises(TrainingError, match=r"diverged in epoch 2: loss not finite; lower the"):
        train(out, module=Line(broken=True))
    assert last_checkpoint(out).read_bytes() == before


# --- checkpoints that cannot be used ------------------------------------------------------


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory):
    """A checkpoint's bytes, made in mid-epoch."""
    out = tmp_path_factory.mktemp("cut") / "out"
    with pytest.raises(TrainingStopped):
        train(out, stop_after=3)
    return last_checkpoint(out).read_bytes()


def put(tmp_path, content):
    folder = tmp_path / "out" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "last.ckpt").write_bytes(content)
    return tmp_path / "out"


def saved(value):
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


REST = {"optimizer_states": [], "lr_schedulers": [], "loops": {}}
ODD = {
    "empty": b"",
    "text": b"epoch,loss\n",
    "a pickle": pickle.dumps({"state_dict": {}}),
    "a list": saved([1, 2]),
    "without a network": saved({"epoch": 3}),
    "a network of other names": saved({"state_dict": {"a": torch.zeros(2)}, **REST}),
    "text for a network": saved({"state_dict": "a", **REST}),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD)
def test_what_is_no_checkpoint_is_refused(tmp_path, content):
    out = put(tmp_path, content)
    with pytest.raises(TrainingError, match=r"last\.ckpt cannot be gone on from: .*train anew"):
        train(out)
    assert last_checkpoint(out).read_bytes() == content


def test_cut_short_anywhere_it_is_refused(tmp_path, cut_off):
    for number, end in enumerate(range(0, len(cut_off), max(1, len(cut_off) // 40))):
        out = put(tmp_path / str(number), cut_off[:end])
        with pytest.raises(TrainingError, match="cannot be gone on from"):
            train(out)


def test_a_flipped_bit_is_refused_or_makes_no_difference(tmp_path, cut_off, whole):
    rng = random.Random(0)
    refused = 0
    for number in range(60):
        damaged = bytearray(cut_off)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        out = put(tmp_path / str(number), bytes(damaged))
        try:
            module, _ = train(out)
        except TrainingError:
            refused += 1
            continue
        assert all(torch.equal(whole[name], value) for name, value in module.state_dict().items())
    assert refused > 20


def test_a_checkpoint_runs_no_code(tmp_path):
    class Harm:
        def __reduce__(self):
            return (tmp_path.joinpath("harm").touch, ())

    out = put(tmp_path, saved(Harm()))
    with pytest.raises(TrainingError, match="cannot be gone on from"):
        train(out)
    assert not (tmp_path / "harm").exists()


def test_nothing_is_said_and_levels_are_put_back(tmp_path, capfd):
    logger = logging.getLogger("lightning.pytorch")
    before = logger.level
    train(tmp_path / "out")
    assert capfd.readouterr() == ("", "")
    assert logger.level == before
