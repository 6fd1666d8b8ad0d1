"""Street and shop views made on one core, against how fast a network in training wants them.

The views are made of pictures of about 300 pixels whose mattes are known, as a picture store keeps
them: drawn packages, or the grocery data set's shop pictures where SNAPSHELF_DATA has them, on
street photos. The network is MobileNetV2 with random weights; a step is forward and backward on a
batch of 32. All take turns and are measured in processor time on one thread each, so that what
else runs on the machine slows them alike.

Targets at 128 pixels: a street view's median at most 2.5 ms, a shop view's 0.6 ms.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import timm
import torch

from snapshelf.features.encoder import Domain
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.training.augmentation import (
    Backgrounds,
    Source,
    alpha_matte,
    shop_view,
    street_view,
)
from snapshelf.training.augmentation.clutter import draw_clutter

SIDE = 300
SOURCES = 40
BATCH = 32
VIEWS = 48
TARGETS = {"street": 2.5, "shop": 0.6}


def main() -> None:
    """Print one JSON line for each size and kind of view."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    rounds = parser.parse_args().rounds
    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    kind, sources, backgrounds = material()
    for side in (128, 224):
        times = measure(sources, backgrounds, side, rounds)
        step = statistics.median(times["network"])
        for name in TARGETS:
            result = {
                "benchmark": "augmentation",
                "pictures": kind,
                "view": f"{name}, {side} px",
                "median_ms": round(statistics.median(times[name]) * 1e3, 2),
                "views_per_s": round(1 / statistics.mean(times[name])),
                "network_pictures_per_s": round(BATCH / step, 1),
                "ratio": round(step / BATCH / statistics.mean(times[name]), 1),
            }
            if side == 128:
                result["target"] = f"median_ms <= {TARGETS[name]}"
            print(json.dumps(result), flush=True)


def measure(
    sources: list[Source], backgrounds: Backgrounds, side: int, rounds: int
) -> dict[str, list[float]]:
    """Time single views of both kinds and steps of the network, in turns."""
    rng = np.random.default_rng(0)
    size = (side, side)
    network = timm.create_model("mobilenetv2_100", pretrained=False).train()
    inputs = torch.rand(BATCH, 3, side, side)

    def step() -> None:
        network(inputs).sum().backward()
        network.zero_grad()

    times: dict[str, list[float]] = {"street": [], "shop": [], "network": []}
    for number in range(rounds + 1):
        if number == 1:
            # The first round warmed up.
            times = {name: [] for name in times}
        for each in range(VIEWS):
            source = sources[(number * VIEWS + each) % len(sources)]
            timed(
                times["street"],
                lambda source=source: street_view(
                    source, size=size, rng=rng, backgrounds=backgrounds
                ),
            )
            timed(times["shop"], lambda source=source: shop_view(source, size=size, rng=rng))
        timed(times["network"], step)
    return times


def timed(times: list[float], work: Callable[[], object]) -> None:
    """Do some work and note the processor time it took."""
    start = time.process_time()
    work()
    times.append(time.process_time() - start)


def material() -> tuple[str, list[Source], Backgrounds]:
    """Give the kind of pictures, the sources with their mattes, and the backgrounds."""
    data = Path(os.environ.get("SNAPSHELF_DATA") or "../shared/data")
    files = sorted(data.glob("grocery/iconic-images-and-descriptions/**/*.jpg"))
    photos = data / "ccp" / "photos"
    if files and photos.is_dir():
        kind = "real"
        pictures = [shrunk(decode_picture(file.read_bytes())) for file in files[:SOURCES]]
        backgrounds = Backgrounds.from_folder(photos, at_most=100)
    else:
        kind = "drawn"
        rng = np.random.default_rng(1)
        pictures = [package(rng) for _ in range(SOURCES)]
        backgrounds = Backgrounds(pictures=[draw_clutter((256, 171), rng) for _ in range(50)])
    sources = [Source(picture, alpha_matte(picture), Domain.SHOP) for picture in pictures]
    return kind, sources, backgrounds.with_items(sources)


def shrunk(picture: RGB) -> RGB:
    """Bring a picture's longer side down to 300 pixels."""
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def package(rng: np.random.Generator) -> RGB:
    """Draw a package, a bottle or a fruit on white: a patterned shape with some text."""
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    wide, tall = (int(side) for side in rng.integers(60, 140, 2))
    if rng.random() < 0.5:
        cv2.rectangle(mask, (150 - wide, 150 - tall), (150 + wide, 150 + tall), (255,), -1)
    else:
        cv2.ellipse(mask, (150, 150), (wide, tall), 0, 0, 360, (255,), -1, cv2.LINE_AA)
    front = draw_clutter((SIDE, SIDE), rng)
    for row in range(80, 220, 45):
        cv2.putText(front, "SHELF", (90, row), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20, 20, 20), 3)
    cover = mask[..., None] / 255
    return np.rint(cover * front + (1 - cover) * picture).astype(np.uint8)


if __name__ == "__main__":
    main()
