"""What a worker process of a `Crew` runs: ``python -m snapshelf.datasets.demo.worker``."""

import json
import sys
from pathlib import Path
from typing import TextIO

import cv2

from snapshelf.datasets.demo.pictures import make_pictures
from snapshelf.datasets.demo.plan import Plan

__all__ = ["work"]


def work(folder: Path, plan: Plan, orders: TextIO, answers: TextIO) -> None:
    """Make batches as they are asked for, until there are no more orders.

    Args:
        folder: The demo shop's.
        plan: What it consists of.
        orders: Lines of JSON: a batch's number, and the names of its pictures that are done.
        answers: Takes a line of JSON for each order: the lines of the pictures made, or a string
            that says why they could not be written.
    """
    for text in orders:
        number, done = json.loads(text)
        try:
            answer: object = make_pictures(folder, plan, number, done)
        except OSError as problem:
            answer = str(problem.strerror or problem)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    # The processes share the machine already; OpenCV's own threads would only get in the way.
    cv2.setNumThreads(1)
    work(Path(sys.argv[1]), Plan(int(sys.argv[2]), int(sys.argv[3])), sys.stdin, sys.stdout)
