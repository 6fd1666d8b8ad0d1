"""Pictures/s of one network in PyTorch, ONNX Runtime and OpenVINO, in float32 and int8.

Each runtime is used as it is fastest on the processors at hand: PyTorch and ONNX Runtime with a
thread for each that has its own pictures, OpenVINO with its throughput mode. All take turns, so
that what else runs on the machine slows them alike; ratios are to PyTorch. int8 is calibrated on
generated pictures, so its cosine here is for the network at hand and such pictures only.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import timm
import torch
from numpy.typing import NDArray

from snapshelf.export.half import store_half
from snapshelf.export.network_graph import network_graph
from snapshelf.export.onnx_model import complete_model, save_model
from snapshelf.export.parity import generated_pictures
from snapshelf.export.quantising import quantise, quantise_weights
from snapshelf.features.encoder import Domain
from snapshelf.features.network_encoder import NetworkEncoder
from snapshelf.features.onnx_encoder import OnnxEncoder
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.systems import System

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
PICTURES = 64
CALIBRATION = 48


def main() -> None:
    """Print one JSON line for each runtime and kind of numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", help="folder of a PyTorch network; MobileNetV2 by default")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    encoder = mobilenet() if options.system is None else System.load(options.system).encoder
    assert isinstance(encoder, NetworkEncoder), "give a system whose encoder is a PyTorch network"
    # As many threads for PyTorch as for the others.
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    spec = encoder.preprocessing
    prepared = [
        encoder.prepare(each, Domain.SHOP) for each in generated_pictures(PICTURES + CALIBRATION)
    ]
    inputs, calibration = np.stack(prepared[:PICTURES]), np.stack(prepared[PICTURES:])
    core = network_graph(encoder.network, spec)
    models = {
        "float32": core,
        "float16 weights": store_half(core),
        "int8 weights": quantise_weights(core),
        "int8": quantise(core, calibration),
    }
    weights = sum(each.numel() for each in encoder.network.parameters()) * 4
    runs: dict[tuple[str, str], tuple[Run, float]] = {
        ("PyTorch", "float32"): (lambda batch: encoder.encode(batch, Domain.SHOP), weights / 1e6)
    }
    with tempfile.TemporaryDirectory() as folder:
        for name, model in models.items():
            runs["ONNX Runtime", name] = onnx_runtime(model, spec, Path(folder) / f"{name}.onnx")
            if found := openvino(model):
                runs["OpenVINO", name] = found
        times = measure({key: run for key, (run, _) in runs.items()}, inputs, options.rounds)
        right = encoder.encode(inputs, Domain.SHOP)
        slowest = times["PyTorch", "float32"]
        for (runtime, numbers), (run, size) in runs.items():
            cosines = (run(inputs) * right).sum(1)
            result = {
                "benchmark": "encoders",
                "network": options.system or "mobilenetv2_100, random weights",
                "input": "x".join(map(str, spec.size)),
                "runtime": runtime,
                "numbers": numbers,
                "mb": round(size, 2),
                "pictures_per_s": round(PICTURES / times[runtime, numbers], 1),
                "ratio": round(slowest / times[runtime, numbers], 3),
                "cosine_least": round(float(cosines.min()), 5),
                "cosine_mean": round(float(cosines.mean()), 5),
            }
            print(json.dumps(result))


def mobilenet() -> NetworkEncoder[torch.nn.Module]:
    """Give MobileNetV2 with random weights at 160 pixels."""
    torch.manual_seed(0)
    network = timm.create_model("mobilenetv2_100", num_classes=0)
    spec = Preprocessing(size=(160, 160), mean=(0.5,) * 3, std=(0.5,) * 3)
    return NetworkEncoder(network, preprocessing=spec, fingerprint="benchmark")


def onnx_runtime(model: onnx.ModelProto, spec: Preprocessing, file: Path) -> tuple[Run, float]:
    """Give a model in ONNX Runtime, as the base install runs it, and its megabytes."""
    save_model(complete_model(model, spec, "0"), file)
    encoder = OnnxEncoder(file)
    return lambda batch: encoder.encode(batch, Domain.SHOP), file.stat().st_size / 1e6


def openvino(model: onnx.ModelProto) -> tuple[Run, float] | None:
    """Give a model in OpenVINO and its megabytes, or None where that is not installed."""
    try:
        import openvino as ov
    except ModuleNotFoundError:
        return None
    data = model.SerializeToString()
    read = ov.Core().read_model(data)
    height, width = read.input().partial_shape[1], read.input().partial_shape[2]
    read.reshape([4, height, width, 3])
    settings = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = ov.Core().compile_model(read, "CPU", settings)

    def run(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        queue = ov.AsyncInferQueue(compiled)
        parts: dict[int, NDArray[np.float32]] = {}

        def keep(request: "ov.InferRequest", start: int) -> None:
            parts[start] = request.get_output_tensor().data.copy()

        queue.set_callback(keep)
        for start in range(0, len(batch), 4):
            queue.start_async([batch[start : start + 4]], start)
        queue.wait_all()
        return np.concatenate([parts[start] for start in sorted(parts)])

    return run, len(data) / 1e6


def measure(
    runs: dict[tuple[str, str], Run], inputs: NDArray[np.uint8], rounds: int
) -> dict[tuple[str, str], float]:
    """Time all in turns; gives the least seconds of each."""
    times = {key: float("inf") for key in runs}
    for _ in range(rounds + 1):
        for key, run in runs.items():
            start = time.perf_counter()
            run(inputs)
            times[key] = min(times[key], time.perf_counter() - start)
    return times


if __name__ == "__main__":
    main()
