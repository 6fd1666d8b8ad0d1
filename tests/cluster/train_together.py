"""Trains a small network in as many processes as ``torchrun`` starts: ``... OUT``.

Each process writes what it saw and what it ended with to ``OUT-RANK.json``.
"""

import json
import sys
from pathlib import Path

import lightning
import torch

from snapshelf.training.fit import FitSettings, fit
from snapshelf.training.monitor import Monitor
from snapshelf.training.processes import launched
from snapshelf.training.training_folder import begin

STEPS, BATCH, EPOCHS = 5, 4, 3


class Rows:
    """Rows of numbers; each process takes its own part of every step, as `ViewLoader` does."""

    def __init__(self, rank: int, world: int) -> None:
        self.sampler = self
        self.rank, self.world, self.epoch = rank, world, 0
        self.seen: list[int] = []

    def __len__(self):
        return STEPS

    def __iter__(self):
        whole = 2 * BATCH
        each = whole // self.world
        for step in range(STEPS):
            first = (self.epoch * STEPS + step) * whole + self.rank * each
            self.seen += range(first, first + each)
            yield torch.stack([row(number) for number in range(first, first + each)])

    def set_epoch(self, epoch):
        self.epoch = epoch

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass

    def close(self):
        pass


def row(number: int) -> torch.Tensor:
    return torch.rand(3, generator=torch.Generator().manual_seed(number))


class Line(lightning.LightningModule):
    """A linear fit beside a batch norm, whose running means follow from what a process sees."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.line = torch.nn.Linear(3, 1)
        self.norm = torch.nn.BatchNorm1d(3)

    def training_step(self, batch, batch_idx):
        self.norm(batch)
        loss = (self.line(batch) - batch.sum(1, keepdim=True)).square().mean()
        self.log("loss", loss.detach(), on_epoch=True, on_step=False)
        return loss + 0 * sum(value.sum() for value in self.norm.parameters())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


def main() -> None:
    out = Path(sys.argv[1])
    place = launched(1)
    begin(out, {"what": "rows"})
    module, rows = Line(), Rows(place.rank, place.world)
    settings = FitSettings(epochs=EPOCHS)
    fit(module, rows, out, settings, pictures_per_batch=BATCH, monitor=Monitor())
    state = {name: value.tolist() for name, value in module.state_dict().items()}
    found = {"world": place.world, "seen": rows.seen, "state": state}
    out.with_name(f"{out.name}-{place.rank}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
