"""The tables as values: means and spreads, an order's verdict, and plain JSON."""

import json
import math

import numpy as np
import pytest

from snapshelf.evaluation.tables import (
    Cell,
    Difference,
    Reproduction,
    Row,
    Table,
    join_verdicts,
)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_mean_and_spread_are_numpys(count):
    values = np.random.default_rng(count).random(count)
    cell = Cell(tuple(values))
    assert cell.mean == pytest.approx(values.mean(), rel=1e-12)
    assert cell.deviation == pytest.approx(values.std(ddof=1), rel=1e-9)
    assert (cell.lowest, cell.highest) == (values.min(), values.max())
    assert cell.to_json()["values"] == list(values)


def test_one_value_has_no_spread():
    cell = Cell((0.25,))
    assert (cell.mean, cell.deviation, cell.lowest, cell.highest) == (0.25, None, 0.25, 0.25)


@pytest.mark.parametrize("values", [(), (0.1, math.nan), (math.inf,)])
def test_a_cell_without_a_figure_is_refused(values):
    with pytest.raises(ValueError, match="at least one finite number"):
        Cell(values)


@pytest.mark.parametrize(
    ("verdicts", "joined"),
    [
        ([], None),
        (["holds", "holds"], "holds"),
        (["holds", "reversed", "too few seeds"], "reversed"),
        (["not distinguishable", "holds"], "not distinguishable"),
        (["too few seeds", "holds", "not distinguishable"], "too few seeds"),
    ],
)
def test_an_order_is_as_good_as_its_worst_pair(verdicts, joined):
    assert join_verdicts(verdicts) == joined


def table(verdicts):
    """Rows a, b and c, of which c has not been run, and a pair for each (products, metric)."""
    cells = {"all": {"top1": Cell((0.5, 0.75))}}
    rows = [
        Row("a", "A", "one", True, (0, 1), {"top1": 0.4}, cells),
        Row("b", "B", "two", True, (0, 1), {"top1": 0.3}, cells, "a note"),
        Row("c", "C", "three", True, (), {"top1": 0.2}, {}),
    ]
    pairs = [
        Difference("order", "a", "b", products, metric, 0.1, (0.1, 0.3), 0.05, 0.35, verdict)
        for products, metric, verdict in verdicts
    ]
    return Table("t", "Table", "", ("top1",), tuple(rows), ("order",), tuple(pairs))


def test_a_table_judges_each_metric_and_choice_by_itself():
    whole = table(
        [("all", "top1", "holds"), ("all", "top10", "reversed"), ("seen", "top1", "holds")]
    )
    assert whole.verdict("order", "all", "top1") == "holds"
    assert whole.verdict("order", "all", "top10") == "reversed"
    assert whole.verdict("order", "unseen", "top1") is None
    assert whole.verdict("another", "all", "top1") is None


def test_everything_is_plain_json():
    result = Reproduction(
        system="mtv",
        data=("paints",),
        split="test",
        queries={"all": 7, "seen": 4},
        gallery=6,
        seeds=(0, 1),
        settings={"size": 32},
        tables=(table([("all", "top1", "holds")]),),
    )
    value = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert list(value) == [
        *("system", "data", "split", "queries", "gallery", "seeds", "settings", "note", "tables")
    ]
    (only,) = value["tables"]
    assert list(only) == ["table", "title", "note", "metrics", "rows", "order", "differences"]
    assert only["order"] == [
        {"claim": "order", "products": "all", "metric": "top1", "verdict": "holds"},
        {"claim": "order", "products": "seen", "metric": "top1", "verdict": None},
    ]
    assert [row["row"] for row in only["rows"]] == ["a", "b", "c"]
    assert only["rows"][0]["products"]["all"]["top1"]["mean"] == 0.625
    assert only["rows"][0]["paper"] == {"top1": 0.4}
    assert only["rows"][2]["products"] == {}
    assert only["differences"][0]["mean"] == pytest.approx(0.2)
