"""Loading a collection of embeddings: by columns, as the store does, by rows, and by an import.

The same rows as a shelf writes are put into new collections, until all of them lie in files and are
counted there. An import ("bulk insert") is of Parquet files, written here and read by the server,
which is on this machine. Each way is gone `--turns` times, in turns, and its fastest counts; the
processor's time is this process's own. No index is built.

Target: an import of 200,000 rows takes no longer than columns (`ratio`), which are 1.5 times as
fast as rows. Where other programs run beside it, the server's part is what sways.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from large_shelf import clustered

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from milvus_server import TOKEN, MilvusServer

from snapshelf.catalog import Product
from snapshelf.locating import Region
from snapshelf.store import PictureRecord, ProductRecord
from snapshelf.store.milvus.address import MilvusAddress, parse_milvus_address
from snapshelf.store.milvus.connection import Connection
from snapshelf.store.milvus.embedding_rows import Shown, embedding_row
from snapshelf.store.milvus.imports import Imports
from snapshelf.store.milvus.product_rows import product_rows
from snapshelf.store.milvus.schema import FILTER_FIELDS, create_embeddings

BRANDS = 14
BLOCK = 2_000
SPARE_BYTES = 1_500

Rows = Sequence[dict[str, Any]]


def main() -> None:
    """Print a JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    os.environ["SNAPSHELF_MILVUS_TOKEN"] = TOKEN
    rows = shelf_rows(options.rows, options.dimension)
    ways: dict[str, Callable[[Connection, str, Rows, Path], None]] = {
        "columns": by_columns,
        "rows": by_rows,
        "import": by_import,
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    processor: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        try:
            server = MilvusServer(Path(folder) / "milvus", size_mb=6_000)
        except (ImportError, OSError) as error:
            print(json.dumps({"benchmark": "bulk_insert", "skipped": str(error)}))
            return
        address = parse_milvus_address(f"{server.address}bench")
        with closing(server), closing(Connection(address)) as connection:
            for _ in range(options.turns):
                for name, way in ways.items():
                    taken = load(connection, address, rows, Path(folder), way)
                    seconds[name].append(taken[0])
                    processor[name].append(taken[1])
    best = {name: min(each) for name, each in seconds.items()}
    result = {
        "benchmark": "bulk_insert",
        "rows": options.rows,
        "dimension": options.dimension,
        "seconds": {name: round(each, 2) for name, each in best.items()},
        "rows_a_second": {name: round(options.rows / each) for name, each in best.items()},
        "processor_seconds_here": {n: round(min(each), 2) for n, each in processor.items()},
        "ratio": round(best["columns"] / best["import"], 2),
        "rows_ratio": round(best["rows"] / best["columns"], 2),
        "target": "ratio >= 1; rows_ratio >= 1.5",
    }
    print(json.dumps(result))


def load(
    connection: Connection,
    address: MilvusAddress,
    rows: Rows,
    folder: Path,
    way: Callable[[Connection, str, Rows, Path], None],
) -> tuple[float, float]:
    """Load a new collection and drop it; gives the seconds, and those of the processor here."""
    name = create_embeddings(connection, address, len(rows[0]["vector"]), "flat")
    start, used = time.perf_counter(), time.process_time()
    way(connection, name, rows, folder)
    taken = time.perf_counter() - start, time.process_time() - used
    connection.load([name])
    found = connection.count(name, "region >= 0", connection.now())
    assert found == len(rows), f"{found} of {len(rows)} rows"
    connection.drop(name)
    return taken


def by_columns(connection: Connection, name: str, rows: Rows, _: Path) -> None:
    """Insert as the store does."""
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        connection.insert(name, block, 4 * len(rows[0]["vector"]) + SPARE_BYTES)
    connection.flush(name)


def by_rows(connection: Connection, name: str, rows: Rows, _: Path) -> None:
    """Insert as pymilvus's client does."""
    for start in range(0, len(rows), BLOCK):
        connection._client.insert(name, list(rows[start : start + BLOCK]))
    connection.flush(name)


def by_import(connection: Connection, name: str, rows: Rows, folder: Path) -> None:
    """Write files and have the server read them."""
    blocks = (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
    Imports(connection, (folder / "imports").as_uri()).load(name, blocks)


def shelf_rows(count: int, dimension: int) -> Rows:
    """Make the rows of embeddings of a shelf whose products have a picture each."""
    vectors = clustered(count, dimension)
    region = Region((0.0, 0.0, 100.0, 100.0))
    rows = []
    for number in range(count):
        product = Product(id=f"p{number}", brand=f"brand {number % BRANDS}", category=("Shoes",))
        picture = PictureRecord(f"{number}.jpg", "", f"{number}", (region,), vectors[number, None])
        record = ProductRecord(product, (picture,))
        own = product_rows(record, [1], numbers=iter([number]), version=1, run=1)[0]
        rows.append(
            embedding_row(
                {name: own[name] for name in FILTER_FIELDS},
                Shown(product.id, picture.source, region),
                picture.content,
                region=number,
                number=number,
                version=1,
                position=0,
                part=0,
                vector=vectors[number],
                described="",
                block=0,
            )
        )
    return rows


if __name__ == "__main__":
    main()
