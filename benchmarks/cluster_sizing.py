"""What a cluster takes for a number of pictures: ``python benchmarks/cluster_sizing.py FILE``.

FILE is what ``bench_cluster.py --out FILE`` wrote. Prints the table of ``docs/cluster.md``, from
the sizes on that have an index: below, every embedding is compared, on one node of any kind.

The arithmetic, for N embeddings of D numbers, from a run of D0 numbers with an HNSW graph that took
M bytes of memory and B of disk a row, and T ms a search, on two cores that the server shared with
who asked it, through a relay in Python:

* memory = N * (M + (D - D0) * 4 * 1.1): an HNSW graph keeps the embeddings as floats; a tenth for
  what is loaded beside them. IVF_SQ8 keeps a byte a number: N * (M - 4 * D0 + D * 1.1).
* disk = N * (B + (D - D0) * 8): the embeddings, and the index over them.
* query nodes = memory / 0.7 of a node's; each has 16 cores and 128 GiB.
* searches a second = nodes' cores / (seconds of cores a search takes): each search asks every
  shard; a shard takes both cores for T * log(rows of it) / log(rows measured), the graph's depth.
  That is more than the server took, since asking and the relay are counted with it. T is of D0
  numbers, whatever D is.

IVF_SQ8 was not timed: its searches are counted as a graph's. They read 64 of 1,024 lists, a byte a
number, so their time grows with a shard's rows and not with their logarithm; of the shards counted
here, of 5,000,000 rows, that is 80 MB for 256 numbers.
"""

import json
import math
import sys
from dataclasses import dataclass
from pathlib import Path

from snapshelf.store.milvus.index_kind import choose_kind

NODE_GIB = 128
NODE_CORES = 16
CORES_MEASURED = 2
USED = 0.7
SHARD_ROWS = 5_000_000
GIB = 1 << 30


@dataclass(frozen=True)
class Measured:
    """What one run of `bench_cluster.py` measured."""

    rows: int
    dimension: int
    memory_bytes_a_row: float
    disk_bytes_a_row: float
    milliseconds: float
    """Median of a search for 20."""


def sizing(measured: Measured, rows: int, dimension: int, index: str) -> dict[str, float]:
    """Compute what a number of embeddings takes."""
    more = dimension - measured.dimension
    if index == "hnsw":
        memory_row = measured.memory_bytes_a_row + more * 4 * 1.1
    else:
        memory_row = measured.memory_bytes_a_row - 4 * measured.dimension + dimension * 1.1
    memory = rows * max(memory_row, dimension)
    disk = rows * (measured.disk_bytes_a_row + more * 8)
    nodes = math.ceil(memory / (USED * NODE_GIB * GIB))
    shards = math.ceil(rows / SHARD_ROWS)
    depth = math.log(min(rows, SHARD_ROWS)) / math.log(measured.rows)
    core_ms = shards * CORES_MEASURED * measured.milliseconds * depth
    return {
        "memory_gib": memory / GIB,
        "disk_gib": disk / GIB,
        "nodes": nodes,
        "searches_a_second": nodes * NODE_CORES * 1_000 / core_ms,
    }


def main() -> None:
    """Print the table."""
    measured = Measured(**json.loads(Path(sys.argv[1]).read_text()))
    print("| pictures | dimension | index | memory | disk | query nodes | searches/s |")
    print("|---|---|---|---|---|---|---|")
    for rows in (10**6, 10**7, 10**8, 10**9):
        for dimension in (128, 256, 512):
            index = choose_kind("auto", rows)
            size = sizing(measured, rows, dimension, index)
            print(
                f"| {rows:,} | {dimension} | {index} | {size['memory_gib']:,.1f} GiB "
                f"| {size['disk_gib']:,.1f} GiB | {size['nodes']:,} "
                f"| {size['searches_a_second']:,.0f} |"
            )


if __name__ == "__main__":
    main()
