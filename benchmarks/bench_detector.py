"""`DetectorLocator` on a photo of 600 x 400, against what it calls alone.

With Faster R-CNN that is torchvision's, with Fast R-CNN EdgeBoxes and the network. Both sides run
one network, MobileNetV2 with random weights: the one from a picture to regions, the other from a
tensor to tensors, scaling it itself to the same size. They take turns in one process; each side's
best turn counts, since other load only ever slows one down. Target: at most 1.1.
"""

import argparse
import json
import os
import time
from collections.abc import Callable

import numpy as np
import torch

from snapshelf.features.preprocessing import Preprocessing
from snapshelf.locating.detector import build_detector
from snapshelf.locating.detector_locator import DetectorLocator
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.locating.edge_boxes import EdgeBoxes, EdgeBoxesSettings
from snapshelf.locating.region_settings import RegionSettings
from snapshelf.media.picture import RGB

SIZE = (600, 400)
CLASSES = 20


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(0)
    photo = np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    ways = faster_rcnn(photo) | fast_rcnn(photo)
    seconds = dict.fromkeys(ways, float("inf"))
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    result = {
        "benchmark": "detector",
        "picture": f"{SIZE[0]} x {SIZE[1]}",
        "cores": len(os.sched_getaffinity(0)),
        **{f"{name}_ms": round(1e3 * value, 1) for name, value in seconds.items()},
        "ratio": round(seconds["locator"] / seconds["alone"], 3),
        "fast_ratio": round(seconds["fast_locator"] / seconds["fast_alone"], 3),
        "target": "ratio and fast_ratio <= 1.1",
    }
    print(json.dumps(result))


def faster_rcnn(photo: RGB) -> dict[str, Callable[[], object]]:
    """Give both ways of Faster R-CNN."""
    settings = settings_of(None)
    detector = build_detector(settings)
    locator = DetectorLocator(detector, settings)
    tensor = torch.from_numpy(photo).permute(2, 0, 1).float() / 255

    def alone() -> None:
        with torch.inference_mode():
            detector([tensor])

    return {"locator": lambda: locator.locate(photo), "alone": alone}


def fast_rcnn(photo: RGB) -> dict[str, Callable[[], object]]:
    """Give both ways of Fast R-CNN."""
    edge_boxes = EdgeBoxes(EdgeBoxesSettings())
    settings = settings_of(edge_boxes.settings)
    detector = build_detector(settings)
    locator = DetectorLocator(detector, settings)
    tensor = torch.from_numpy(photo).permute(2, 0, 1).float() / 255

    def alone() -> None:
        proposals = torch.from_numpy(edge_boxes.propose(photo).boxes)
        with torch.inference_mode():
            detector([tensor], None, [proposals])

    return {"fast_locator": lambda: locator.locate(photo), "fast_alone": alone}


def settings_of(edge_boxes: EdgeBoxesSettings | None) -> DetectorSettings:
    """Describe a detector on MobileNetV2."""
    return DetectorSettings(
        regions=RegionSettings(
            backbone="mobilenetv2_100",
            preprocessing=Preprocessing(size=(224, 224), mean=(0.5,) * 3, std=(0.5,) * 3),
            bins=5,
        ),
        classes=tuple(f"class {number}" for number in range(CLASSES)),
        edge_boxes=edge_boxes,
    )


if __name__ == "__main__":
    main()
