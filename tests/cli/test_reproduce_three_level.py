"""`snapshelf reproduce three-level`: Table I on a small shop, gone on with."""

from pathlib import Path

import pytest
from tiny_three_level import CONFIG

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

ROWS = "table-1/gist,table-1/pretrained-fc1,table-1/sag-fc1,table-1/metric,table-1/three-level"


def test_rows_are_printed_and_networks_shared(cli, grocery):
    Path("tiny.toml").write_text(CONFIG)
    given = ["--data", f"grocery:{grocery}", "--config", "tiny.toml", "--seeds", "1"]
    done = cli("reproduce", "three-level", *given, "--rows", f"{ROWS},levels/without-level-1")
    assert done.code == 0, done.err
    for title in ("Gist feature", "Deep feature (FC1) of SAG-CNN", "Metric Network", "Table I"):
        assert title in done.out
    assert "66.9" in done.out
    # Three rows are made of the two networks of one seed, trained once.
    (networks,) = Path("reproduce-three-level/networks").iterdir()
    street = (networks / "street.safetensors").read_bytes()
    made = [
        next(Path("reproduce-three-level", name).glob("seed-0-*/system/street.safetensors"))
        for name in ("sag-fc1", "three-level", "no-1")
    ]
    assert all(file.read_bytes() == street for file in made)
    log = (networks / "street" / "log.csv").read_bytes()
    again = cli("reproduce", "three-level", *given, "--rows", ROWS, "--json", "-")
    assert again.code == 0, again.err
    assert (networks / "street" / "log.csv").read_bytes() == log
    (table, levels) = again.json["tables"]
    assert [row["row"] for row in table["rows"]][-1] == "three-level"
    assert levels["table"] == "levels"
