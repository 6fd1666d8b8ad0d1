"""The report of an evaluation, on a data set whose figures are known."""

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Query
from snapshelf.evaluation.evaluation import Evaluation, Found, Outcome
from snapshelf.evaluation.report import write_report

NAMES = (
    "top1",
    "top5",
    "top10",
    "top20",
    "top50",
    "top1pct",
    "map7",
    "mean_rank",
    "median_rank",
)


class Shop:
    """A data set as far as a report looks at it."""

    name, splits = "shop", ("test",)

    def __init__(self, root, products):
        self.root, self.gallery = root, products

    def products(self):
        return self.gallery


@pytest.fixture
def shop(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(8):
        noise = rng.integers(0, 256, (400, 300, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{number}.png")
    images = [f"{number % 8}.png" for number in range(120)]
    return Shop(tmp_path, [Product(id=f"p{n}", images=(i,)) for n, i in enumerate(images)])


def evaluation(shop, ranks, category="Fruit", right=("p7",)):
    def outcome(rank):
        found = [f"p{place + 20}" for place in range(5)]
        if rank <= 5:
            found[rank - 1] = right[0]
        return Outcome(
            Query(shop.root / "3.png", frozenset(right), category),
            (rank,),
            tuple(Found(name, 0.9 - place / 10) for place, name in enumerate(found)),
            0.8,
        )

    figures = dict.fromkeys(NAMES, 0.25) | {"mean_rank": 6.25, "median_rank": 3.5}
    return Evaluation(
        data="shop",
        split="test",
        system="timm/<b>",
        products="all",
        queries=len(ranks),
        gallery=len(shop.gallery),
        metrics=figures | {"top5": 0.625},
        per_category={category: {"queries": len(ranks)} | figures},
        seconds={"gallery": 1.0, "queries": 2.0, "ranking": 0.5},
        outcomes=tuple(outcome(rank) for rank in ranks),
    )


@pytest.fixture
def report(shop, tmp_path, read_page):
    """Writes a report and reads it back."""

    def make(value):
        path = tmp_path / "report.html"
        write_report(value, shop, path)
        return read_page(path.read_text(encoding="utf-8"))

    return make


def rows(page, table):
    cells = [
        [e.text for e in page.elements if e.tag in {"th", "td"} and row in e.parents]
        for row in page.all("tr")
        if page.all("table")[table] in row.parents
    ]
    return cells[1:]


def test_figures_and_categories_are_shown(report, shop):
    page = report(evaluation(shop, [1, 2, 3, 4]))
    assert page.all("h1")[0].text == "timm/<b> on shop"
    figures = page.all("dl", class_="figures")[0]
    assert [e.text for e in page.all("dd") if figures in e.parents] == [
        "25.0%",
        "62.5%",
        "25.0%",
        "25.0%",
        "6.2",
        "3.5",
    ]
    total, fruit = rows(page, 0)
    assert total[:4] == ["All", "4", "25.0%", "62.5%"]
    assert fruit[:4] == ["Fruit", "4", "25.0%", "25.0%"]
    assert len(fruit) == 11


def test_the_histogram_counts_every_query_once(report, shop):
    ranks = [1] * 10 + [2, 3, 4, 5, 6, 10, 11, 50, 51, 100, 101, 120]
    page = report(evaluation(shop, ranks))
    expected = [
        ("1", 1, 1),
        ("2", 2, 2),
        ("3", 3, 3),
        ("4 to 5", 4, 5),
        ("6 to 10", 6, 10),
        ("11 to 20", 11, 20),
        ("21 to 50", 21, 50),
        ("51 to 100", 51, 100),
        ("101 to 120", 101, 120),
    ]
    for row, (label, first, last) in zip(rows(page, 1), expected, strict=True):
        count = sum(first <= rank <= last for rank in ranks)
        so_far = sum(rank <= last for rank in ranks)
        shares = [f"{100 * value / len(ranks):.1f}%" for value in (count, so_far)]
        assert [row[0], row[2], row[3], row[4]] == [label, str(count), *shares]
    bars = [
        float(bar.attributes["width"]) for bar in page.all("rect") if bar.parents[-2].tag == "td"
    ]
    assert bars[0] == 100
    assert bars[1] == 10


@pytest.mark.parametrize(("products", "label"), [(1, "1"), (2, "2"), (4, "4"), (5, "4 to 5")])
def test_the_histogram_ends_with_the_gallery(report, shop, products, label):
    shop.gallery = [*shop.gallery[:products], Product(id="p7")]
    value = evaluation(shop, [1], right=("p0",))
    found = tuple(f for f in value.outcomes[0].found if f.product == "p0")
    outcome = Outcome(value.outcomes[0].query, (1,), found, None)
    page = report(replace(value, gallery=products, outcomes=(outcome,)))
    assert rows(page, 1)[-1][0] == label


def test_misses_and_hits_are_shown_with_what_was_found(report, shop):
    page = report(evaluation(shop, [1, 3, 99], right=("p7", "p9")))
    misses, hits = (
        [
            e
            for e in page.all("li", class_="outcome")
            if any(p.attributes.get("aria-labelledby") == name for p in e.parents)
        ]
        for name in ("misses", "hits")
    )
    assert [re.search(r"rank (\d+)", e.text).group(1) for e in misses] == ["3", "99"]
    assert [re.search(r"rank (\d+)", e.text).group(1) for e in hits] == ["1"]
    assert "and 1 more" in misses[0].text
    right = [e for e in page.all("li", class_="right") if misses[0] in e.parents]
    assert len(right) == 1
    assert "p7" in right[0].text
    assert "0.700" in right[0].text
    assert len([e for e in page.all("img") if misses[0] in e.parents]) == 7


def test_a_large_evaluation_stays_small_and_samples_evenly(report, shop, tmp_path):
    page = report(evaluation(shop, [1 + number % 120 for number in range(5000)]))
    assert (tmp_path / "report.html").stat().st_size < 5_000_000
    assert len(page.all("li", class_="outcome")) == 18
    shown = [int(m) for m in re.findall(r"rank\s+(\d+)", page.all("main")[0].text)]
    assert len(set(shown)) > 10


def test_a_picture_that_is_gone_leaves_a_gap(report, shop):
    value = evaluation(shop, [1])
    (shop.root / "3.png").unlink()
    page = report(value)
    assert "3.png" in [gap.text for gap in page.all("span", class_="missing")]


def test_hostile_names_stay_text(report, shop):
    hostile = "<script>alert(1)</script>" + "W" * 1000
    shop.gallery[7] = Product(id="p7", title=hostile, images=("7.png",))
    page = report(evaluation(shop, [1, 2], category=hostile))
    assert rows(page, 0)[1][0] == hostile
    assert hostile in [e.text for e in page.all("span", class_="text")]
