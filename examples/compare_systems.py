"""Measure two systems on the generated demo shop and show where they differ.

python examples/compare_systems.py classical standard
"""

import sys
from pathlib import Path

from snapshelf.datasets.demo import write_demo_shop
from snapshelf.evaluation import evaluate
from snapshelf.systems import System

shop = write_demo_shop(Path("demo/shop"))
evaluations = [evaluate(System.load(name), shop, split="val") for name in sys.argv[1:3]]
for evaluation in evaluations:
    print(evaluation.system, {name: round(v, 3) for name, v in evaluation.metrics.items()})

first, second = evaluations
for ours, theirs in zip(first.outcomes, second.outcomes, strict=True):
    if (ours.rank == 1) != (theirs.rank == 1):
        print(f"{ours.query.picture.name}: rank {ours.rank} and {theirs.rank}")
