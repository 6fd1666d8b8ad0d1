"""`studio2shop` from the command line: trained, evaluated, and a shop indexed and searched."""

from pathlib import Path

import pytest
from tiny_studio2shop import CONFIG

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch


def test_train_evaluate_index_and_search(cli, grocery, shop):
    Path("tiny.toml").write_text(CONFIG.replace("ROWS", ""))
    given = ["--data", f"grocery:{grocery}", "--out", "out", "--config", "tiny.toml"]
    done = cli("train", "studio2shop", *given)
    assert done.code == 0, done.err
    for told in ("FashionDNA", "2 shop pictures", "the linear match", "the non-linear match"):
        assert told in done.err
    evaluated = cli(*done.out.split()[1:], "--json", "-")
    assert evaluated.code == 0, evaluated.err
    assert evaluated.json["queries"] == 8
    assert "rerank" in evaluated.json["seconds"]
    indexed = cli("index", shop / "feed.csv", "--shelf", "mine", "--system", "out", "--json")
    assert indexed.code == 0, indexed.err
    assert indexed.json["changed"] == 6
    found = cli("search", shop / "street.jpg", "--shelf", "mine", "--top", "6", "--json")
    assert found.code == 0, found.err
    (item,) = found.json[0]["items"]
    assert len(item["matches"]) == 6
    judged = [match["evidence"] for match in item["matches"]]
    assert all("probability" in each for each in judged[:3])
    assert not any(judged[3:])
    similar = [match["similarity"] for match in item["matches"]]
    assert similar == sorted(similar, reverse=True)


def test_a_mistake_in_the_inner_table_is_named(cli, grocery):
    Path("tiny.toml").write_text(CONFIG.replace("ROWS", "").replace("fc1", "fc2"))
    given = ["--data", f"grocery:{grocery}", "--out", "out", "--config", "tiny.toml"]
    done = cli("train", "studio2shop", *given)
    assert done.code == 1
    assert "tiny.toml: fashion_dna: unknown setting 'fc2'; did you mean 'fc1'?" in done.err
    assert not Path("out").exists()
