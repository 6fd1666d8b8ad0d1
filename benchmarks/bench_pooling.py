"""A backbone's forward with regional pooling, R-MAC or RA-MAC, against its forward alone.

MobileNetV2 and ResNet-50 with random weights, a batch at 224 pixels, laid out as `NetworkEncoder`
lays it. All take turns in one process; each side's best turn counts, since other load only ever
slows one down. The ratio is the worst of the four. Target: at most 1.3.
"""

import argparse
import json
import os
import time
from collections.abc import Callable

import torch
from torch import Tensor

from snapshelf.features.backbones import create_backbone, feature_map
from snapshelf.features.pooling import POOLINGS

BACKBONES = ("mobilenetv2_100", "resnet50")
REGIONAL = ("r-mac", "ra-mac")
SIZE = 224


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    seconds = {name: measure(name, options.batch, options.rounds) for name in BACKBONES}
    ratios = {
        name: {pooling: round(times[pooling] / times["alone"], 3) for pooling in REGIONAL}
        for name, times in seconds.items()
    }
    result = {
        "benchmark": "pooling",
        "input": f"{SIZE}x{SIZE}",
        "batch": options.batch,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cores": len(os.sched_getaffinity(0)),
        "seconds": {
            name: {side: round(value, 4) for side, value in times.items()}
            for name, times in seconds.items()
        },
        "ratios": ratios,
        "ratio": max(ratio for each in ratios.values() for ratio in each.values()),
        "target": "ratio <= 1.3",
    }
    print(json.dumps(result))


def measure(name: str, batch: int, rounds: int) -> dict[str, float]:
    """Time a backbone alone and with each pooling, by turns; gives the least seconds of each."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    backbone = create_backbone(name, {}).to(device, memory_format=torch.channels_last)
    inputs = torch.randn(batch, 3, SIZE, SIZE, device=device)
    inputs = inputs.contiguous(memory_format=torch.channels_last)
    pools: dict[str, Callable[[Tensor], Tensor]] = {"alone": lambda features: features}
    pools |= {pooling: POOLINGS[pooling] for pooling in REGIONAL}
    times = dict.fromkeys(pools, float("inf"))
    with torch.inference_mode():
        for turn in range(rounds + 1):
            for side, pool in pools.items():
                began = time.perf_counter()
                pool(feature_map(backbone, inputs))
                if device.type == "cuda":
                    torch.cuda.synchronize()
                if turn:  # the first warms up
                    times[side] = min(times[side], time.perf_counter() - began)
    return times


if __name__ == "__main__":
    main()
