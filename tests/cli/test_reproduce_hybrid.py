"""`snapshelf reproduce hybrid`: grids as text, JSON and a page; data with and without training."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from small_shop import draw

torch = pytest.importorskip("torch")
timm = pytest.importorskip("timm")
pytestmark = pytest.mark.torch

import huggingface_hub  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

TINY = "timm-test-resnet-r160-in1k"
CONFIG = """
backbones = ["resnet50", "timm/test_resnet.r160_in1k"]
depth = 3
queries = 4

[local]
query_side = 160
shop_side = 160
"""


@pytest.fixture(autouse=True)
def _weights(tmp_path, monkeypatch):
    """One tiny backbone's weights, a hub that cannot be reached, and a configuration."""
    (tmp_path / "weights").mkdir()
    torch.manual_seed(1)
    save_file(
        timm.create_model("test_resnet").state_dict(),
        tmp_path / "weights" / "test_resnet.r160_in1k.safetensors",
    )
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("SNAPSHELF_DATA", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    Path("tiny.toml").write_text(CONFIG)


@pytest.fixture
def perfect(tmp_path):
    """Perfect-500K in small: five gallery pictures, and two photos, one with two right ones."""
    root = tmp_path / "perfect"
    for folder in ("PF-500K", "val_2019"):
        (root / folder).mkdir(parents=True)
    ids = [f"n{number:07}" for number in range(6)]
    (root / "training_public.csv").write_text("\n".join(["Image ID,Address", *ids]) + "\n")
    for number, name in enumerate(ids[:5]):  # the last address is dead
        draw(number).convert("RGB").save(root / "PF-500K" / f"{name}.jpg", quality=95)
    (root / "val_2019.csv").write_text(
        f"Validation Image ID,Training Image ID\nv000101,{ids[1]},{ids[2]}\nv000102,{ids[3]}\n"
    )
    for photo, number in (("v000101", 1), ("v000102", 3)):
        draw(number, 150).convert("RGB").save(root / "val_2019" / f"{photo}.jpg", quality=95)
    return f"perfect500k:{root}"


@pytest.fixture
def reproduce(cli, grocery):
    def run(*arguments, data=f"grocery:{grocery}"):
        return cli("reproduce", "hybrid", "--data", data, "--config", "tiny.toml", *arguments)

    return run


def test_a_grid_like_the_papers_with_its_figures_beside(reproduce):
    done = reproduce()
    assert done.code == 3
    missing, found = done.out.split("\n\n")[:2]
    lines = missing.splitlines()
    assert lines[0] == "Table 2: ResNet, resnet50"
    heads = [text for name in ("MAC", "R-MAC", "RA-MAC", "SPoC") for text in (name, "paper")]
    assert lines[2].split() == ["not", "run,", "mAP@7", *heads]
    assert lines[3].split() == [
        *("L1", "w/o"),
        *("no", "weights", "28.3", "no", "weights", "26.2", "no", "weights", "29.4"),
        *("no", "weights", "25.2"),
    ]
    assert lines[5].split() == ["L1", "verified", *["no", "weights", "-"] * 4]
    assert len(lines) == 13
    assert lines[-1].startswith("  left out: the weights model.safetensors of the hub repository ")
    assert "SNAPSHELF_WEIGHTS" not in done.out
    lines = found.splitlines()
    assert lines[0] == "timm/test_resnet.r160_in1k, not in the paper"
    assert "fitted for each pooling and distance on the training photos of grocery." in lines[1]
    assert [line.split(",")[0] for line in lines if "queries" in line] == [
        *("all products", "seen products", "unseen products")
    ]
    assert re.fullmatch(r"Cosine SIFT( +\d+\.\d +-){4}", lines[10])
    claims = [line for line in lines if line.startswith("  mAP@7, ")]
    assert len(claims) == 12
    assert re.match(
        r"  mAP@7, SIFT re-ranking is better than none: [a-z ]+ \(of 12 pairs .* points", claims[0]
    )
    last, note = done.out.splitlines()[-2:]
    assert last == (
        "grocery, test, gallery of 4 products. Percent; beside it the paper's figure, of its own "
        "data."
    )
    assert note.startswith("Nothing is random but FLANN's trees")
    assert done.err.count("left out: the weights") == 1
    assert done.err.splitlines()[-1] == (
        "rows left out, since the weights of their backbones are not here: 36"
    )


def test_the_json_tells_places_and_what_is_missing(reproduce):
    value = reproduce("--json", "-").json
    assert value["seeds"] == []
    assert value["note"].startswith("Nothing is random but")
    assert value["settings"]["backbones"] == ["resnet50", "timm/test_resnet.r160_in1k"]
    missing, found = value["tables"]
    assert (missing["table"], found["table"]) == ("resnet50", TINY)
    assert {row["missing"][:11] for row in missing["rows"]} == {"the weights"}
    row = missing["rows"][4]
    assert (row["row"], row["place"]) == ("mac-l1-sift", ["L1 SIFT", "MAC"])
    assert (row["paper"], row["products"]) == ({"map7": 0.3762}, {})
    for row in found["rows"]:
        assert row["missing"] is None
        assert row["paper"] == {}
        assert list(row["products"]) == ["all", "seen", "unseen"]
        (figure,) = row["products"]["all"]["map7"]["values"]
        assert 0 <= figure <= 1
    assert found["metrics"] == ["map7"]
    assert len(found["order"]) == 3 * 4
    assert {one["claim"] for one in found["differences"]} == {
        one["claim"] for one in found["order"]
    }
    assert found["differences"][0]["paper"] is None


def test_a_page_shows_the_grid_and_says_what_is_missing(reproduce):
    done = reproduce("--html", "tables.html", "--json", "tables.json")
    assert done.code == 3
    assert "wrote tables.html\nwrote tables.json\n" in done.err
    page = Path("tables.html").read_text(encoding="utf-8")
    assert page.count("no weights") == 36
    assert "Left out: the weights model.safetensors" in page
    assert page.count("paper 28.3") == 1
    assert "By seed" not in page
    assert "Seeds" not in page
    assert "over the seeds" not in page
    assert "mAP@7" in page
    assert not re.search(r"<script|src=|https?://(?!127)", page)


def test_data_that_cannot_be_trained_on(reproduce, perfect):
    done = reproduce("--rows", f"{TINY}/*mac-cosine*", "--json", "-", data=perfect)
    assert done.code == 0, done.err
    assert "missing pictures of perfect500k, left out: 1" in done.err
    value = done.json
    assert (value["data"], value["gallery"]) == (["perfect500k"], 5)
    assert value["queries"] == {"all": 2, "unseen": 2}
    run = {row["row"]: row for row in value["tables"][1]["rows"] if row["products"]}
    # L2 stands for cosine too: they are one system.
    assert len(run) == 3 * 3 * 2
    assert run["ra-mac-l2-sift"]["products"] == run["ra-mac-cosine-sift"]["products"]
    assert "the data have no training photos" in value["tables"][1]["note"]
    # Two right pictures, found first and nearly so: AP@7 counts both.
    (figure,) = run["mac-cosine-sift"]["products"]["all"]["map7"]["values"]
    assert figure > 0.5
    assert not any(row["missing"] for row in value["tables"][0]["rows"])


def test_photos_of_another_data_set_fit_the_fusion(cli, perfect, grocery):
    done = cli(
        *("reproduce", "hybrid", "--data", perfect, "--data", f"grocery:{grocery}"),
        *("--config", "tiny.toml", "--rows", f"{TINY}/mac-l1-verified", "--json", "-"),
    )
    assert done.code == 0, done.err
    assert done.json["data"] == ["perfect500k", "grocery"]
    assert "on the training photos of grocery." in done.json["tables"][1]["note"]
    (file,) = Path("reproduce-hybrid").rglob("system.json")
    assert json.loads(file.read_text())["notes"] == {"data": ["grocery"], "queries": 4}


def test_nothing_is_done_again(reproduce):
    first = reproduce("--rows", f"{TINY}/r-mac-*", "--json", "-")
    assert first.code == 0, first.err
    again = reproduce("--rows", f"{TINY}/r-mac-*", "--json", "-")
    assert (again.json, again.err) == (first.json, "")
    shutil.rmtree("reproduce-hybrid/pictures")  # needed by nothing that is done
    assert reproduce("--rows", f"{TINY}/r-mac-*", "--json", "-").json == first.json


def test_what_was_killed_is_gone_on_with(reproduce, grocery):
    command = [
        *(sys.executable, "-m", "snapshelf", "reproduce", "hybrid", "--config", "tiny.toml"),
        *("--data", f"grocery:{grocery}", "--rows", f"{TINY}/*-l1*", "--json", "-"),
    ]

    def kept():
        return {file: file.stat().st_mtime_ns for file in Path().rglob("right-ranks-*.json")}

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and len(kept()) < 6:
            time.sleep(0.01)
        process.kill()
        _, err = process.communicate(timeout=100)
    assert process.returncode == -signal.SIGKILL, err
    before = kept()
    assert 6 <= len(before) < 12
    done = reproduce("--rows", f"{TINY}/*-l1*", "--json", "-")
    assert done.code == 0, done.err
    assert len([row for row in done.json["tables"][1]["rows"] if row["products"]]) == 12
    assert before.items() < kept().items()
    assert len(kept()) == 12


MISTAKES = [
    ('backbones = ["resnet34"]', 1, "error: tiny.toml: backbones must be vgg16, resnet50"),
    ("backbones = []", 1, "error: tiny.toml: backbones must name at least one"),
    ('backbones = "resnet50"', 1, "error: tiny.toml: backbones must be a list"),
    ("backbones = [3]", 1, "error: tiny.toml: backbones[0] must be a text"),
    ('backbones = ["timm/../../../etc/passwd"]', 1, "error: there is no backbone"),
    ('backbones = ["timm/resnet18\\n\\u001b[2J"]', 1, "error: there is no backbone"),
    ("depth = 0", 1, "error: tiny.toml: depth must be at least 1"),
    ("seed = 3", 1, "error: tiny.toml: unknown setting 'seed'"),
    ("[local]\nratio = 2.0", 1, "error: tiny.toml: local: ratio must be in (0, 1]"),
    ("[local]\nside = 2", 1, "error: tiny.toml: local: unknown setting 'side'"),
    ("[fusion]\nweight = 2", 1, "error: tiny.toml: unknown setting 'fusion'"),
]


@pytest.mark.parametrize(("config", "code", "message"), MISTAKES, ids=str)
def test_a_configuration_that_makes_no_sense(reproduce, config, code, message):
    Path("tiny.toml").write_text(config)
    done = reproduce()
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert "\x1b" not in done.err
    assert "Traceback" not in done.err
    assert not Path("reproduce-hybrid").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "3"], "error: --seeds: nothing in the tables of hybrid has a seed"),
        (["--rows", "vgg16"], "error: --rows: there is no table 'vgg16', choose from resnet50"),
        (["--rows", f"{TINY}/mac"], f"choose from {TINY}/mac-l1, "),
    ],
)
def test_options_that_make_no_sense(reproduce, arguments, message):
    done = reproduce(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_data_to_train_on_beside_the_first_must_be_that(cli, perfect, grocery):
    done = cli(
        *("reproduce", "hybrid", "--data", f"grocery:{grocery}", "--data", perfect),
        *("--config", "tiny.toml"),
    )
    assert done.code == 1
    assert "the data set perfect500k has no training pictures" in done.err
