"""Opening a shelf of 500,000 pictures to its first answer, against reading its index file.

Each is a fresh process, the files dropped from the page cache first where the system allows it.
Target: first answer in under 2 s.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from large_shelf import clustered, large_shelf

OPEN = """
import sys, time
start = time.perf_counter()
from pathlib import Path
import numpy as np
from snapshelf.store import EmbeddedStore
loaded = time.perf_counter()
store = EmbeddedStore(Path(sys.argv[1]))
query = np.ones((1, store.dimension), np.float32) / np.sqrt(store.dimension)
assert len(store.search(query.astype(np.float32), 20)[0]) == 20
print(loaded - start, time.perf_counter() - loaded)
"""
READ = """
import sys, time
start = time.perf_counter()
with open(sys.argv[1], "rb", buffering=0) as file:
    while file.read(1 << 22):
        pass
print(0.0, time.perf_counter() - start)
"""


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    shelf = large_shelf(options.folder, clustered(500_000, 256))
    (index,) = shelf.glob("index/*/vectors.faiss")
    files = [path for path in shelf.rglob("*") if path.is_file()]
    runs = {"open": [], "read": []}
    for _ in range(3):
        drop(files)
        runs["open"].append(run(OPEN, shelf))
        drop(files)
        runs["read"].append(run(READ, index))
    imports, opened = min(runs["open"], key=sum)
    read = min(seconds for _, seconds in runs["read"])
    result = {
        "benchmark": "open",
        "vectors": "500000x256",
        "index_mib": round(index.stat().st_size / 2**20),
        "import_s": round(imports, 3),
        "first_answer_s": round(opened, 3),
        "read_file_s": round(read, 3),
        "ratio": round(opened / read, 3),
        "target": "import_s + first_answer_s < 2",
    }
    print(json.dumps(result))


def drop(files: list[Path]) -> None:
    """Ask the system to forget the files' pages, so that each run reads from the disk."""
    for path in files:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def run(program: str, path: Path) -> tuple[float, float]:
    """Run a program in a fresh process; it prints two times in seconds."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=True, capture_output=True, text=True
    )
    first, second = done.stdout.split()
    return float(first), float(second)


if __name__ == "__main__":
    main()
