"""`snapshelf reproduce studio2shop`: Table 3 on a small shop, and Table 4 on another."""

import shutil
from pathlib import Path

import pytest
from small_shop import draw
from tiny_studio2shop import CONFIG

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytestmark = pytest.mark.torch

ROWS = "table-3/static-fc14-linear,table-3/fdna-linear,table-3/studio2shop,table-4/studio2shop"


def test_rows_are_printed_and_other_data_is_searched_with_the_same_systems(cli, grocery):
    Path("tiny.toml").write_text(CONFIG.replace("ROWS", 'fc14 = "gist"'))
    other = Path("other")
    shutil.copytree(grocery, other)
    photo = next(iter(sorted(other.glob("test/**/*.jpg"))))
    draw(2, 90).save(photo, quality=95)
    given = ["--data", f"grocery:{grocery}", "--config", "tiny.toml", "--seeds", "1"]
    done = cli("reproduce", "studio2shop", *given, "--rows", ROWS)
    assert done.code == 0, done.err
    assert "table-4: left out, give a second --data" in done.err
    for told in ("Table 3: test queries", "Studio2Shop", "Top-1 %", "Median", "8139.0", "97.0"):
        assert told in done.out
    assert "Table 4" not in done.out
    # The second data set is searched, and trains nothing.
    linear = next(Path("reproduce-studio2shop/studio2shop").glob("seed-0-*/system/training.json"))
    before = linear.stat().st_mtime_ns
    both = cli(
        "reproduce", "studio2shop", *given, "--data", f"grocery:{other}", "--rows", ROWS,
        "--json", "-", "--html", "tables.html",
    )  # fmt: skip
    assert both.code == 0, both.err
    (linear,) = Path("reproduce-studio2shop/studio2shop").glob("seed-0-*/system/training.json")
    assert linear.stat().st_mtime_ns == before
    (third,) = both.json["tables"]
    found = {row["row"]: row["products"] for row in third["rows"]}
    assert set(found["studio2shop"]["all"]) == set(third["metrics"])
    assert found["studio2shop"]["all"]["median_rank"]["mean"] >= 1
    assert found["fc14-non-linear"] == {}
    assert not [each for each in third["differences"] if "rank" in each["metric"]]
    (transfer,) = both.json["transfers"]
    (fourth,) = transfer["tables"]
    assert fourth["table"] == "table-4"
    assert fourth["rows"][1]["products"]["all"]["top1"]["values"]
    assert len(list(linear.parent.parent.glob("right-ranks-test-*.json"))) == 2
    assert "Table 3" in Path("tables.html").read_text()
    assert "Table 4" in Path("tables-grocery.html").read_text()
