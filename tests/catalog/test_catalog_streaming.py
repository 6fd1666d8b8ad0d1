"""Large feeds stream through little memory."""

import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snapshelf.catalog import Catalog, Entry
from snapshelf.catalog.duplicates import SeenIds

ROWS = 200_000


def _csv_rows() -> Iterator[str]:
    yield "id,title,description,image,price,brand,category,url\n"
    for number in range(ROWS):
        yield (
            f"SKU-{number},Boot {number},Soft leather <b>boot</b>,{number}.jpg,"
            f"{number % 500}.99 EUR,Acme,Apparel > Shoes,https://shop.example/{number}\n"
        )


def _xml_rows() -> Iterator[str]:
    yield '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n'
    for number in range(ROWS):
        yield f"<item><g:id>{number}</g:id><g:image_link>{number}.jpg</g:image_link></item>\n"
    yield "</channel></rss>\n"


MEASURE = """
import resource, sys
from snapshelf.catalog import Catalog, IngestionReport
report = IngestionReport()
for found in Catalog.open(sys.argv[1]):
    report.add(found)
    if report.products == 20_000:
        early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
late = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(report.products, report.skipped, (late - early) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("rows", [_csv_rows, _xml_rows], ids=["csv", "xml"])
def test_two_hundred_thousand_rows_in_little_memory(
    rows: Callable[[], Iterator[str]], tmp_path: Path
) -> None:
    with (tmp_path / "feed").open("w") as file:
        file.writelines(rows())
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "feed")]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    products, skipped, grown_mib = done.stdout.split()
    assert (products, skipped) == (str(ROWS), "False")
    assert int(grown_mib) < 15, "memory grows with the feed"


def test_an_endless_line_is_not_held(tmp_path: Path) -> None:
    with (tmp_path / "f.csv").open("w") as file:
        file.write("id,image\n1,a.jpg\n2,")
        for _ in range(64):
            file.write("x" * (1 << 20))
        file.write("\n3,c.jpg\n")
    tracemalloc.start(1)
    try:
        found = list(Catalog.open(tmp_path / "f.csv"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [isinstance(item, Entry) for item in found] == [True, False, True]
    assert [item.line for item in found] == [2, 3, 4]
    assert peak < 12e6


def test_a_catalogue_left_in_the_middle_can_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("id,image\n" + "".join(f"{n},a.jpg\n" for n in range(100)))
    catalog = Catalog.open(tmp_path / "f.csv")
    first = iter(catalog)
    second = iter(catalog)
    assert next(first) == next(second)
    del first
    assert len(list(second)) == 99
    assert len(list(catalog)) == 100


def test_seen_ids() -> None:
    with SeenIds() as seen:
        assert seen.first_line("a", 2) is None
        assert seen.first_line("b", 3) is None
        assert seen.first_line("a", 9) == 2
        assert seen.first_line("a", 10) == 2
        assert seen.first_line("ä👢" * 100, 11) is None
        assert seen.first_line("A", 12) is None
