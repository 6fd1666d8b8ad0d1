"""`fit`: cut off anywhere and gone on with, the weights are those of a training in one go."""

import pytest

torch = pytest.importorskip("torch")
lightning = pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

from snapshelf.training.fit import (  # noqa: E402
    FitSettings,
    fit,
    last_checkpoint,
)
from snapshelf.training.monitor import Monitor, TrainingStopped  # noqa: E402

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
