"""AsymNet's networks: pairs a second, a step of training both ways, and trajectories a second.

A pair is one trajectory of 32 hidden states and one picture, through the default tree. By turns:

- pairs: one trajectory with all pictures, whose parts of the first layer are stored; the network as
  it is trained, 50 pictures at a time (the paper: 345 pairs a second on a K20); and the bare
  arithmetic: in the same blocks or others, which threads share in the same way, in both precisions,
  whichever is fastest, the maxima and the products with the weights of the second layer and the
  tree, nothing behind them;
- one step of training, both ways, of all networks from pixels (a random MobileNetV2, small
  pictures), and of all but the image network from features. The paper: 1/25. `images` says how many
  go through the image network each way: with S right and S wrong pictures of each of n
  trajectories 33 for each of 2 S n pairs, or 32 n + 2 S n in all;
- trajectories through the video network, alone and with the frames through the image network (the
  paper: 0.5 a second).

Pairs are measured on all cores and on one; those of a second of the processors', of all together,
show whether threads wait for one another, whatever else runs. Each one's best turn counts, since
other load only ever slows one down; the gallery has a turn before each other's, so that all have as
good a chance of a quiet one. A step of training runs on one core and is measured by the
processor's time, since a plain one is too long to have nothing beside it. Targets: pairs_per_second
at least 100,000; ratio_to_bare at most 2; ratio_of_steps at most 0.04, as far as `images` let it;
trajectories_per_second above 0.5.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import numpy as np
import torch
from torch import Tensor

from snapshelf.features.image_feature_folder import ImageFeatureDescription
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_sharing import share_out
from snapshelf.features.video_feature_network import VideoFeatureNetwork
from snapshelf.matching.similarity_gallery import SimilarityGallery
from snapshelf.matching.similarity_network import SimilarityNetwork
from snapshelf.training.asymnet_module import AsymNetModule
from snapshelf.training.asymnet_settings import AsymNetSettings
from snapshelf.training.trajectory_batches import TrajectoryBatch

STEPS = 32
AT_A_TIME = 50
FEATURES = 512
STATES = 256
WIDTH = 256
BLOCKS = (256, 512, 1024)
SIDE = 48
"""Of the pictures that are trained on; both ways have the same networks to go through."""

TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--trajectories", type=int, default=1, help="n of a step from pixels")
    parser.add_argument("--positives", type=int, default=32, help="S of a step from pixels")
    parser.add_argument("--pairs-only", action="store_true", help="a minute in place of several")
    options = parser.parse_args()
    torch.manual_seed(0)
    result = {
        "benchmark": "asymnet",
        "pictures": options.pictures,
        "cores": len(os.sched_getaffinity(0)),
        **{
            f"pairs_on_{cores}": pairs(options.pictures, options.rounds, cores)
            for cores in sorted({1, len(os.sched_getaffinity(0))})
        },
        **({} if options.pairs_only else steps(options.trajectories, options.positives)),
        **({} if options.pairs_only else trajectories(options.rounds)),
        "target": "pairs_per_second >= 100000, ratio_to_bare <= 2, ratio_of_steps <= 0.04, "
        "trajectories_per_second > 0.5",
    }
    print(json.dumps(result))


def pairs(pictures: int, rounds: int, cores: int) -> dict[str, object]:
    """Measure the similarity network on some cores."""
    torch.set_num_threads(cores)
    network = SimilarityNetwork(STATES, FEATURES).eval()
    torch.nn.init.normal_(network.gates, std=0.2)
    states = torch.tanh(torch.randn(1, STEPS, STATES))
    features = torch.randn(pictures, FEATURES)
    gallery = SimilarityGallery(network.fold(), features.numpy())
    own = states.numpy()
    ways: dict[str, Callable[[], object]] = {
        "trained": lambda: as_trained(network, states, features[: 4 * AT_A_TIME])
    }
    for name in TYPES:
        for block in BLOCKS:
            ways[f"all {name} {block}"] = bare(pictures, block, name, "all")
        ways[f"products {name} {BLOCKS[-1]}"] = bare(pictures, BLOCKS[-1], name, "products")
    seconds = measure(ways, rounds, ("gallery", lambda: gallery.odds(own)))
    bares = {
        f"{does}_{name}": min(seconds[way] for way in ways if way.startswith(f"{does} {name} "))
        for does in ("all", "products")
        for name in TYPES
    }
    least = min(bares["all_float32"], bares["all_bfloat16"])
    processor = min(processor_seconds(lambda: gallery.odds(own)) for _ in range(2 * rounds))
    by_network = as_trained(network, states, features)
    difference = np.abs(gallery.odds(own)[0] - by_network.numpy()).max()
    per_second = {name: round(pictures / value) for name, value in bares.items()}
    return {
        "pairs_per_second": round(pictures / seconds["gallery"]),
        "pairs_per_processor_second": round(pictures / processor),
        "as_trained": round(4 * AT_A_TIME / seconds["trained"]),
        "bare": per_second,
        "ratio_to_bare": round(seconds["gallery"] / least, 2),
        "largest_difference": float(f"{difference:.1e}"),
    }


@torch.inference_mode()
def as_trained(network: SimilarityNetwork, states: Tensor, features: Tensor) -> Tensor:
    """Match by the network that was trained, 50 pictures at a time."""
    return torch.cat([network(states, part[None])[0] for part in features.split(AT_A_TIME)])


def bare(pictures: int, block: int, name: str, does: str) -> Callable[[], object]:
    """Make what has to be computed for each pair, or of it the products alone."""
    kind, rows = TYPES[name], 6
    parts = torch.randn(pictures, WIDTH).to(kind)
    own = torch.randn(STEPS, WIDTH).to(kind)
    weights = torch.randn(STEPS, rows, WIDTH).to(kind)
    across = weights.transpose(1, 2).contiguous()
    # What lies between, for each thread. One step at a time, or in bfloat16 all at once, which is
    # faster there.
    between: SimpleQueue[tuple[Tensor, ...]] = SimpleQueue()
    for _ in range(torch.get_num_threads()):
        between.put(
            (
                torch.randn(block, WIDTH).to(kind),
                torch.empty(STEPS, rows, block, dtype=kind),
                torch.randn(STEPS, block, WIDTH).to(kind),
                torch.empty(STEPS, block, rows, dtype=kind),
            )
        )

    @torch.inference_mode()
    def work(starts: Iterator[int]) -> None:
        tensors = between.get()
        hidden, found, many, out = tensors
        for start in starts:
            part = parts[start : start + block]
            length = len(part)
            if kind == torch.bfloat16:
                if does == "all":
                    torch.maximum(part[None], own[:, None], out=many[:, :length])
                if length == block:
                    torch.bmm(many, across, out=out)
                else:
                    torch.bmm(many[:, :length], across)
                continue
            for step in range(STEPS):
                if does == "all":
                    torch.maximum(part, own[step], out=hidden[:length])
                torch.mm(weights[step], hidden[:length].T, out=found[step, :, :length])
        between.put(tensors)

    def run() -> None:
        share_out(range(0, pictures, block), work)

    return run


def steps(trajectories: int, positives: int) -> dict[str, object]:
    """Measure a step of training, both ways."""
    torch.set_num_threads(1)
    pictures = 2 * positives
    right = torch.arange(pictures).expand(trajectories, -1) < positives
    shape = (3, SIDE, SIDE)
    pixels = TrajectoryBatch(
        torch.randint(256, (trajectories, STEPS, *shape), dtype=torch.uint8),
        torch.randint(256, (trajectories, pictures, *shape), dtype=torch.uint8),
        right,
    )
    many = torch.arange(16).expand(8, -1) < 8
    rows = TrajectoryBatch(torch.randn(8, STEPS, FEATURES), torch.randn(8, 16, FEATURES), many)
    seconds = {
        f"{kind} {way}": best_step(batch, way)
        for kind, batch in (("pixels", pixels), ("features", rows))
        for way in ("approximate", "plain")
    }
    count = trajectories * pictures
    images = [trajectories * STEPS + count, count * (STEPS + 1)]
    return {
        "step_processor_seconds": {name: round(value, 3) for name, value in seconds.items()},
        "ratio_of_steps": round(seconds["pixels approximate"] / seconds["pixels plain"], 3),
        "ratio_of_steps_from_features": round(
            seconds["features approximate"] / seconds["features plain"], 3
        ),
        "images": images,
        "ratio_of_images": round(images[0] / images[1], 3),
    }


def best_step(batch: TrajectoryBatch, way: str) -> float:
    """Give the least seconds of the processor's that a step takes."""
    settings = AsymNetSettings(pairs="plain" if way == "plain" else "approximate")
    preprocessing = Preprocessing(size=(SIDE, SIDE), mean=(0.5,) * 3, std=(0.25,) * 3)
    image = None
    if batch.steps.ndim == 5:
        image = ImageFeatureDescription(
            backbone=settings.backbone,
            grids=settings.grids,
            dense=settings.dense,
            preprocessing=preprocessing,
        ).build()
    module = AsymNetModule(
        image,
        VideoFeatureNetwork(FEATURES, STATES),
        SimilarityNetwork(STATES, FEATURES),
        None if image is None else preprocessing,
        settings,
        steps_per_epoch=1,
    )
    optimizer = module.configure_optimizers()["optimizer"]
    least = float("inf")
    for _ in range(3 if way == "approximate" else 1):
        began = time.process_time()
        optimizer.zero_grad()
        seen = module.accumulate(batch, torch.Tensor.backward)
        optimizer.step()
        module.learn_fusion(seen)
        least = min(least, time.process_time() - began)
    return least


def trajectories(rounds: int) -> dict[str, object]:
    """Measure the video network, alone and behind the image network."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    settings = AsymNetSettings()
    size = (settings.size[0], settings.size[1])
    image = (
        ImageFeatureDescription(
            backbone=settings.backbone,
            grids=settings.grids,
            dense=settings.dense,
            preprocessing=Preprocessing(size=size, mean=(0.5,) * 3, std=(0.25,) * 3),
        )
        .build()
        .eval()
        .to(memory_format=torch.channels_last)
    )
    video = VideoFeatureNetwork(FEATURES, STATES).eval()
    frames = torch.randn(STEPS, 3, *size).contiguous(memory_format=torch.channels_last)
    features = torch.randn(16, STEPS, FEATURES)

    @torch.inference_mode()
    def whole() -> Tensor:
        states: Tensor = video(image(frames)[None])
        return states

    @torch.inference_mode()
    def alone(many: int) -> Tensor:
        states: Tensor = video(features[:many])
        return states

    ways: dict[str, Callable[[], object]] = {
        "from_pixels": whole,
        "from_features": lambda: alone(1),
        "from_features_16_at_a_time": lambda: alone(16),
    }
    seconds = measure(ways, rounds)
    per_second = {
        name: round((16 if "16" in name else 1) / value, 1) for name, value in seconds.items()
    }
    return {"trajectories_per_second": per_second}


def processor_seconds(way: Callable[[], object]) -> float:
    """Say how long all processors together are at work on something, waiting awake included."""
    began = time.process_time()
    way()
    return time.process_time() - began


def measure(
    ways: dict[str, Callable[[], object]],
    rounds: int,
    between: tuple[str, Callable[[], object]] | None = None,
) -> dict[str, float]:
    """Take all by turns, one of them before each of the others; give the least seconds of each."""
    turns = [turn for each in ways.items() for turn in (between, each) if turn is not None]
    seconds = {name: float("inf") for name, _ in turns}
    for _ in range(rounds):
        for name, way in turns:
            way()  # until it has the cores for itself: threads wait awake for a while
            began = time.perf_counter()
            way()
            seconds[name] = min(seconds[name], time.perf_counter() - began)
    return seconds


if __name__ == "__main__":
    main()
