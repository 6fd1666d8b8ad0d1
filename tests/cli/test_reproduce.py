"""`snapshelf reproduce`: tables as text, JSON and a page; kept trainings; orderly ends."""

import json
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from snapshelf.evaluation.paper_tables import PaperRow, PaperTable, Training
from snapshelf.locating import WholePicture
from snapshelf.systems import System
from snapshelf.systems.classical import classical
from snapshelf.systems.reproducible import REPRODUCIBLE, Reproducible

METRICS = ("top1", "top10", "top20")


class Noisy:
    """An encoder that sees less the more noise there is."""

    def __init__(self, noise, seed):
        self.inner, self.noise, self.seed = classical().encoder, noise, seed
        self.dimension, self.fingerprint = self.inner.dimension, f"noisy-{noise}-{seed}"

    def prepare(self, picture, domain):
        return self.inner.prepare(picture, domain)

    def encode(self, inputs, domain):
        drawn = np.random.default_rng(self.seed).normal(size=(len(inputs), self.dimension))
        rows = self.inner.encode(inputs, domain) + self.noise * drawn.astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@dataclass(frozen=True)
class ToySettings:
    """What a toy training can be told."""

    noise: float = 0.0
    seed: int = 0


@pytest.fixture
def trained(monkeypatch):
    """Makes `toy` reproducible; gives the list of the trainings that were made."""
    made = []

    def row(name, title, figure, noise, note=""):
        def make(seed, folder, monitor):
            made.append((name, seed))
            return System(name, WholePicture(), Noisy(noise, seed))

        training = Training(name, {"noise": noise}, make)
        return PaperRow(name, title, dict.fromkeys(METRICS, figure), training, note)

    @contextmanager
    def tables(data, settings, pictures):
        yield (
            PaperTable(
                "table-1",
                "Table 1: eyes",
                (
                    row("blind", "Blind", 0.1, 50.0 + settings.noise),
                    row("keen", "Keen", 0.9, settings.noise, "It sees well."),
                ),
                "How well they see.",
                metrics=METRICS,
            ),
        )

    monkeypatch.setitem(REPRODUCIBLE, "toy", lambda: Reproducible(ToySettings, tables))
    return made


@pytest.fixture
def reproduce(cli, grocery, trained):
    def run(*arguments, system="toy"):
        return cli("reproduce", system, "--data", f"grocery:{grocery}", *arguments)

    return run


def test_the_json_holds_every_row_and_seed(reproduce, trained):
    done = reproduce("--json", "-")
    assert done.code == 0, done.err
    value = done.json
    assert list(value) == [
        *("system", "data", "split", "queries", "gallery", "seeds", "settings", "note", "tables")
    ]
    assert value["queries"] == {"all": 8, "seen": 4, "unseen": 4}
    assert value["seeds"] == [0, 1, 2]
    assert value["settings"] == {"noise": 0.0, "seed": 0}
    blind, keen = value["tables"][0]["rows"]
    assert keen["products"]["all"]["top1"]["values"] == [0.75] * 3
    assert keen["products"]["seen"]["top1"]["mean"] == 1.0
    assert keen["paper"] == dict.fromkeys(METRICS, 0.9)
    assert blind["products"]["all"]["top1"]["mean"] < 0.75
    assert trained == [(name, seed) for seed in range(3) for name in ("blind", "keen")]


def test_the_tables_are_printed_and_nothing_is_trained_again(reproduce, trained):
    assert reproduce().code == 0
    before = list(trained)
    done = reproduce()
    assert (done.code, done.err, trained) == (0, "", before)
    lines = done.out.splitlines()
    assert lines[:2] == ["Table 1: eyes", "How well they see."]
    assert lines[2].split() == [
        *("all", "products,", "8", "queries"),
        *("Top-1", "paper", "Top-10", "paper", "Top-20", "paper"),
    ]
    assert re.match(r"Keen +75\.0 ± 0\.0 \(75\.0-75\.0\) +90\.0 +100\.0 ± 0\.0", lines[4])
    assert lines[5].startswith("  Top-1, the paper's order: ")
    assert sum("products," in line for line in lines) == 3
    assert "  Keen: It sees well." in lines
    assert "over the seeds 0, 1, 2" in lines[-1]


def test_progress_and_the_trainings_are_told(reproduce):
    done = reproduce("--seeds", "1")
    assert "1 of 2: blind, seed 0" in done.err
    assert "2 of 2: keen, seed 0; about 1 min left" in done.err
    assert "Top-1: all 0.750, seen 1.000, unseen 0.500" in done.err
    assert "too few seeds" in done.out


def test_rows_and_seeds_over_several_evenings(reproduce, trained):
    done = reproduce("--seeds", "1", "--rows", "table-1/keen")
    assert trained == [("keen", 0)]
    assert "not run" in done.out
    reproduce("--seeds", "2")
    assert trained == [("keen", 0), ("blind", 0), ("blind", 1), ("keen", 1)]
    assert Path("reproduce-toy").is_dir()


def test_a_configuration_is_read_and_its_seed_is_the_first(reproduce, trained):
    Path("toy.toml").write_text("noise = 0.25\nseed = 5\n")
    done = reproduce("--config", "toy.toml", "--seeds", "2", "--out", "kept", "--json", "a.json")
    assert (done.code, done.out) == (0, "")
    assert trained == [("blind", 5), ("keen", 5), ("blind", 6), ("keen", 6)]
    value = json.loads(Path("a.json").read_text())
    assert (value["seeds"], value["settings"]) == ([5, 6], {"noise": 0.25, "seed": 5})
    assert not Path("reproduce-toy").exists()


def test_a_page_needs_no_other_file(reproduce):
    done = reproduce("--html", "tables.html", "--json", "tables.json")
    assert done.err.endswith("wrote tables.html\nwrote tables.json\n")
    page = Path("tables.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Table 1: eyes" in page
    assert not re.search(r"<script|src=|https?://", page)


def test_another_split(reproduce, grocery):
    lines = (grocery / "val.txt").read_text().splitlines()
    (grocery / "val.txt").write_text("\n".join(lines[:2]))
    value = reproduce("--split", "val", "--seeds", "1", "--json", "-").json
    assert (value["split"], value["queries"]) == ("val", {"all": 2, "unseen": 2})
    assert len(list(Path("reproduce-toy").rglob("right-ranks-val-*.json"))) == 2


MISTAKES = [
    (["--rows", "table-9"], 2, "error: --rows: there is no table 'table-9', choose from table-1"),
    (["--rows", "table-1/none"], 2, "choose from table-1/blind, table-1/keen"),
    (["--seeds", "0"], 2, "--seeds"),
    (["--split", "dev"], 1, "error: the data set grocery has no split 'dev'"),
    (["--config", "none.toml"], 1, "error: there is no configuration file none.toml"),
    (["--config", "odd.toml"], 1, "error: odd.toml: unknown setting 'nois'; did you mean 'noise'"),
    (["--out", "grocery"], 1, "error: grocery holds something else than trainings"),
    (["--out", "no/such"], 1, "error: there is no folder no;"),
    (["--json", "odd.toml"], 1, "error: --json: odd.toml holds something else"),
    (["--html", "odd.toml"], 1, "error: --html: odd.toml holds something else"),
    (["--data", "clothing:grocery"], 1, "error: "),
    (["--data", "nothing"], 1, "error: expected NAME:DIR"),
]


@pytest.mark.parametrize(("arguments", "code", "message"), MISTAKES)
def test_mistakes_are_told_before_anything_is_trained(reproduce, trained, arguments, code, message):
    Path("odd.toml").write_text("nois = 1\n")
    done = reproduce(*arguments)
    assert (done.code, done.out, trained) == (code, "", [])
    assert message in done.err
    assert "Traceback" not in done.err


def test_other_systems_are_named(reproduce):
    done = reproduce(system="standard")
    assert (done.code, done.out) == (2, "")
    assert (
        "there are no tables of 'standard' to reproduce; choose from asymnet, hybrid, mtv"
        in done.err
    )


CONFIG = """
backbone = "test_resnet"
weights = "random"
size = 32
dimension = 16
batch_triplets = 2
triplets_per_epoch = 4
augmentation = false
num_workers = 0
stages = [{epochs = 1}, {epochs = 1, share = 1.0, weighting = true, refresh_epochs = 1}]
"""


@pytest.mark.torch
def test_mtv_on_a_tiny_network(cli, grocery):
    pytest.importorskip("torch")
    pytest.importorskip("lightning")
    Path("tiny.toml").write_text(CONFIG)
    arguments = [
        *("reproduce", "mtv", "--data", f"grocery:{grocery}", "--config", "tiny.toml"),
        *("--rows", "table-1/pretrained,table-1/siamese,table-2/tn-ap,table-3", "--seeds", "2"),
        *("--json", "-"),
    ]
    done = cli(*arguments)
    assert done.code == 0, done.err
    rows = {
        (table["table"], row["row"]): row for table in done.json["tables"] for row in table["rows"]
    }
    run = {key: row["seeds"] for key, row in rows.items() if row["products"]}
    assert run == {
        ("table-1", "pretrained"): [],
        ("table-1", "siamese"): [0, 1],
        ("table-1", "mtv"): [0, 1],
        ("table-2", "tn-ap"): [0, 1],
        ("table-3", "stage-1"): [0, 1],
        ("table-3", "stage-1-2"): [0, 1],
    }
    assert rows["table-1", "mtv"]["products"] == rows["table-3", "stage-1-2"]["products"]
    assert len(done.json["tables"][2]["differences"]) == 9
    kept = sorted(Path("reproduce-mtv").rglob("network.safetensors"))
    assert len(kept) == 8
    times = [file.stat().st_mtime_ns for file in kept]
    again = cli(*arguments)
    assert again.json == done.json
    assert [file.stat().st_mtime_ns for file in kept] == times
    assert again.err == ""


SLOW = """
import sys, time
from contextlib import contextmanager
from pathlib import Path
from snapshelf.evaluation.paper_tables import PaperRow, PaperTable, Training
from snapshelf.systems.classical import classical
from snapshelf.systems.reproducible import REPRODUCIBLE, Reproducible
from snapshelf.training.monitor import TrainingStopped
from dataclasses import dataclass

@dataclass(frozen=True)
class Settings:
    seed: int = 0

def make(seed, folder, monitor):
    if seed == 1 and not Path("second-time").exists():
        Path("at-it").touch()
        for _ in range(600):
            if monitor.should_stop():
                raise TrainingStopped
            time.sleep(0.05)
    Path(f"made-{seed}").open("a").write("x")
    return classical()

@contextmanager
def tables(data, settings, pictures):
    row = PaperRow("a", "A", dict.fromkeys(("top1", "top10", "top20"), 0.5),
                   Training("a", {}, make))
    yield (PaperTable("t", "T", (row,), metrics=("top1", "top10", "top20")),)

REPRODUCIBLE["toy"] = lambda: Reproducible(Settings, tables)
from snapshelf.cli.main import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order_and_the_same_command_goes_on(grocery, number):
    Path("slow.py").write_text(SLOW)
    command = [
        *(sys.executable, "slow.py", "reproduce", "toy", "--data", f"grocery:{grocery}"),
        *("--json", "-"),
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores it, and so would what the tests start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        for _ in range(1200):
            if Path("at-it").exists() or process.poll() is not None:
                break
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, "")
    assert err.endswith(f"stopped by {number.name}; the same command goes on\n")
    Path("second-time").touch()
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    (row,) = json.loads(done.stdout)["tables"][0]["rows"]
    assert row["seeds"] == [0, 1, 2]
    assert [Path(f"made-{seed}").read_text() for seed in range(3)] == ["x"] * 3
