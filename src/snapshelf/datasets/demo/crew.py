"""Worker processes that make a demo shop's pictures.

They are started as modules of their own rather than through `multiprocessing`, which would run
the caller's script a second time in each of them.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from snapshelf.datasets.demo.plan import Plan

__all__ = ["Crew"]


class Crew:
    """Worker processes, each making one batch at a time; a context manager.

    Args:
        folder: The demo shop's.
        plan: What it consists of.
        count: Number of processes, at least 1.
    """

    def __init__(self, folder: Path, plan: Plan, count: int) -> None:
        order = [str(folder), str(plan.products), str(plan.seed)]
        self._command = [sys.executable, "-m", "snapshelf.datasets.demo.worker", *order]
        self._count = count
        self._processes: list[subprocess.Popen[str]] = []
        self._idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        for _ in range(self._count):
            process = subprocess.Popen(  # noqa: S603 - our own module, no shell
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment,
                text=True,
                encoding="utf-8",
            )
            self._processes.append(process)
            self._idle.put(process)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self._processes:
            if kind is not None:
                process.kill()
            process.communicate()

    def make(self, number: int, done: list[str]) -> list[dict[str, Any]]:
        """Have a batch made by an idle process; may be called from `count` threads at a time.

        Args:
            number: Of the batch.
            done: Its pictures that are there already.

        Returns:
            What `make_pictures` gives.

        Raises:
            OSError: If a picture could not be written.
            RuntimeError: If the process ended.
        """
        process = self._idle.get()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps([number, done]) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            pass
        answer = process.stdout.readline()
        self._idle.put(process)
        if not answer:
            raise RuntimeError(f"a worker process of the demo shop ended at batch {number}")
        lines = json.loads(answer)
        if isinstance(lines, str):
            raise OSError(lines)
        return list(lines)
