"""`snapshelf evaluate`: the figures of a small data set, as a table, JSON and a page."""

import base64
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snapshelf.media import decode_picture
from tiny_asymnet import COLOURS, clip_pairs
from written_clip import written_clip

METRICS = [
    *("top1", "top5", "top10", "top20", "top50", "top1pct", "map7", "mean_rank", "median_rank")
]
TOP = ["data", "split", "system", "queries", "gallery", "metrics", "per_category", "seconds"]


@pytest.fixture
def evaluate(cli, grocery):
    def run(*arguments):
        return cli("evaluate", "--system", "classical", "--data", f"grocery:{grocery}", *arguments)

    return run


def test_json_has_the_promised_shape_and_the_right_figures(evaluate):
    done = evaluate("--json", "-")
    assert (done.code, done.err) == (0, "")
    figures = done.json
    assert list(figures) == TOP
    assert (figures["data"], figures["split"]) == ("grocery", "test")
    assert (figures["queries"], figures["gallery"]) == (8, 4)
    assert list(figures["metrics"]) == METRICS
    # Six of the eight photos show their product; the other two show Royal-Gala, not their Leek.
    assert figures["metrics"]["top1"] == 0.75
    assert figures["metrics"]["top5"] == 1.0
    assert figures["metrics"]["median_rank"] == 1.0
    assert {name: row["queries"] for name, row in figures["per_category"].items()} == {
        "Fruit": 4,
        "Packages": 2,
        "Vegetables": 2,
    }
    for name, row in figures["per_category"].items():
        assert list(row) == ["queries", *METRICS]
        assert row["top1"] == (0.0 if name == "Vegetables" else 1.0)
        for metric, value in row.items():
            assert isinstance(value, int if metric == "queries" else float)
            assert metric == "queries" or metric.endswith("rank") or 0 <= value <= 1
    assert list(figures["seconds"]) == ["gallery", "queries", "ranking"]
    assert all(seconds >= 0 for seconds in figures["seconds"].values())


def test_json_in_a_file_is_the_same_as_on_standard_output(evaluate):
    printed = evaluate("--json", "-").json
    done = evaluate("--json", "figures.json")
    assert (done.code, done.out, done.err) == (0, "", "wrote figures.json\n")
    written = json.loads(Path("figures.json").read_text(encoding="utf-8"))
    assert written | {"seconds": 0} == printed | {"seconds": 0}


def test_the_table_shows_the_figures(evaluate):
    figures = evaluate("--json", "-").json
    done = evaluate()
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0].split() == ["classical", "on", "grocery,", "test", "queries", *METRICS]
    rows = {"all": figures["metrics"] | {"queries": 8}} | figures["per_category"]
    for line, (name, row) in zip(lines[1:-1], rows.items(), strict=True):
        values = [
            f"{row[metric]:.1f}" if metric.endswith("rank") else f"{row[metric]:.3f}"
            for metric in METRICS
        ]
        assert line.split() == [name, str(row["queries"]), *values]
    assert re.fullmatch(r"gallery of 4 products; gallery \d+\.\d s, queries .* s", lines[-1])


@pytest.mark.parametrize(
    ("products", "queries", "top1"), [("all", 8, 0.75), ("seen", 4, 1.0), ("unseen", 4, 0.5)]
)
def test_products(evaluate, products, queries, top1):
    """Classes 0 and 3 are unseen, as their numbers are divisible by 3."""
    done = evaluate("--products", products, "--json", "-")
    assert done.code == 0
    assert (done.json["queries"], done.json["metrics"]["top1"]) == (queries, top1)


def test_another_split(evaluate, grocery):
    lines = (grocery / "val.txt").read_text().splitlines()
    (grocery / "val.txt").write_text("\n".join(lines[:2]))
    done = evaluate("--split", "val", "--json", "-")
    assert (done.json["split"], done.json["queries"]) == ("val", 2)


@pytest.fixture
def bags(tmp_path):
    """Exact Street2Shop with three bags, each in a shop photo and a street photo."""
    box = {"left": 0, "top": 0, "width": 8, "height": 8}
    pairs = [{"photo": 10 + number, "product": number, "bbox": box} for number in range(3)]
    lists = {
        "retrieval_bags": [{"photo": number, "product": number} for number in range(3)],
        "train_pairs_bags": [],
        "test_pairs_bags": pairs,
    }
    root = tmp_path / "street2shop"
    (root / "json").mkdir(parents=True)
    (root / "photos").mkdir()
    for name, entries in lists.items():
        (root / "json" / f"{name}.json").write_text(json.dumps(entries))
    for number in (0, 1, 2, 10, 11, 12):
        colour = (250, 20, 100 * (number % 10))
        Image.new("RGB", (8, 8), colour).save(root / "photos" / f"{number:09}.png")
    return root


def test_missing_pictures_are_told(cli, bags):
    arguments = ("evaluate", "--system", "classical", "--data", f"street2shop:{bags}")
    done = cli(*arguments, "--json", "-")
    assert (done.code, done.err, done.json["queries"]) == (0, "", 3)
    (bags / "photos/000000001.png").unlink()
    (bags / "photos/000000010.png").unlink()
    done = cli(*arguments, "--json", "-")
    assert (done.code, done.json["queries"], done.json["gallery"]) == (0, 1, 2)
    assert done.err == "missing pictures of street2shop, left out: 2\n"


class References(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        assert tag != "script"
        self.found += [value for name, value in attrs if name in ("src", "href")]


def test_a_report_needs_no_other_file(evaluate):
    done = evaluate("--html", "report.html", "--json", "figures.json")
    assert (done.code, done.out) == (0, "")
    assert done.err == "wrote report.html\nwrote figures.json\n"
    text = Path("report.html").read_text(encoding="utf-8")
    references = References(text).found
    assert any(reference.startswith("data:image/jpeg") for reference in references)
    assert all(reference.startswith(("data:image/jpeg", "#")) for reference in references)
    assert "Royal Gala" in text


def test_the_report_on_clips_shows_their_middle_frames(cli, tmp_path):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip)}"
    done = cli("evaluate", "--system", "classical", "--data", data, "--html", "page.html")
    assert done.code == 0, done.err
    page = Path("page.html").read_text(encoding="utf-8")
    assert "4 clips, each searched among all 4 products" in page
    shown = re.findall(r'<figure>\s*<div class="picture">(.*?)</div>\s*(.*?)</figure>', page, re.S)
    queries = {
        re.search(r"p(\d)-test", caption)[1]: re.search(r"base64,([^\"]+)", picture)[1]
        for picture, caption in shown
        if ">query<" in caption
    }
    assert sorted(queries) == ["0", "1", "2", "3"]
    for number, jpeg in queries.items():
        colour = decode_picture(base64.b64decode(jpeg)).mean(axis=(0, 1))
        assert np.abs(colour - COLOURS[int(number)]).max() < 12


def test_a_picture_that_cannot_be_read_is_an_error(evaluate, grocery):
    photo = next((grocery / "test").rglob("*.jpg"))
    photo.write_bytes(b"<html>")
    done = evaluate("--json", "figures.json", "--html", "report.html")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"error: {photo}: the file is an HTML page")
    assert done.err.count("\n") == 1
    assert not Path("figures.json").exists()
    assert not Path("report.html").exists()


def test_output_is_never_written_over_something_else(evaluate):
    Image.new("RGB", (8, 8)).save("photo.png")
    Path("notes.txt").write_text("keep me")
    Path("figures.json").write_text("{}")
    Path("empty").touch()
    for option, file in (("--html", "photo.png"), ("--json", "notes.txt"), ("--html", "notes.txt")):
        done = evaluate(option, file)
        assert (done.code, done.out) == (1, "")
        assert f"{option}: {file} holds something else" in done.err
    assert Path("notes.txt").read_text() == "keep me"
    assert evaluate("--json", "figures.json", "--html", "empty").code == 0
    assert json.loads(Path("figures.json").read_text())["queries"] == 8


@pytest.mark.data
@pytest.mark.torch
@pytest.mark.slow
def test_the_default_system_on_real_photos(cli, data_dir, monkeypatch, tmp_path):
    """The first 20 photos of the test split, against all 81 products."""
    pytest.importorskip("torch")
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(data_dir / "weights"))
    real = data_dir / "grocery"
    root = real / "dataset" if (real / "dataset").is_dir() else real
    data = tmp_path / "some"
    data.mkdir()
    for entry in root.iterdir():
        if entry.name != "test.txt":
            (data / entry.name).symlink_to(entry)
    lines = (root / "test.txt").read_text().splitlines()
    (data / "test.txt").write_text("\n".join(lines[:: len(lines) // 20][:20]))
    done = cli("evaluate", "--data", f"grocery:{data}", "--json", "-")
    assert done.code == 0, done.err
    assert (done.json["queries"], done.json["gallery"]) == (20, 81)
    assert done.json["metrics"]["top20"] > 0.4
