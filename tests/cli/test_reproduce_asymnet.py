"""The tables of `asymnet` from the command line, on clips of coloured products."""

import json
from pathlib import Path

import pytest
from PIL import Image

from tiny_asymnet import CONFIG, clip_pairs
from written_clip import written_clip

pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("sklearn")
pytestmark = pytest.mark.torch

ROWS = CONFIG.replace('tree = "2-2"\n', "").replace("epochs = 2", "epochs = 1") + (
    "components = 2\nprojected = 3\ntree_epochs = 2\ntuned_epochs = 1\nplain_clips = 1\n"
)


def test_figures_and_tables_are_filled_and_drawn(cli, tmp_path):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip, products=5)}"
    Path("rows.toml").write_text(ROWS)
    given = ["--data", data, "--out", "kept", "--config", "rows.toml", "--seeds", "1"]
    wanted = "fig-3/average,fig-3/vlad,fig-4/2-4-4*,fig-5,table-1,table-1-cold,training"
    done = cli(
        *("reproduce", "asymnet", *given, "--rows", wanted),
        *("--json", "tables.json", "--html", "page.html"),
    )
    assert done.code == 3, done.err  # AlexNet's weights and DS are not at hand
    found = json.loads(Path("tables.json").read_text())
    assert found["queries"] == {"all": 5, "seen": 4, "unseen": 1}
    tables = {table["table"]: table for table in found["tables"]}
    rows = {
        (name, row["row"]): row["products"]
        for name, table in tables.items()
        for row in table["rows"]
    }
    assert tables["table-1-cold"]["queries"]["all"] == 3
    run = {row for row, cells in rows.items() if cells}
    assert ("fig-3", "vlad") in run
    assert ("fig-3", "fisher") not in run
    assert {("fig-4", "2-4-4-epoch-1"), ("fig-4", "2-4-4-epoch-2")} <= run
    assert {("fig-5", name) for name in ("average", "kvm", "tree", "tree-back-propagation")} <= run
    assert {("table-1", name) for name in ("features", "ft", "cs", "rc", "asymnet")} <= run
    assert {("table-1-cold", name) for name in ("features", "ft", "asymnet-own")} <= run
    assert not {("table-1", "al"), ("table-1", "ds")} & run
    missing = {row["row"]: row["missing"] for row in tables["table-1"]["rows"]}
    assert "deep_search" in missing["ds"]
    # The same networks, one pair at a time or all at once, from the same start.
    plain, approximate = rows["training", "plain"], rows["training", "approximate"]
    assert plain["all"]["top1"]["values"] == approximate["all"]["top1"]["values"]

    drawn = sorted(Path("kept/figures").glob("*.png"))
    assert [file.stem for file in drawn] == ["fig-3", "fig-4", "fig-5", "table-1"]
    for file in drawn:
        with Image.open(file) as picture:
            assert len(picture.convert("RGB").resize((90, 60)).getcolors(5400)) > 3
    page = Path("page.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    again = cli("reproduce", "asymnet", *given, "--rows", "fig-5", "--json", "-")
    assert again.code == 0, again.err
    assert again.json["tables"][2]["rows"] == tables["fig-5"]["rows"]


@pytest.mark.parametrize("change", ['fusion = "none"', 'category = "cold"', "frozen = false"])
def test_what_the_rows_differ_in_is_refused(cli, tmp_path, change):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip)}"
    Path("rows.toml").write_text(f"{change}\n")
    done = cli("reproduce", "asymnet", "--data", data, "--config", "rows.toml")
    assert done.code == 1
    assert change.split()[0] in done.err
    assert "for the tables" in done.err


def test_a_drift_to_nowhere_is_refused(cli, tmp_path):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip)}"
    for given in ("drift = 0.5", f'drift_to = "{data}"'):
        Path("rows.toml").write_text(f"{given}\n")
        done = cli("reproduce", "asymnet", "--data", data, "--config", "rows.toml")
        assert done.code == 1
        assert "drift and drift_to must be given both or neither" in done.err


def test_trajectories_that_show_something_else_for_a_while(cli, tmp_path):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip, products=5)}"
    other = f"clip-pairs:{clip_pairs(tmp_path / 'others', written_clip, products=3)}"
    given = ["--data", data, "--rows", "table-1/features", "--seeds", "1", "--json", "-"]
    right = []
    for drift in ("", f'drift = 0.9\ndrift_to = "{other}"'):
        Path("rows.toml").write_text(f"{ROWS}{drift}\n")
        done = cli(
            "reproduce", "asymnet", *given, "--config", "rows.toml", "--out", f"{len(drift)}"
        )
        assert done.code == 0, done.err
        (row,) = (row for row in done.json["tables"][3]["rows"] if row["products"])
        right.append(row["products"]["all"]["top1"]["values"][0])
    assert right[0] > right[1]
