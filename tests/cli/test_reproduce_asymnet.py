"""The tables of `asymnet` from the command line, on clips of coloured products."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tiny_asymnet import CONFIG, clip_pairs, random_system
from written_clip import written_clip

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
pytest.importorskip("sklearn")
pytestmark = pytest.mark.torch

from snapshelf.datasets.clips.registry import open_clip_dataset  # noqa: E402
from snapshelf.datasets.clips.spread_frames import shown_steps  # noqa: E402
from snapshelf.evaluation.embedded_pictures import read_picture  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.systems import System  # noqa: E402

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
    assert {
        ("fig-5", name)
        for name in ("average", "kvm", "tree", "tree-mixture", "tree-back-propagation")
    } <= run
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


def ranks_by_hand(data, system, *, within):
    """The rank of each test clip's product by the mean cosine of its 32 steps, clip by clip."""
    dataset, system = open_clip_dataset(data), System.load(system)

    def embedded(picture, domain):
        return system.encoder.encode(system.encoder.prepare(picture, domain)[None], domain)[0]

    shop = [
        (product, embedded(read_picture(dataset.root / product.images[0]), Domain.SHOP))
        for product in dataset.products()
    ]
    ranks = {}
    for clip in dataset.clips("test"):
        # As `ClipFeatures` keeps them.
        steps = [embedded(step, Domain.STREET).astype(np.float16) for step in shown_steps(clip, 32)]
        mean = {
            product.id: np.mean([step.astype(float) @ own for step in steps])
            for product, own in shop
            if not within or product.category[0] == clip.category
        }
        (right,) = (mean[product] for product in clip.products)
        ranks[clip.id] = 1 + sum(own > right for own in mean.values())
    return ranks


@pytest.mark.parametrize("narrowed", ["categories", "all", "none"])
def test_named_systems_within_the_category_and_in_the_whole_gallery(cli, tmp_path, narrowed):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip, products=5)}"
    for one, other in (("p0", "p1"), ("p2", "p4")):  # taken for each other, so that ranks differ
        first, second = (tmp_path / "clips" / f"{name}.png" for name in (one, other))
        picture = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(picture)
    systems = {row: random_system(tmp_path / row, seed) for seed, row in enumerate(("al", "ds"), 3)}
    by_hand = {
        (row, within): ranks_by_hand(data, system, within=within)
        for row, system in systems.items()
        for within in (True, False)
    }
    assert all(by_hand[row, True] != by_hand[row, False] for row in systems)
    assert {rank for ranks in by_hand.values() for rank in ranks.values()} >= {1, 2, 3}
    Path("rows.toml").write_text(
        f'{ROWS}alexnet = "{systems["al"]}"\ndeep_search = "{systems["ds"]}"\n'
        f'narrowed = "{narrowed}"\n'
    )
    done = cli(
        *("reproduce", "asymnet", "--data", data, "--config", "rows.toml", "--out", "kept"),
        *("--rows", "table-1*/al,table-1*/ds", "--json", "-", "--html", "page.html"),
    )
    assert done.code == 0, done.err
    tables = {table["table"]: table for table in done.json["tables"]}
    expected = {"table-1": None, "table-1-cold": 3, "table-1-warm": 2}
    clips = {clip.id: clip for clip in open_clip_dataset(data).clips("test")}
    for name, products in expected.items():
        of_category = products is not None
        within = narrowed == "all" or (of_category and narrowed == "categories")
        table = tables[name]
        assert ("within the category" in table["title"]) == within
        assert ("the whole gallery" in table["note"]) != within
        assert table.get("gallery") == (products if within else None)
        rows = {row["row"]: row["products"]["all"] for row in table["rows"] if row["products"]}
        assert set(rows) == {"al", "ds"}
        for row, figures in rows.items():
            own = [
                rank
                for clip, rank in by_hand[row, within].items()
                if not of_category or clips[clip].category == name.removeprefix("table-1-")
            ]
            (kept,) = Path("kept").glob(
                f"{row}{name.removeprefix('table-1')}/any-seed-*/right-ranks-test-*.json"
            )
            found = json.loads(kept.read_text())["ranks"]["all"]
            assert [rank for (rank,) in found] == own
            for metric, most in (("top1", 1), ("top5", 5), ("top20", 20)):
                assert figures[metric]["mean"] == pytest.approx(np.mean([r <= most for r in own]))
    page = Path("page.html").read_text()
    assert ("3 queries among 3 products" in page) == (narrowed != "none")


def test_one_row_prints_one_table(cli, tmp_path):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip)}"
    Path("rows.toml").write_text(ROWS)
    given = ["--data", data, "--config", "rows.toml", "--rows", "table-1/ds"]
    done = cli("reproduce", "asymnet", *given)
    assert done.code == 3
    lines = done.out.splitlines()
    titles = [line for line in lines if line.startswith(("Figure", "Table", "Approximate"))]
    assert titles == ["Table 1, overall: other approaches"]
    assert any(line.split()[:3] == ["DS", "no", "weights"] for line in lines)
    assert len(lines) < 30


@pytest.mark.parametrize(("setting", "row"), [("deep_search", "ds"), ("features", "features")])
def test_a_system_that_is_trained_again_in_its_folder_is_another_one(cli, tmp_path, setting, row):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip, products=5)}"
    system = random_system(tmp_path / "named", 3)
    Path("rows.toml").write_text(f'{ROWS}{setting} = "{system}"\n')

    def figures(rows):
        done = cli(
            *("reproduce", "asymnet", "--data", data, "--config", "rows.toml", "--out", "kept"),
            *("--rows", rows, "--json", "-"),
        )
        assert done.code in (0, 3), done.err
        (table,) = (each for each in done.json["tables"] if each["table"] == "table-1")
        (found,) = (each for each in table["rows"] if each["row"] == row)
        return found["products"]

    def kept():
        return {
            file: json.loads(file.read_text())["ranks"]["all"]
            for file in Path("kept").glob(f"{row}/*/right-ranks-test-*.json")
        }

    before = figures(f"table-1/{row}")
    first = kept()
    assert before == figures("table-1/al") != {}
    shutil.rmtree(system)
    random_system(tmp_path / "named", 4)
    assert figures("table-1/al") == {}
    assert figures(f"table-1/{row}") != {}
    (new,) = kept().keys() - first.keys()
    by_hand = ranks_by_hand(data, system, within=False)
    assert [rank for (rank,) in kept()[new]] == list(by_hand.values())

    shutil.rmtree(system)
    done = cli(
        *("reproduce", "asymnet", "--data", data, "--config", "rows.toml", "--out", "kept"),
        *("--rows", "table-1/al"),
    )
    assert done.code == 1
    assert f"the setting {setting}: " in done.err


def test_another_backbone_in_the_same_folder_is_not_taken_for_the_first(cli, tmp_path):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip, products=5)}"
    kept = {}
    for out, sizes in (("one", (32, 16)), ("other", (16,))):
        for size in sizes:
            Path("rows.toml").write_text(
                ROWS.replace("size = [32, 32]", f"size = [{size}, {size}]")
            )
            done = cli(
                *("reproduce", "asymnet", "--data", data, "--config", "rows.toml"),
                *("--out", out, "--rows", "table-1/features", "--json", "-"),
            )
            assert done.code == 0, done.err
        kept[out] = {
            json.loads(file.read_text())["preprocessing"]["size"][0]
            for file in Path(out).rglob("features/system.json")
        }
    assert kept == {"one": {32, 16}, "other": {16}}


def test_a_choice_of_rows_that_there_is_not(cli, tmp_path):
    data = f"clip-pairs:{clip_pairs(tmp_path / 'clips', written_clip)}"
    Path("rows.toml").write_text('narrowed = "some"\n')
    done = cli("reproduce", "asymnet", "--data", data, "--config", "rows.toml")
    assert done.code == 1
    assert "narrowed must be one of 'categories', 'all', 'none', got 'some'" in done.err


def test_products_without_categories_are_not_searched_within_one(cli, tmp_path):
    folder = clip_pairs(tmp_path / "clips", written_clip)
    products = (folder / "products.csv").read_text()
    (folder / "products.csv").write_text(products.replace("warm", "").replace("cold", ""))
    Path("rows.toml").write_text(f'{ROWS}narrowed = "all"\n')
    given = ["--data", f"clip-pairs:{folder}", "--config", "rows.toml", "--rows"]
    done = cli("reproduce", "asymnet", *given, "table-1/features")
    assert done.code == 1
    assert "p0-test.mp4#p0 has no category" in done.err
    assert "narrowed = 'none'" in done.err


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
