"""The page of a paper's tables, on figures that are known."""

import re
from dataclasses import replace

import pytest

from snapshelf.evaluation.table_report import write_tables
from snapshelf.evaluation.tables import Cell, Difference, Reproduction, Row, Table

METRICS = ("top1", "top10", "top20")
ORDER = "the paper's order"


def cells(**values):
    return {
        choice: {metric: Cell(tuple(found)) for metric in METRICS}
        for choice, found in values.items()
    }


def row(name, found, *, training=None, seeded=True, note=""):
    return Row(
        name=name,
        title=f"Row {name}",
        training=training or name,
        seeded=seeded,
        seeds=(0, 1) if seeded and found else (),
        published=dict.fromkeys(METRICS, 0.3742),
        cells=found,
        note=note,
    )


@pytest.fixture
def result():
    measured = cells(all=(0.5, 0.75), unseen=(0.25, 0.25))
    table = Table(
        "table-1",
        "Table 1",
        "What this is.",
        METRICS,
        (
            row("a", cells(all=(0.125,), unseen=(0.0,)), seeded=False, note="No training."),
            row("b", measured),
            row("c", {}),
        ),
        (ORDER,),
        (
            Difference(ORDER, "b", "a", "all", "top1", 0.1, (0.375, 0.625), 0.2, 0.7, "holds"),
            Difference(
                ORDER, "b", "a", "unseen", "top1", 0.1, (-0.25, -0.25), -0.3, -0.1, "reversed"
            ),
        ),
    )
    own = (row("d", measured, training="b"),)
    other = Table("table-2", "Table 2", "", METRICS, own, (ORDER,), ())
    return Reproduction(
        system="mtv",
        data=("paints", "clothing"),
        split="test",
        queries={"all": 1200, "unseen": 400},
        gallery=81,
        seeds=(0, 1),
        settings={"size": 128, "weights": None},
        tables=(table, other),
    )


@pytest.fixture
def page(tmp_path, read_page):
    """Writes the page and reads it back."""

    def make(value):
        path = tmp_path / "tables.html"
        write_tables(value, path)
        return read_page(path.read_text(encoding="utf-8"))

    return make


def lines(page, table):
    """The texts of each row of a table, without what is between tags."""
    found = page.all("table")[table]
    return [
        [
            " ".join(e.text.split())
            for e in page.elements
            if e.tag in {"th", "td"} and each in e.parents
        ]
        for each in page.all("tr")
        if found in each.parents
    ]


def test_every_figure_has_its_spread_and_the_papers_beside(page, result):
    read = page(result)
    head, plain, spread, missing, order = lines(read, 0)
    assert head == ["Row", "Top-1", "Top-10", "Top-20", "Seeds"]
    assert plain == ["Row a", *["12.5 paper 37.4"] * 3, "any"]
    assert spread == ["Row b", *["62.5 ± 17.7 50.0 to 75.0 · paper 37.4"] * 3, "0, 1"]
    assert missing == ["Row c", *["not run paper 37.4"] * 3, ""]
    assert order == ["The paper's order", "holds", *["nothing to compare"] * 2, ""]
    assert lines(read, 1)[-1][1] == "reversed"
    headings = [e.text for e in read.all("h3")]
    assert headings[:2] == ["All products, 1,200 queries", "Unseen products, 400 queries"]


def test_charts_show_mean_spread_and_the_papers_mark(page, result):
    read = page(result)
    first, second = (
        [e for e in read.elements if e.tag == tag and e.attributes.get("class") == name]
        for tag, name in (("rect", "bar"), ("path", "spread"))
    )
    assert [float(bar.attributes["width"]) for bar in first[:4]] == [12.5, 12.5, 12.5, 62.5]
    assert second[0].attributes["d"] == "M50.00 7H75.00M50.00 4v6M75.00 4v6"
    marks = read.all("path", class_="paper")
    assert marks[0].attributes["d"] == "M37.42 0v14"
    assert len(marks) == len(first)


def test_differences_tell_both_intervals_and_seeds(page, result):
    _, holds, turned = lines(page(result), 2)
    assert holds == [
        *(ORDER, "Row b", "Row a", "all, Top-1", "+10.0", "+50.0", "+20.0 to +70.0"),
        *("+37.5, +62.5", "holds"),
    ]
    assert turned[-2:] == ["-25.0, -25.0", "reversed"]


def test_shared_trainings_and_settings_are_told(page, result):
    text = page(result).all("main")[0].text
    assert "One training: b" in text
    assert "Row b (Table 1) and Row d (Table 2) are the same." in text
    assert "One training: a" not in text
    assert lines(page(result), -1)[1:] == [["size", "128"], ["weights", "None"]]


def test_nothing_run_yet(page, result):
    empty = [
        replace(
            table, rows=tuple(replace(r, cells={}, seeds=()) for r in table.rows), differences=()
        )
        for table in result.tables
    ]
    read = page(replace(result, queries={}, tables=tuple(empty)))
    assert read.all("h2")[0].text == "Table 1"
    assert [e.text for e in read.all("h3")] == ["Not run", "Not run"]
    assert lines(read, 0)[1] == ["Row a", *["not run paper 37.4"] * 3, "any"]
    assert len(lines(read, 0)) == 4  # no order is looked for


def test_a_grid_has_every_row_in_its_place(page, result):
    def cell(name, line, column, found=None, **options):
        own = {} if found is None else {"all": {"map7": Cell((found,))}}
        published = options.pop("published", {})
        return Row(name, name, name, False, (), published, own, place=(line, column), **options)

    rows = (
        cell("a", "L1", "MAC", 0.5, published={"map7": 0.25}),
        cell("b", "L1", "SPoC", published={"map7": 0.125}, missing="<They> are gone."),
        cell("c", "L2", "SPoC", 0.75),
    )
    pairs = (Difference("SIFT is best", "c", "a", "all", "map7", None, (0.25,), 0.1, 0.4, "holds"),)
    table = Table("t", "T", "", ("map7",), rows, ("SIFT is best",), pairs)
    unrun = tuple(replace(row, cells={}, missing="<They> are gone.") for row in rows)
    other = Table("u", "U", "", ("map7",), unrun, ("SIFT is best",), ())
    read = page(
        replace(
            result, queries={"all": 7}, seeds=(), tables=(table, other), note="By <chance> only."
        )
    )
    assert lines(read, 0) == [
        ["Row", "MAC", "SPoC"],
        ["L1", "50.0 paper 25.0", "no weights paper 12.5"],
        ["L2", "", "75.0"],
        ["SIFT is best", "holds +25.0 points, +10.0 to +40.0"],
    ]
    assert lines(read, 1)[1][1:4] == ["c", "a", "all, mAP@7"]
    assert lines(read, 1)[1][4:] == ["", "+25.0", "+10.0 to +40.0", "holds"]
    assert lines(read, 2)[2] == ["L2", "", "no weights"]
    assert len(lines(read, 2)) == 3
    assert [e.text for e in read.all("h3")] == ["All products, 7 queries, mAP@7", "Not run, mAP@7"]
    text = read.all("main")[0].text
    assert "By <chance> only." in text
    assert text.count("Left out: <They> are gone.") == 2
    assert "seeds" not in text.lower()
    assert "One training" not in text
    marks = read.all("path", class_="paper")
    assert [mark.attributes["d"] for mark in marks] == ["M25.00 0v14"]


def test_hostile_names_stay_text(page, result):
    hostile = '"><script>alert(1)</script>' + "W" * 500
    first, second = result.tables
    rows = tuple(replace(r, title=hostile, note=hostile, training=hostile) for r in first.rows)
    value = replace(
        result,
        system=hostile,
        data=(hostile,),
        split=hostile,
        settings={hostile: {"x": hostile}},
        tables=(replace(first, title=hostile, note=hostile, rows=rows), second),
    )
    read = page(value)  # whose reader refuses scripts
    assert read.all("h2")[0].text == hostile
    assert lines(read, 0)[1][0] == hostile
    assert lines(read, -1)[1][0] == hostile
    assert not re.search("<script", read.source)


def test_ranks_are_no_percentages(page, result):
    ranked = replace(
        result.tables[0],
        metrics=("top1", "median_rank"),
        rows=(
            Row(
                "a", "Row a", "a", True, (0, 1), {"top1": 0.2, "median_rank": 8139.0},
                {"all": {"top1": Cell((0.5, 0.5)), "median_rank": Cell((8.1, 32.4))}},
            ),
        ),
        differences=(),
    )  # fmt: skip
    read = page(replace(result, tables=(ranked,), queries={"all": 10}))
    head, line, _ = lines(read, 0)
    assert head == ["Row", "Top-1", "Median", "Seeds"]
    assert line[2] == "20.2 ± 17.2 8.1 to 32.4 · paper 8139.0"
    # Of a gallery of 81, and no mark: the paper's rank is of another gallery.
    assert [bar.attributes["width"] for bar in read.all("rect", class_="bar")] == ["50.00", "25.00"]
    assert len(read.all("path", class_="paper")) == 1
