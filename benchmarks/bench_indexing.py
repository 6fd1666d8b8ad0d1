"""Indexing from files on disk to a committed shelf, against the bare model on ready tensors.

Both run MobileNetV2 on the same pictures and batch size, in turns, in one
process; each side's best of several runs counts, since other load only ever slows a run down.
Target: at least 0.8 on two cores.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from snapshelf.catalog import Catalog
from snapshelf.features.encoder import Domain
from snapshelf.media import decode_picture
from snapshelf.shelf import Shelf
from snapshelf.systems import System


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=480)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.setdefault("SNAPSHELF_DATA", "../shared/data")
    source = Path(os.environ["SNAPSHELF_DATA"]) / "grocery" / "train"
    if not source.is_dir():
        print(json.dumps({"benchmark": "indexing", "skipped": f"no pictures in {source}"}))
        return
    system = System.load("mobilenetv2")
    with tempfile.TemporaryDirectory() as place:
        feed = Path(place) / "pictures"
        feed.mkdir()
        files = sorted(source.rglob("*.jpg"))[: options.pictures]
        for number, file in enumerate(files):
            shutil.copyfile(file, feed / f"{number:05d}.jpg")
        inputs = np.stack(
            [system.encoder.prepare(decode_picture(f.read_bytes()), Domain.SHOP) for f in files]
        )
        system.encoder.encode(inputs[:32], Domain.SHOP)
        bare, indexed = [], []
        for number in range(options.rounds):
            bare.append(time_model(system, inputs))
            indexed.append(time_index(system, feed, Path(place) / f"shelf-{number}"))
    pictures = len(files)
    result = {
        "benchmark": "indexing",
        "pictures": pictures,
        "bare_model_pictures_per_s": round(pictures / min(bare), 1),
        "indexed_pictures_per_s": round(pictures / min(indexed), 1),
        "ratio": round(min(bare) / min(indexed), 3),
        "target": "ratio >= 0.8",
    }
    print(json.dumps(result))


def time_model(system: System, inputs: np.ndarray, batch: int = 32) -> float:
    """Time the network alone on tensors that are ready, the faster of two ways.

    One leaves each batch to all of torch's threads, the other gives each thread a few pictures
    at a time, as the encoder does; which is faster depends on the machine.
    """
    import torch

    from snapshelf.features.network_encoder import PART
    from snapshelf.features.preprocessing import normalise

    encoder = system.encoder
    ready = [
        torch.from_numpy(normalise(inputs[at : at + batch], encoder.preprocessing))
        for at in range(0, len(inputs), batch)
    ]
    threads = torch.get_num_threads()

    def embed(tensor: torch.Tensor) -> None:
        with torch.inference_mode():
            encoder.embed(tensor)

    start = time.perf_counter()
    for tensor in ready:
        embed(tensor)
    together = time.perf_counter() - start
    start = time.perf_counter()
    with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        list(pool.map(embed, [part for tensor in ready for part in tensor.split(PART)]))
    apart = time.perf_counter() - start
    torch.set_num_threads(threads)
    return min(together, apart)


def time_index(system: System, feed: Path, shelf: Path) -> float:
    """Time the whole way: read, decode, prepare, embed, commit."""
    start = time.perf_counter()
    with Shelf.build(Catalog.open(feed, format="pictures"), shelf, system) as built:
        took = time.perf_counter() - start
        assert built.updated.pictures_embedded == len(list(feed.iterdir()))
    return took


if __name__ == "__main__":
    main()
