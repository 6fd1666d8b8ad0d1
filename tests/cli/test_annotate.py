"""`snapshelf annotate` as its users meet it."""

import csv
import json
from pathlib import Path

import pytest
from tiny_three_level import CONFIG

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch


@pytest.fixture
def trained(cli, grocery):
    """A tiny three-level system, in the folder `out`."""
    Path("tiny.toml").write_text(CONFIG)
    given = ["--data", f"grocery:{grocery}", "--out", "out", "--config", "tiny.toml"]
    done = cli("train", "three-level", *given)
    assert done.code == 0, done.err
    return done


def test_train_evaluate_and_annotate(trained, cli, grocery, shop):
    lines = trained.err.splitlines()
    assert any(line.startswith("attributes: ") for line in lines)
    assert "the network of the street side" in lines
    evaluated = cli(*trained.out.split()[1:], "--json", "-")
    assert evaluated.code == 0, evaluated.err
    assert evaluated.json["queries"] == 8
    given = ["--system", "out"]
    photo = next(iter(sorted((grocery / "test").rglob("*.jpg"))))
    done = cli(
        "annotate", photo, shop / "feed.csv", *given, "--out", "found.jsonl", "--values", "2"
    )
    assert done.code == 0, done.err
    assert done.err.endswith("wrote found.jsonl: 7 pictures\n")
    found = [json.loads(line) for line in Path("found.jsonl").read_text().splitlines()]
    assert found[0]["picture"] == str(photo)
    assert [line["product"] for line in found[1:]] == [f"P{number}" for number in range(6)]
    for line in found:
        for values in line["items"][0]["attributes"].values():
            probabilities = [value["probability"] for value in values]
            assert probabilities == sorted(probabilities, reverse=True)
            assert 0 < sum(probabilities) < 1.001
    done = cli("annotate", shop / "pics", *given, "--out", "found.csv", "--side", "shop")
    assert done.code == 0, done.err
    with Path("found.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["picture"] for row in rows} == {str(p) for p in (shop / "pics").iterdir()}
    again = cli("annotate", shop / "pics", *given, "--out", "found.csv")
    assert again.code == 0, "an own file is written over"
    mistakes(cli, shop)


def mistakes(cli, shop):
    """Made with the system of the test before, since training it takes its time."""
    picture = shop / "street.jpg"
    bad = shop / "bad.jpg"
    bad.write_bytes(b"no picture")
    given = ["--system", "out", "--out", "x.jsonl"]
    done = cli("annotate", bad, picture, *given)
    assert done.code == 3
    assert "skipped: " in done.err
    assert "bad.jpg" in done.err
    for arguments, code, message in [
        ((picture, *given, "--attributes", "heel"), 2, "--attributes: the attribute 'heel' was"),
        ((picture, *given, "--top", "3"), 2, "--top is about products, and needs --shelf"),
        ((shop / "none.jpg", *given), 1, "there is no file or folder"),
        ((picture, "--system", "out", "--out", "x.txt"), 2, "must end in .jsonl or .csv"),
        ((picture, "--system", "out", "--out", "tiny.csv"), 1, "holds something else"),
        (
            (picture, "--system", "classical", "--out", "y.jsonl"),
            1,
            "knows no attributes; `snapshelf train` makes systems that do, of data that has some: "
            "three-level, mtv and fashion-dna",
        ),
    ]:
        Path("tiny.csv").write_text("a,b\n")
        done = cli("annotate", *arguments)
        assert (done.code, done.out) == (code, ""), done.err
        assert message in done.err
        assert "Traceback" not in done.err
    assert not Path("y.jsonl").exists()
