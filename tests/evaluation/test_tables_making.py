"""Tables from ranks: figures by hand, rows that share or lack trainings, seeds that pair."""

import pytest

from snapshelf.evaluation.kept_ranks import KeptRanks
from snapshelf.evaluation.paper_tables import (
    Claim,
    PaperRow,
    PaperTable,
    Training,
    choose_rows,
)
from snapshelf.evaluation.table_making import PAPERS_ORDER, make_table

METRICS = ("top1", "top10")


def never(seed, folder, monitor):
    raise AssertionError("nothing is trained here")


def row(name, top1, top10, *, seeded=True, training=None):
    own = training or name
    return PaperRow(
        name,
        name.upper(),
        {"top1": top1, "top10": top10},
        Training(own, {"of": own}, never, seeded=seeded),
    )


def kept(every, seen=None):
    """Keep ranks, of one right product for each query where only a number is given."""
    ranks = {"all": every} | ({} if seen is None else {"seen": seen})
    return KeptRanks(
        6,
        {
            choice: [(each,) if isinstance(each, int) else each for each in own]
            for choice, own in ranks.items()
        },
    )


def table_of(*rows, metrics=METRICS, **options):
    return PaperTable("t", "T", rows, metrics=metrics, **options)


def test_cells_are_shares_of_the_queries():
    paper = table_of(row("a", 0.1, 0.2))
    table = make_table(
        paper,
        {"a": {4: kept([1, 2, 10, 11], [1, 10]), 1: kept([1, 1, 1, 11], [1, 1])}},
    )
    (only,) = table.rows
    assert only.seeds == (1, 4)
    assert only.cells["all"]["top1"].values == (0.75, 0.25)
    assert only.cells["all"]["top10"].values == (0.75, 0.75)
    assert only.cells["seen"]["top1"].values == (1.0, 0.5)
    assert list(only.cells) == ["all", "seen"]
    assert only.published == {"top1": 0.1, "top10": 0.2}


def test_products_that_are_all_seen_get_no_figures_of_their_own():
    paper = table_of(row("a", 0.1, 0.2), row("b", 0.3, 0.3))
    every = [1, 2, 10, 11]
    ranks = {name: {0: kept(every, every), 1: kept(every, every)} for name in "ab"}
    table = make_table(paper, ranks)
    assert all(list(each.cells) == ["all"] for each in table.rows)
    assert {found.products for found in table.differences} == {"all"}


def test_each_pair_has_the_papers_sign_in_each_metric():
    """In the paper b is better in top-1 and a in top-10."""
    paper = table_of(row("a", 0.30, 0.60), row("b", 0.31, 0.50))
    good, bad = kept([1] * 40), kept([5] * 40)
    table = make_table(paper, {"a": {0: good, 1: good}, "b": {0: bad, 1: bad}})
    top1, top10 = table.differences
    assert (top1.metric, top1.better, top1.worse) == ("top1", "b", "a")
    assert (top1.values, top1.low, top1.high) == ((-1.0, -1.0), -1.0, -1.0)
    assert top1.published == pytest.approx(0.01)
    assert top1.verdict == "reversed"
    assert (top10.metric, top10.better, top10.values) == ("top10", "a", (0.0, 0.0))
    assert top10.verdict == "not distinguishable"
    assert table.verdict(PAPERS_ORDER, "all", "top1") == "reversed"


def test_only_seeds_that_both_have_are_compared():
    paper = table_of(row("a", 0.3, 0.3), row("b", 0.2, 0.2), metrics=("top1",))
    hit, miss = kept([1] * 30), kept([9] * 30)
    ranks = {"a": {0: hit, 2: miss, 5: hit}, "b": {2: hit, 5: miss, 7: miss}}
    found = make_table(paper, ranks).differences[0]
    assert found.values == (-1.0, 1.0)  # of the seeds 2 and 5
    apart = {"a": {0: hit}, "b": {1: miss}}
    assert make_table(paper, apart).differences == ()
    one = {"a": {0: hit, 1: hit}, "b": {0: miss}}
    assert make_table(paper, one).differences[0].verdict == "too few seeds"


def test_what_is_not_random_stands_beside_every_seed():
    rows = (row("fixed", 0.1, 0.1, seeded=False), row("a", 0.3, 0.3))
    paper = table_of(*rows, metrics=("top1",))
    ranks = {"fixed": {3: kept([9] * 30)}, "a": {3: kept([1] * 30), 8: kept([1] * 29 + [9])}}
    table = make_table(paper, ranks)
    assert (table.rows[0].seeds, table.rows[0].cells["all"]["top1"].values) == ((), (0.0,))
    (found,) = table.differences
    assert found.values == (1.0, pytest.approx(29 / 30))
    assert found.verdict == "holds"


def test_two_that_are_not_random_need_no_second_seed():
    rows = (row("a", 0.1, 0.1, seeded=False), row("b", 0.3, 0.3, seeded=False))
    ranks = {"a": {0: kept([9] * 30)}, "b": {0: kept([1] * 30)}}
    (found,) = make_table(table_of(*rows, metrics=("top1",)), ranks).differences
    assert (found.values, found.verdict) == ((1.0,), "holds")


def test_rows_without_figures_order_or_training_of_their_own_are_compared_with_none():
    rows = (row("a", 0.3, 0.3), row("b", 0.3, 0.2), row("c", 0.1, 0.1), row("d", 0.2, 0.1))
    shared = row("e", 0.4, 0.4, training="a")
    ranks = {name: {0: kept([1] * 5), 1: kept([1] * 5)} for name in ("a", "b", "d", "e")}
    table = make_table(table_of(*rows, shared, metrics=("top1",)), ranks)
    assert table.rows[2].cells == {}
    pairs = {(found.better, found.worse) for found in table.differences}
    assert pairs == {("a", "d"), ("b", "d"), ("e", "b"), ("e", "d")}


def test_average_precisions_need_the_ranks_of_all_right_products():
    paper = table_of(row("a", 0.3, 0.3), metrics=("map7", "top1"))
    table = make_table(paper, {"a": {0: kept([(1, 4), (3,), (8, 9)], [(2, 3)])}})
    cells = table.rows[0].cells
    assert cells["all"]["map7"].values == (pytest.approx((0.75 + 1 / 3 + 0) / 3),)
    assert cells["seen"]["map7"].values == (pytest.approx((1 / 2 + 2 / 3) / 2),)
    assert cells["all"]["top1"].values == (pytest.approx(1 / 3),)
    assert table.rows[0].published == {"top1": 0.3}


def test_average_precisions_are_compared_like_shares():
    rows = [row(name, 0.1, 0.1, seeded=False) for name in "ab"]
    for one, figure in zip(rows, (0.3, 0.2), strict=True):
        one.published["map7"] = figure
    ranks = {"a": {0: kept([(1, 2), (2,)] * 20)}, "b": {0: kept([(1, 3), (2,)] * 20)}}
    (found,) = make_table(table_of(*rows, metrics=("map7",)), ranks).differences
    assert found.values == (pytest.approx((1 + 1 - 1 - 2 / 3) / 2 / 2),)
    assert (found.better, found.verdict) == ("a", "holds")


def test_claims_stand_in_place_of_the_printed_order():
    """They may contradict the figures, and be of rows that the paper does not have."""
    own = PaperRow("c", "C", {}, Training("c", {"of": "c"}, never))
    claims = (
        Claim("b is best", (("b", "a"), ("b", "c"))),
        Claim("c is better than a", (("c", "a"),)),
    )
    paper = table_of(row("a", 0.5, 0.5), row("b", 0.4, 0.4), own, metrics=("top1",), claims=claims)
    hit, miss = kept([1] * 30), kept([9] * 30)
    ranks = {"a": {0: miss, 1: miss}, "b": {0: hit, 1: hit}, "c": {0: miss, 1: miss}}
    table = make_table(paper, ranks)
    assert table.claims == ("b is best", "c is better than a")
    assert [(d.claim, d.better, d.worse, d.published) for d in table.differences] == [
        ("b is best", "b", "a", pytest.approx(-0.1)),
        ("b is best", "b", "c", None),
        ("c is better than a", "c", "a", None),
    ]
    assert table.verdict("b is best", "all", "top1") == "holds"
    assert table.verdict("c is better than a", "all", "top1") == "not distinguishable"
    assert table.rows[2].published == {}


def test_what_was_left_out_says_so_unless_it_has_figures():
    paper = table_of(row("a", 0.3, 0.3), row("b", 0.2, 0.2), row("c", 0.1, 0.1))
    table = make_table(paper, {"a": {0: kept([1])}}, {"a": "Gone.", "b": "Gone."})
    assert [one.missing for one in table.rows] == ["", "Gone.", ""]
    assert table.missing == ("Gone.",)


def test_other_metrics_are_refused():
    paper = table_of(row("a", 0.3, 0.3), metrics=("top2",))
    with pytest.raises(
        ValueError, match="metric must be one of top1, top5, top10, top20, top50, top1pct, map7"
    ):
        make_table(paper, {"a": {0: kept([1])}})


def test_ranks_are_shown_and_not_compared():
    """The gallery has 250 products, so its first percent is the first three."""
    metrics = ("top5", "top50", "top1pct", "mean_rank", "median_rank")
    printed = dict.fromkeys(metrics, 0.2)
    rows = [
        PaperRow(name, name, {**printed, **own}, Training(name, {"of": name}, never))
        for name, own in (("a", {}), ("b", {"top5": 0.4, "median_rank": 9.0}))
    ]
    one = KeptRanks(250, {"all": [[3, 200], [4], [60], [1], [51]]})
    other = KeptRanks(250, {"all": [[200], [1], [1], [7], [50]]})
    table = make_table(
        table_of(*rows, metrics=metrics), {"a": {0: one, 1: other}, "b": {0: one, 1: one}}
    )
    found = {metric: cell.values for metric, cell in table.rows[0].cells["all"].items()}
    assert found == {
        "top5": (0.6, 0.4),
        "top50": (0.6, 0.8),
        "top1pct": (0.4, 0.4),
        "mean_rank": (pytest.approx(23.8), pytest.approx(51.8)),
        "median_rank": (4.0, 7.0),
    }
    assert [each.metric for each in table.differences] == ["top5"]
    assert table.verdict(PAPERS_ORDER, "all", "median_rank") is None


def test_nothing_run_is_an_empty_table():
    table = make_table(table_of(row("a", 0.3, 0.3)), {})
    assert table.rows[0].cells == {}
    assert table.differences == ()
    assert table.verdict(PAPERS_ORDER, "all", "top1") is None


def test_rows_are_chosen_by_table_and_name():
    tables = [
        PaperTable("t1", "T", (row("a", 0, 0), row("b", 0, 0)), metrics=METRICS),
        PaperTable("t2", "T", (row("a", 0, 0),), metrics=METRICS),
    ]
    everything = {("t1", "a"), ("t1", "b"), ("t2", "a")}
    assert choose_rows(tables, None) == everything
    assert choose_rows(tables, "t1, t2/a") == everything
    assert choose_rows(tables, "t1/b,t1/b") == {("t1", "b")}
    assert choose_rows(tables, "*") == choose_rows(tables, "t*/*") == everything
    assert choose_rows(tables, "*/a") == {("t1", "a"), ("t2", "a")}
    assert choose_rows(tables, "*/b") == {("t1", "b")}
    for wrong, message in (
        ("t3", "no table 't3', choose from t1, t2"),
        ("", "no table '', choose from"),
        ("t1,", "no table ''"),
        ("t1/", "no row 't1/', choose from t1/a, t1/b"),
        ("t2/b", "no row 't2/b', choose from t2/a"),
        ("t1/a/b", "no row 't1/a/b'"),
        ("x*", r"no table 'x\*', choose from t1, t2"),
        ("*/c*", r"no row '\*/c\*', choose from t1/a, t1/b, t2/a"),
    ):
        with pytest.raises(ValueError, match=message):
            choose_rows(tables, wrong)
