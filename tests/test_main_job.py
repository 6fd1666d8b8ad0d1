"""The main job on real pictures: a shop's feed in, a street photo in, the exact product out."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

pytestmark = [pytest.mark.data, pytest.mark.slow]


def run(*arguments: str | Path) -> str:
    command = [sys.executable, *(str(argument) for argument in arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_a_street_photo_finds_its_product(data_dir: Path, tmp_path: Path) -> None:
    run(ROOT / "examples" / "grocery_feed.py", data_dir / "grocery", tmp_path / "shop")
    shelf = tmp_path / "shelf"
    run("-m", "snapshelf", "index", tmp_path / "shop" / "feed.csv", "--shelf", shelf)
    photos = sorted((data_dir / "grocery/test/Packages/Juice/God-Morgon-Apple-Juice").iterdir())
    found = json.loads(
        run("-m", "snapshelf", "search", *photos[:5], "--shelf", shelf, "--json", "--top", "5")
    )
    firsts = [{match["product"]["id"] for match in photo["items"][0]["matches"]} for photo in found]
    right = sum("God-Morgon-Apple-Juice" in ids for ids in firsts)
    assert right >= 3, firsts

    cheap = json.loads(
        run("-m", "snapshelf", "search", photos[0], "--shelf", shelf, "--json", "--filter",
            "category=Packages > Juice,price<40")
    )  # fmt: skip
    matches = cheap[0]["items"][0]["matches"]
    assert matches
    assert all(match["product"]["category"] == "Packages > Juice" for match in matches)
    assert all(float(match["product"]["price"].split()[0]) < 40 for match in matches)


@pytest.mark.torch
def test_features_as_given_reach_what_is_told_of_them(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(data_dir / "weights"))
    figures = json.loads(
        run("-m", "snapshelf", "evaluate", "--system", "mobilenetv2",
            "--data", f"grocery:{data_dir / 'grocery'}", "--json", "-")
    )  # fmt: skip
    assert (figures["queries"], figures["gallery"]) == (1247, 81)
    assert figures["metrics"]["top1"] >= 0.30
    assert figures["metrics"]["top20"] >= 0.87
