"""The systems that come with the package: whole, small, free of PyTorch, and right."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from snapshelf.datasets import open_dataset
from snapshelf.errors import ModelError
from snapshelf.evaluation import evaluate
from snapshelf.features.encoder import Domain
from snapshelf.matching.local.verified_reranking import VerifiedReranker
from snapshelf.systems import System
from snapshelf.systems.hybrid import DEFAULT_FUSION
from snapshelf.systems.shipped import shipped

FOLDER = Path(str(files("snapshelf") / "models" / "compact"))


def test_standard_is_compact_with_verified_reranking():
    standard, compact = System.load("standard"), System.load("compact")
    assert (standard.name, compact.name) == ("standard", "compact")
    assert standard.encoder.fingerprint == compact.encoder.fingerprint
    assert isinstance(standard.reranker, VerifiedReranker)
    assert standard.reranker.fusion == DEFAULT_FUSION
    assert compact.reranker is None
    assert standard.fingerprint != compact.fingerprint


def test_key_points_that_agree_make_standard_surer():
    calibration = System.load("standard").calibration
    assert calibration.confidence(1.2, 0.5) > calibration.confidence(0.7, 0.0)


def test_is_as_small_as_promised():
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) <= 8_000_000
    assert System.load("compact").encoder.dimension <= 256


def test_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['scipy'] = None\n"
        "import numpy as np\n"
        "from snapshelf.systems import System\n"
        "from snapshelf.features.encoder import Domain\n"
        "from snapshelf.matching.reranker import Candidate\n"
        "system = System.load('standard')\n"
        "noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)\n"
        "inputs = system.encoder.prepare(noise, Domain.SHOP)[None]\n"
        "sides = [system.reranker.describe(noise, side) for side in Domain]\n"
        "(one,) = system.reranker.rerank(sides[0], [Candidate(0.5, sides[1])])\n"
        "assert one.similarity > 0.5, one\n"
        "print(system.encoder.encode(inputs, Domain.STREET).shape[1])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) == System.load("standard").encoder.dimension


def test_embeddings_are_of_unit_length_and_differ_by_side():
    encoder = System.load("compact").encoder
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 90, 70, 3), np.uint8)
    inputs = np.stack([encoder.prepare(picture, Domain.SHOP) for picture in pictures])
    sides = [encoder.encode(inputs, domain) for domain in (Domain.STREET, Domain.SHOP)]
    for embeddings in sides:
        np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert not np.allclose(*sides)


@pytest.mark.data
def test_finds_exact_products_in_photos_that_training_has_not_seen(data_dir):
    dataset = open_dataset(f"grocery:{data_dir / 'grocery'}")
    system = System.load("compact")
    seen = evaluate(system, dataset, split="test", products="seen").metrics
    unseen = evaluate(system, dataset, split="test", products="unseen").metrics
    assert seen["top1"] >= 0.70
    assert unseen["top1"] >= 0.36
    assert unseen["top5"] >= 0.66


def test_a_shipped_system_that_is_missing():
    with pytest.raises(ModelError, match="'no-such' is missing from this installation"):
        shipped("no-such")


def test_a_shipped_system_that_is_damaged(tmp_path, monkeypatch):
    (tmp_path / "models" / "small").mkdir(parents=True)
    (tmp_path / "models" / "small" / "system.json").write_text("{")
    monkeypatch.setattr("snapshelf.systems.shipped.files", lambda _: tmp_path)
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        shipped("small")


def test_says_where_it_comes_from():
    settings = json.loads((FOLDER / "system.json").read_text())
    assert {"grocery"} == set(settings["notes"]["data"])
    assert (settings["system"], settings["base"]) == ("corrected", "network")
