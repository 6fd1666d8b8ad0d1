"""The recipe that fits a confidence: the JSON that it prints, and what it writes where."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("safetensors")

from snapshelf.datasets import open_dataset
from snapshelf.datasets.registry import open_training_data
from snapshelf.evaluation import collect_first_places, evaluate, fit_confidence, reliability
from snapshelf.matching import Calibration
from snapshelf.systems import System
from snapshelf.systems.whitened import WhitenedSettings, train_whitened

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "fit_confidence.py"


@pytest.fixture
def system(grocery: Path, tmp_path: Path) -> System:
    data = open_training_data(f"grocery:{grocery}")
    return train_whitened([data], WhitenedSettings(base="gist", dimension=2), tmp_path / "out")


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RECIPE), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_prints_json_and_writes_what_it_prints(system: System, grocery: Path) -> None:
    file = Path(system.name) / "system.json"
    before = file.read_bytes()
    given = ["--system", "out", "--data", f"grocery:{grocery}", "--look", "test"]
    done = run(*given)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert file.read_bytes() == before
    places = collect_first_places(evaluate(system, open_dataset(f"grocery:{grocery}"), split="val"))
    expected = fit_confidence(places)
    for name, calibration in (("as_it_is", system.calibration), ("fitted", expected)):
        found = Calibration(**told[name]["calibration"])
        for number in ("slope", "intercept", "threshold"):
            assert getattr(found, number) == pytest.approx(getattr(calibration, number), rel=1e-6)
        assert found.added_slope is None
        assert told[name]["splits"].keys() == {"val", "test"}
        error = reliability(places.confidences(calibration), places.right).error
        split = told[name]["splits"]["val"]
        assert split["expected_calibration_error"] == pytest.approx(error, abs=1e-3)
        assert split["said_to_be_sold"].keys() == {"sold", "taken_out"}
    again = run(*given, "--write")
    assert again.returncode == 0, again.stderr
    assert again.stderr == f"wrote {file}\n"
    assert json.loads(again.stdout) == told
    assert json.loads(file.read_text())["calibration"] == told["fitted"]["calibration"]
    written = System.load("out")
    assert written.calibration == Calibration(**told["fitted"]["calibration"])
    assert written.fingerprint == system.fingerprint


def test_mistakes_are_told_before_the_search(grocery: Path) -> None:
    for system, message in (
        ("gist", "error: the system 'gist' has no folder to write a calibration to"),
        ("heel", "error: there is no system 'heel'"),
    ):
        done = run("--system", system, "--data", "grocery:nowhere", "--write")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(message)
    done = run("--system", "gist", "--data", "grocery:nowhere")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "nowhere is no folder" in done.stderr
