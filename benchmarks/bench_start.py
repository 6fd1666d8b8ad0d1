"""How long ``snapshelf --help`` takes, against Python starting alone. Target: under 0.5 s."""

import json
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    """Print one JSON line."""
    command = str(Path(sys.executable).parent / "snapshelf")
    times = {"help": [], "python": []}
    for _ in range(7):
        times["help"].append(seconds([command, "--help"]))
        times["python"].append(seconds([sys.executable, "-c", "pass"]))
    result = {
        "benchmark": "start",
        "help_s": round(min(times["help"]), 3),
        "python_s": round(min(times["python"]), 3),
        "ratio": round(min(times["help"]) / min(times["python"]), 2),
        "target": "help_s < 0.5",
    }
    print(json.dumps(result))


def seconds(command: list[str]) -> float:
    """Time a command."""
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
