"""Recipes on clips: which are joined, and how sure a system is of what it finds."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

RECIPES = Path(__file__).resolve().parents[2] / "recipes"


@pytest.fixture(scope="module")
def joined() -> ModuleType:
    spec = importlib.util.spec_from_file_location("joined_clips", RECIPES / "joined_clips.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, str(RECIPES / name), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pairs_are_counted_by_both_rules(joined: ModuleType) -> None:
    alike = np.array([0.95, 0.9, 0.9, 0.5], np.float32)
    same = np.array([False, True, False, True])
    found = joined.shares(alike, same)
    assert found["pairs"] == 4
    assert [each for name, each in found.items() if name != "pairs"] == [0.25, 0.25]
    assert joined.shares(alike[:0], same[:0]) == {"pairs": 0}


def test_one_photo_is_joined_more_often_than_two_products(grocery: Path) -> None:
    found = json.loads(run("joined_clips.py", "--data", f"grocery:{grocery}", "--clips", "4"))
    photos = found["photos"]
    kinds = {name: each["pairs"] for name, each in found.items() if isinstance(each, dict)}
    assert kinds["one photo, filmed twice"] == photos
    both = kinds["one product, two photos"] + kinds["two products"]
    assert both == photos * (photos - 1) // 2
    assert kinds["two products of one category"] <= kinds["two products"]


def test_confidence_is_fitted_on_clips(grocery: Path) -> None:
    told = json.loads(
        run("fit_confidence.py", "--system", "compact", "--data", f"clips:grocery:{grocery}")
    )
    assert told.keys() == {"as_it_is", "fitted"}
    assert told["fitted"]["calibration"]["slope"] >= 0
    for each in told.values():
        assert 0 <= each["splits"]["val"]["expected_calibration_error"] <= 1
