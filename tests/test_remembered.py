"""`Remembered`: values by key, for the next process too, whatever becomes of this one."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from snapshelf.errors import DatasetError
from snapshelf.remembered import Remembered


@pytest.fixture
def file(tmp_path):
    return tmp_path / "new" / "folder" / "remembered.sqlite"


def test_what_was_put_is_there_in_the_next_process(file):
    values = {b"a": b"one", b"b\0": b"", bytes(16): bytes(range(256)) * 4096}
    with Remembered(file) as remembered:
        assert remembered.get([b"a"]) == {}
        assert b"a" not in remembered
        remembered.put(values)
    with Remembered(file) as remembered:
        assert remembered.get([*values, b"c"]) == values
        assert b"b\0" in remembered
        assert b"c" not in remembered
        assert remembered.get([]) == {}


def test_a_value_is_kept_as_it_was_first(file):
    with Remembered(file) as remembered:
        remembered.put({b"a": b"one"})
        remembered.put({b"a": b"two", b"b": b"three"})
        assert remembered.get([b"a", b"b"]) == {b"a": b"one", b"b": b"three"}


def test_more_keys_than_a_query_takes(file):
    values = {number.to_bytes(4, "big"): bytes([number % 256]) for number in range(5000)}
    with Remembered(file) as remembered:
        remembered.put(values)
        assert remembered.get([*values, *values]) == values


def test_threads_put_and_get_at_once(file):
    with Remembered(file) as remembered:

        def work(thread):
            for number in range(50):
                key = bytes([number])
                if key not in remembered:
                    remembered.put({key: b"value of %d" % number})
                assert remembered.get([key]) == {key: b"value of %d" % number}, thread

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))


KILLED = """
import sys
from pathlib import Path
from snapshelf.remembered import Remembered
remembered = Remembered(Path(sys.argv[1]))
for number in range(10**9):
    remembered.put({b"%d" % number: b"x" * 10_000})
    print(number, flush=True)
"""


def test_a_kill_loses_nothing_that_was_put(file):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, file], stdout=subprocess.PIPE, text=True
    ) as process:
        for _ in range(20):
            last = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    with Remembered(file) as remembered:
        keys = [b"%d" % number for number in range(last + 1)]
        assert remembered.get(keys) == dict.fromkeys(keys, b"x" * 10_000)


def test_two_processes_share_a_file(file):
    with Remembered(file) as one, Remembered(file) as other:
        one.put({b"a": b"one"})
        assert other.get([b"a"]) == {b"a": b"one"}
        other.put({b"b": b"two"})
        assert b"b" in one


@pytest.mark.parametrize("text", [b"no database at all" * 100, b"SQLite format 3\0" + b"x" * 5000])
def test_something_else_is_named_and_left_alone(file, text):
    file.parent.mkdir(parents=True)
    file.write_bytes(text)
    with pytest.raises(DatasetError, match=r"remembered\.sqlite cannot be used .*remove it"):
        Remembered(file)
    assert file.read_bytes() == text


def test_another_programs_database_is_named(file):
    file.parent.mkdir(parents=True)
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE remembered (colour TEXT)")
    database.close()
    with Remembered(file) as remembered:
        for use in (
            lambda: remembered.get([b"a"]),
            lambda: b"a" in remembered,
            lambda: remembered.put({b"a": b"b"}),
        ):
            with pytest.raises(DatasetError, match="cannot be used"):
                use()


def test_a_folder_in_its_place_is_named(file):
    file.mkdir(parents=True)
    with pytest.raises(DatasetError, match="cannot be used"):
        Remembered(file)
