"""`studio2shop` from the command line: trained, evaluated, and a shop indexed and searched."""

from pathlib import Path

import pytest
from small_shop import draw
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


@pytest.fixture
def clothing(tmp_path):
    """The layout of the clothing dataset: six photos, each of an article of its own."""
    root = tmp_path / "clothing"
    (root / "images").mkdir(parents=True)
    rows = ["image,sender_id,label,kids"]
    for number in range(6):
        draw(number).save(root / "images" / f"{number}.jpg", quality=95)
        rows.append(f"{number},1,{'Dress' if number % 2 else 'Shoes'},False")
    (root / "images.csv").write_text("\n".join(rows) + "\n")
    return root


def test_a_data_set_without_photos(cli, clothing, grocery):
    data = f"clothing:{clothing}"
    Path("tiny.toml").write_text(CONFIG.replace("ROWS", ""))
    given = ["--data", data, "--out", "out", "--config", "tiny.toml"]
    done = cli("train", "studio2shop", *given)
    assert (done.code, done.out) == (0, ""), done.err
    assert "clothing has no photos: street views are drawn of its articles' own pictures" in (
        " ".join(done.err.split())
    )
    assert "for its figures evaluate it on data with queries" in done.err
    # It is searched for on other data; as of any system, there is nothing to search this with.
    evaluated = cli("evaluate", "--system", "out", "--data", f"grocery:{grocery}", "--json", "-")
    assert evaluated.json["queries"] == 8
    for refused in (
        cli("evaluate", "--system", "out", "--data", data),
        cli("reproduce", "studio2shop", "--data", data, "--out", "tables"),
    ):
        assert refused.code == 1
        assert "the data set clothing has no queries, only training pictures" in refused.err
    again = cli("train", "studio2shop", *given, "--resume", "--data", f"grocery:{grocery}")
    assert "out holds a training of something else" in again.err
    assert "snapshelf evaluate" not in again.out
    Path("tiny.toml").write_text(CONFIG.replace("ROWS", "augmentation = false"))
    without = cli("train", "studio2shop", *given[:2], "--out", "other", "--config", "tiny.toml")
    assert (without.code, Path("other").exists()) == (1, False)
    assert "leave the setting augmentation out, or set it to true" in without.err


def test_a_mistake_in_the_inner_table_is_named(cli, grocery):
    Path("tiny.toml").write_text(CONFIG.replace("ROWS", "").replace("fc1", "fc2"))
    given = ["--data", f"grocery:{grocery}", "--out", "out", "--config", "tiny.toml"]
    done = cli("train", "studio2shop", *given)
    assert done.code == 1
    assert "tiny.toml: fashion_dna: unknown setting 'fc2'; did you mean 'fc1'?" in done.err
    assert not Path("out").exists()
