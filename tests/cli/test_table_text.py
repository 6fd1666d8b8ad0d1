"""A paper's tables on the terminal, from figures that are known."""

import pytest

from snapshelf.cli.table_text import print_tables
from snapshelf.evaluation.tables import Cell, Difference, Reproduction, Row, Table

METRICS = ("top1", "top10", "top20")
ORDER = "the paper's order"


def row(name, values, *, note=""):
    cells = {"all": {metric: Cell(values) for metric in METRICS}} if values else {}
    seeds = tuple(range(len(values)))
    return Row(name, f"Row {name}", name, True, seeds, dict.fromkeys(METRICS, 0.3742), cells, note)


def difference(better, worse, mean, verdict):
    return Difference(
        ORDER, better, worse, "all", "top1", 0.1, (mean,), mean - 0.2, mean + 0.2, verdict
    )


@pytest.fixture
def printed(capsys):
    def run(rows, differences):
        table = Table(
            *("table-1", "Table 1 [bold]", "What it is.", METRICS, rows, (ORDER,)),
            tuple(differences),
        )
        queries = {"all": 7} if any(each.cells for each in rows) else {}
        print_tables(Reproduction("mtv", ("paints",), "test", queries, 5, (0, 1), {}, (table,)))
        return capsys.readouterr().out.splitlines()

    return run


def test_figures_with_spread_and_the_papers(printed):
    lines = printed((row("a", (0.5, 0.75)), row("b", (0.25,)), row("c", ())), [])
    assert lines[:2] == ["Table 1 [bold]", "What it is."]
    assert lines[3].split("  ")[0] == "Row a"
    assert lines[3].count("62.5 ± 17.7 (50.0-75.0)") == 3
    assert lines[4].split() == ["Row", "b", *["25.0", "37.4"] * 3]
    assert lines[5].split() == ["Row", "c", *["not", "run", "37.4"] * 3]
    assert "order" not in "".join(lines[:-1])


def test_one_pair_has_its_difference(printed):
    lines = printed((row("a", (0.5,)), row("b", (0.4,))), [difference("a", "b", 0.1, "holds")])
    assert "  Top-1, the paper's order: holds (+10.0 points, -10.0 to +30.0)" in lines


def test_several_pairs_are_counted_and_the_reversed_ones_named(printed):
    rows = tuple(row(name, (0.5,)) for name in "abc")
    lines = printed(
        rows,
        [
            difference("a", "b", -0.25, "reversed"),
            difference("a", "c", 0.1, "not distinguishable"),
            difference("b", "c", 0.5, "holds"),
        ],
    )
    assert (
        "  Top-1, the paper's order: reversed (of 3 pairs 1 holds, 1 not distinguishable, "
        "1 reversed; -25.0 to +50.0 points, in the paper +10.0 to +10.0; "
        "reversed: Row b over Row a by 25.0)"
    ) in lines


def test_a_table_that_looks_at_some_of_the_gallery_tells_how_many(capsys):
    def table(name, **own):
        return Table(name, name, "", METRICS, (row("a", (0.5,)),), (ORDER,), (), **own)

    tables = (table("whole"), table("some", queries={"all": 3}, gallery=4))
    print_tables(Reproduction("mtv", ("paints",), "test", {"all": 7}, 9, (0,), {}, tables))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("all products, 7 queries  ")
    assert lines[lines.index("some") + 1].startswith("all products, 3 queries among 4  ")
    assert [each.to_json({}).get("gallery") for each in tables] == [None, 4]


def test_tables_that_were_not_asked_for_and_have_no_figure_are_named_only(capsys):
    def table(name, values):
        return Table(name, f"Table {name}", "", METRICS, (row("a", values),), (ORDER,), ())

    def printed(asked):
        print_tables(whole, asked)
        lines = capsys.readouterr().out.splitlines()
        return [line for line in lines if line.startswith(("Table", "not run:"))]

    def reproduction(*tables, transfers=()):
        queries = {"all": 7}
        return Reproduction(
            "mtv", ("paints",), "test", queries, 9, (0,), {}, tables, transfers=transfers
        )

    other = reproduction(table("four", ()))
    whole = reproduction(
        table("one", ()), table("two", (0.5,)), table("three", ()), transfers=(other,)
    )
    assert printed(None) == ["Table one", "Table two", "Table three", "Table four"]
    assert printed({"one"}) == ["Table one", "Table two", "not run: three"]
    assert printed({"four"}) == ["Table two", "not run: one, three", "Table four"]
    whole = reproduction(table("one", ()), transfers=(other,))
    assert printed({"four"}) == ["Table four"]
    assert printed({"five"}) == []


def test_a_grid_has_every_row_in_its_place(capsys):
    def cell(name, line, column, *, figure=None, paper=None, missing=""):
        return Row(
            name=name,
            title=name,
            training=name,
            seeded=False,
            seeds=(),
            published={} if paper is None else {"map7": paper},
            cells={} if figure is None else {"all": {"map7": Cell((figure,))}},
            place=(line, column),
            missing=missing,
        )

    rows = (
        cell("a", "L1", "MAC", figure=0.5, paper=0.25),
        cell("b", "L1", "SPoC", paper=0.125, missing="They are gone."),
        cell("c", "L2", "SPoC", figure=0.0),
        cell("d", "L3", "MAC"),
    )
    pairs = (
        Difference("c is best", "c", "a", "all", "map7", None, (-0.5,), -0.6, -0.4, "reversed"),
    )
    table = Table("t", "T", "", ("map7",), rows, ("c is best", "nothing"), pairs)
    print_tables(
        Reproduction("x", ("paints",), "test", {"all": 7}, 5, (), {}, (table,), note="By chance.")
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[1:5]] == [
        ["all", "products,", "7", "queries,", "mAP@7", "MAC", "paper", "SPoC", "paper"],
        ["L1", "50.0", "25.0", "no", "weights", "12.5"],
        ["L2", "0.0", "-"],
        ["L3", "not", "run", "-"],
    ]
    assert lines[5:7] == [
        "  mAP@7, c is best: reversed (-50.0 points, -60.0 to -40.0)",
        "  left out: They are gone.",
    ]
    assert lines[-2].endswith("products. Percent; beside it the paper's figure, of its own data.")
    assert lines[-1] == "By chance."


def test_notes_stand_below_and_nothing_run_is_told(printed):
    lines = printed((row("a", (), note="It is quick."),), [])
    heads = [text for label in ("Top-1", "Top-10", "Top-20") for text in (label, "paper")]
    assert lines[2].split() == ["not", "run", *heads]
    assert lines[3].split() == ["Row", "a", *["not", "run", "37.4"] * 3]
    assert lines[4] == "  Row a: It is quick."
    assert lines[-1].startswith("paints, test, gallery of 5 products.")
