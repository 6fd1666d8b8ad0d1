"""Reading products from a CSV feed, against the bare csv module over the same file.

There is no target: a feed of a million rows should take about half a minute.
"""

import csv
import json
import tempfile
import time
from pathlib import Path

from snapshelf.catalog import Catalog, Entry

ROWS = 60_000
COLUMNS = ("id", "title", "description", "category", "brand", "price", "image", "color")


def main() -> None:
    """Print one JSON line."""
    with tempfile.TemporaryDirectory() as place:
        feed = Path(place) / "feed.csv"
        with feed.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(
                ["id", "title", "description", "category", "brand", "price", "image", "color"]
            )
            for n in range(ROWS):
                text = f"<p>Product {n}, <b>made</b> for you &amp; yours.</p>"
                path = "Apparel > Shoes > Boots"
                out.writerow(
                    [n, f"Product {n}", text, path, "Acme", f"{n % 90}.90 EUR", f"{n}.jpg", "red"]
                )
        bare, read = [], []
        for _ in range(3):
            start = time.perf_counter()
            with feed.open(newline="", encoding="utf-8") as file:
                assert sum(1 for _ in csv.DictReader(file)) == ROWS
            bare.append(time.perf_counter() - start)
            start = time.perf_counter()
            assert sum(isinstance(found, Entry) for found in Catalog.open(feed)) == ROWS
            read.append(time.perf_counter() - start)
    result = {
        "benchmark": "feed",
        "rows": ROWS,
        "rows_per_s": round(ROWS / min(read)),
        "csv_rows_per_s": round(ROWS / min(bare)),
        "ratio": round(min(bare) / min(read), 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
