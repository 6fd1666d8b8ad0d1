"""The report of an ingestion."""

import io
import json
from typing import Any

from snapshelf.catalog import Entry, IngestionReport, Problem, Product
from snapshelf.catalog.report import KEPT_PROBLEMS, MAX_KINDS

ENTRY = Entry(Product(id="1", images=("a.jpg",)), 2)


def test_counts_by_field_and_kind() -> None:
    report = IngestionReport()
    assert not report.skipped
    report.add(ENTRY)
    assert not report.skipped
    for line, text in enumerate(("free", "ask us", 'it\'s "free"'), 3):
        report.add(Problem(line, "price", f"is no price: {text!r}; write an amount"))
    report.add(Problem(9, "id", "is longer than 256 characters: 'xx'"))
    report.add(Problem(9, "", "has 3 cells where the header has 8: is a quote missing?"))
    report.add(Problem(10, "", "has 4 cells where the header has 8: is a quote missing?"))
    report.add(Problem(11, "image", "was refused", "1", fatal=False))
    assert report.skipped
    assert (report.products, report.skipped_products, report.skipped_parts) == (1, 6, 1)
    assert report.reasons == {
        ("price", "is no price"): 3,
        ("", "has … cells where the header has …"): 2,
        ("id", "is longer than … characters"): 1,
        ("image", "was refused"): 1,
    }


def test_json_and_log_hold_the_same_problems() -> None:
    log = io.StringIO()
    report = IngestionReport(log)
    report.add(ENTRY)
    report.add(Problem(3, "größe", "is 'bad'\n", "7", fatal=False))
    report.add(Problem(4, "id", "is empty"))
    lines: list[Any] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert json.loads(json.dumps(report.to_json())) == {
        "products": 1,
        "skipped_products": 1,
        "skipped_parts": 1,
        "reasons": [
            {"field": "größe", "reason": "is …\n", "count": 1},
            {"field": "id", "reason": "is empty", "count": 1},
        ],
        "problems": lines,
    }
    assert lines[0] == {
        "line": 3,
        "field": "größe",
        "reason": "is 'bad'\n",
        "product_id": "7",
        "fatal": False,
    }


def test_memory_is_bounded_and_nothing_goes_uncounted() -> None:
    log = io.StringIO()
    report = IngestionReport(log)
    for number in range(3 * KEPT_PROBLEMS):
        report.add(Problem(number, f"field {number}", "is bad"))
    assert len(report.problems) == KEPT_PROBLEMS
    assert report.problems[-1].line == KEPT_PROBLEMS - 1
    assert len(report.reasons) == MAX_KINDS + 1
    assert sum(report.reasons.values()) == report.skipped_products == 3 * KEPT_PROBLEMS
    assert len(log.getvalue().splitlines()) == 3 * KEPT_PROBLEMS
