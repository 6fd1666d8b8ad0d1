"""Training `mtv`, pictures from disk to a step, against the bare network on ready tensors.

The bare side is forward, backward and step of the same network, loss and optimiser on a batch that
lies ready on the device. Training is everything: stored pictures, triplets, augmentation in worker
processes, transfer, Lightning, logs and checkpoints. They take turns, an epoch and as many bare
steps, in one process; each side's best turn counts, since other load only ever slows one down.
Target: at least 0.85 on two cores.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from snapshelf.datasets.training_item import TrainingItem
from snapshelf.features.backbones import create_backbone
from snapshelf.features.network_folder import NetworkDescription
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.systems.mtv import train_mtv
from snapshelf.training.batches import default_workers
from snapshelf.training.callbacks import EpochFigures
from snapshelf.training.freed_memory import keep_freed_memory
from snapshelf.training.losses import multi_task, ratio_triplet, view_invariance
from snapshelf.training.monitor import Monitor
from snapshelf.training.mtv_settings import MtvSettings, Stage

PRODUCTS = 40
STREET_PHOTOS = 3
SIDE = 300
VIEWS = 6
"""Anchor, positive, negative and a bag of three."""


@dataclass(frozen=True)
class Drawn:
    """Products that this script draws."""

    name: str
    items: tuple[TrainingItem, ...]

    def training_items(self) -> tuple[TrainingItem, ...]:
        """Give the products."""
        return self.items


class Turns(Monitor):
    """Times each epoch, and bare steps after it."""

    def __init__(self, bare: Callable[[], float]) -> None:
        self.bare, self.trained = [bare()], list[float]()
        self._step, self._began = bare, time.perf_counter()

    def epoch(self, figures: EpochFigures) -> None:
        """Note the epoch's seconds, the next one's checkpoint aside, and take a bare turn."""
        self.trained.append(time.perf_counter() - self._began)
        if figures.epoch < figures.epochs:
            self.bare.append(self._step())
        self._began = time.perf_counter()


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="mobilenetv2_100")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--batches", type=int, default=20, help="in an epoch")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--workers", type=int, help="processes that make pictures")
    options = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    keep_freed_memory()  # as `snapshelf train` does, for both
    settings = MtvSettings(
        backbone=options.backbone,
        weights="random",
        size=options.size,
        triplets_per_epoch=options.batches * MtvSettings().batch_triplets,
        # The first epoch starts the workers and is no turn.
        stages=(Stage(epochs=options.rounds + 1),),
        attribute_prediction=False,
        num_workers=options.workers,
    )
    turns = Turns(bare_steps(settings, options.batches))
    with tempfile.TemporaryDirectory() as place:
        train_mtv([draw(Path(place))], settings, Path(place) / "out", monitor=turns)
    pictures = options.batches * settings.batch_triplets * VIEWS
    bare, trained = min(turns.bare), min(turns.trained[1:])
    result = {
        "benchmark": "training",
        "network": f"{options.backbone}, random weights",
        "input": f"{options.size}x{options.size}",
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": len(os.sched_getaffinity(0)),
        "workers": default_workers() if options.workers is None else options.workers,
        "bare_pictures_per_s": round(pictures / bare, 1),
        "trained_pictures_per_s": round(pictures / trained, 1),
        "ratio": round(bare / trained, 3),
        "target": "ratio >= 0.85",
    }
    print(json.dumps(result))


def bare_steps(settings: MtvSettings, steps: int) -> Callable[[], float]:
    """Make the network and a batch; gives what takes so many steps and returns the seconds."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    spec = Preprocessing(size=(settings.size, settings.size), mean=(0.5,) * 3, std=(0.5,) * 3)
    description = NetworkDescription(
        backbone=settings.backbone, dimension=settings.dimension, preprocessing=spec
    )
    network = description.build(create_backbone(settings.backbone, {}))
    network = network.to(device, memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-4, momentum=settings.momentum)
    triplets = settings.batch_triplets
    inputs = torch.randn(triplets * VIEWS, 3, settings.size, settings.size, device=device)
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    weights = torch.ones(triplets, device=device)

    def run() -> float:
        began = time.perf_counter()
        for _ in range(steps):
            embeddings = network.features(inputs).reshape(triplets, VIEWS, -1)
            triplet = ratio_triplet(embeddings[:, 0], embeddings[:, 1], embeddings[:, 2])
            view = view_invariance(embeddings[:, 3:])
            loss = multi_task(
                triplet,
                view,
                torch.zeros_like(triplet),
                alpha_v=settings.alpha_v,
                beta_a=settings.beta_a,
                weights=weights,
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began

    run()
    return run


def draw(folder: Path) -> Drawn:
    """Draw products as patterned shapes: on white for the shop, on patterns for the street."""
    rng = np.random.default_rng(0)
    items = []
    for number in range(PRODUCTS):
        pattern, colour = texture(rng), rng.integers(0, 200, 3)
        files: list[Path] = []
        for picture in range(STREET_PHOTOS + 1):
            ground = np.full((SIDE, SIDE, 3), 255, np.uint8) if picture == 0 else texture(rng)
            outline = np.zeros((SIDE, SIDE), np.uint8)
            axes = (90 + number, 130 - number)
            cv2.ellipse(outline, (SIDE // 2, SIDE // 2), axes, 30 * picture, 0, 360, 255, -1)
            item = (pattern // 2 + colour // 2).astype(np.uint8)
            shown = np.where(outline[..., np.newaxis] > 0, item, ground)
            files.append(folder / f"{number}-{picture}.jpg")
            cv2.imwrite(str(files[-1]), shown)
        items.append(TrainingItem(str(number), tuple(files[1:]), tuple(files[:1]), {}))
    return Drawn("drawn", tuple(items))


def texture(rng: np.random.Generator) -> np.ndarray:
    """Draw soft coloured spots, (SIDE, SIDE, 3) uint8."""
    small = rng.integers(0, 256, (12, 12, 3), np.uint8)
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


if __name__ == "__main__":
    main()
