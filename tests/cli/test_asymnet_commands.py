"""`asymnet` from the command line: trained on clips, evaluated, and a shop indexed and searched."""

import json
from pathlib import Path

import pytest

from tiny_asymnet import CONFIG, clip_pairs
from written_clip import written_clip

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch


def test_train_evaluate_index_and_search(cli, shop, tmp_path):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip)}"
    Path("tiny.toml").write_text(CONFIG)
    given = ["--data", data, "--out", "out", "--config", "tiny.toml"]
    done = cli("train", "asymnet", *given)
    assert done.code == 0, done.err
    assert "clip-pairs: 3 products, 3 clips, 3 shop pictures" in done.err
    evaluated = cli(*done.out.split()[1:], "--json", "-")
    assert evaluated.code == 0, evaluated.err
    assert (evaluated.json["queries"], evaluated.json["gallery"]) == (4, 4)
    assert set(evaluated.json["per_category"]) == {"warm", "cold"}
    assert "rerank" in evaluated.json["seconds"]
    unseen = cli(
        "evaluate", "--system", "out", "--data", data, "--products", "unseen", "--json", "-"
    )
    assert unseen.json["queries"] == 1

    indexed = cli("index", shop / "feed.csv", "--shelf", "mine", "--system", "out", "--json")
    assert indexed.code == 0, indexed.err
    found = cli("search", shop / "street.jpg", "--shelf", "mine", "--top", "6", "--json")
    assert found.code == 0, found.err
    matches = found.json[0]["items"][0]["matches"]
    assert len(matches) == 6
    assert all(0 < match["evidence"]["probability"] < 1 for match in matches)

    again = cli("train", "asymnet", *given, "--resume")
    assert "nothing was left to do" in again.err
    tuned = CONFIG + 'start = "out"\ncategory = "cold"\n'
    Path("tuned.toml").write_text(tuned)
    own = cli("train", "asymnet", *given[:2], "--out", "cold", "--config", "tuned.toml", "--json")
    assert own.code == 0, own.err
    notes = json.loads(Path("cold/system.json").read_text())["notes"]
    assert (notes["recipe"]["category"], len(notes["start"])) == ("cold", 32)


def test_photos_and_what_is_no_model_are_refused(cli, grocery, tmp_path):
    Path("tiny.toml").write_text(CONFIG + 'start = "nowhere"\n')
    photos = cli("train", "asymnet", "--data", f"grocery:{grocery}", "--out", "out")
    assert photos.code == 1
    assert "there is no data set of clips named 'grocery'" in photos.err
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip)}"
    given = ["--data", data, "--out", "out", "--config", "tiny.toml"]
    done = cli("train", "asymnet", *given)
    assert done.code == 1
    assert "start cannot be used" in done.err
    assert not Path("out").exists()
