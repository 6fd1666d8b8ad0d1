"""Freed memory is kept: the system clears no new pages for blocks of the same size."""

import subprocess
import sys

import pytest

from snapshelf.training import freed_memory
from snapshelf.training.freed_memory import keep_freed_memory

CODE = """
import resource
import sys

import numpy as np

from snapshelf.training.freed_memory import keep_freed_memory

if sys.argv[1] == "keep" and not keep_freed_memory():
    print("no GNU C library")
    sys.exit()
blocks = [np.ones(50_000_000, np.uint8) for _ in range(2)]
del blocks
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(50_000_000, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(word):
    done = subprocess.run(
        [sys.executable, "-c", CODE, word], capture_output=True, text=True, check=True
    )
    if "GNU" in done.stdout:
        pytest.skip("this C library is not the GNU one")
    return int(done.stdout)


def test_freed_blocks_are_used_again():
    kept, given_back = faults("keep"), faults("give-back")
    assert kept < 1000 < given_back


def test_other_systems_and_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(freed_memory.ctypes, "CDLL", lambda name: object())
    assert not keep_freed_memory()
    monkeypatch.setattr(freed_memory.sys, "platform", "win32")
    monkeypatch.delattr(freed_memory.ctypes, "CDLL")
    assert not keep_freed_memory()
