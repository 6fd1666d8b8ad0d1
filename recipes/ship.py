"""Make the folders of the shipped systems from a trained one.

    python recipes/ship.py --trained OUT --data grocery:DIR --to src/snapshelf/models

`compact` is the network as ONNX, with a hubness correction and a confidence; `standard` is
`compact` with verified re-ranking, and a confidence of its own.

Nothing is chosen by looking at a test split: the correction's bank are training photos of seen
products, and the confidence is fitted on the val split.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snapshelf.datasets import open_dataset
from snapshelf.evaluation import collect_first_places, evaluate, fit_confidence
from snapshelf.systems import System

LICENCE = "Apache-2.0; trained by the snapshelf project, see recipes/compact.toml"


def main() -> None:
    """Export, correct, calibrate, and put the folder in its place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trained", required=True, type=Path, help="what `snapshelf train` wrote")
    parser.add_argument("--data", required=True, help="NAME:DIR with street photos and a val split")
    parser.add_argument("--to", required=True, type=Path, help="the folder to write them into")
    parser.add_argument("--numbers", choices=["half", "int8"], default="int8", help="of the file")
    parser.add_argument("--calibrate", type=Path, help="pictures, to compute in int8 as well")
    parser.add_argument("--weight", type=float, default=0.3, help="of the hubness correction")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "system"
        network = Path(folder) / "network"
        export(options.trained, network, options.numbers, options.calibrate)
        correct(network, made, options.data, options.weight)
        shutil.move(network, made / "network")
        settle(made, base="network")
        settle(made, calibration=fitted_on_val(made, options.data))
        replace_folder(made, options.to / "compact")
        reranked = Path(folder) / "reranked"
        reranked.mkdir()
        settle(reranked, system="hybrid", base=str(made))
        settle(reranked, calibration=fitted_on_val(reranked, options.data), base="compact")
        replace_folder(reranked, options.to / "standard")


def export(trained: Path, network: Path, numbers: str, calibrate: Path | None) -> None:
    """Write the network as ONNX."""
    more = () if calibrate is None else ("--calibrate", calibrate)
    command("export", trained, "--onnx", network, f"--{numbers}", "--licence", LICENCE, *more)


def correct(network: Path, made: Path, data: str, weight: float) -> None:
    """Embed the bank with the very file that is shipped."""
    config = made.with_suffix(".toml")
    config.write_text(f"base = {json.dumps(str(network))}\nweight = {weight}\n")
    command("train", "corrected", "--data", data, "--out", made, "--config", config)


def settle(folder: Path, **settings: Any) -> None:
    """Write settings of a system, beside those that it has or in their place."""
    file = folder / "system.json"
    held = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(held | settings, indent=2) + "\n")


def fitted_on_val(folder: Path, data: str) -> dict[str, float]:
    """Fit the confidence of a system."""
    evaluation = evaluate(System.load(folder), open_dataset(data), split="val")
    return asdict(fit_confidence(collect_first_places(evaluation)))


def replace_folder(made: Path, to: Path) -> None:
    """Put a system in its place, and say how large it is."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(made, to)
    size = sum(file.stat().st_size for file in to.rglob("*") if file.is_file())
    print(f"wrote {to}: {size / 1e6:.2f} MB")


def command(*words: object) -> None:
    """Run a command of snapshelf."""
    subprocess.run([sys.executable, "-m", "snapshelf", *map(str, words)], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
