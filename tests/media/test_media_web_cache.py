"""The cache of fetched pictures: whole files only, and never too many."""

import os
import threading
import time
from pathlib import Path

import pytest

from snapshelf.media.web_cache import CachedAnswer, WebCache


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in files(folder))


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    cache = WebCache(tmp_path / "not" / "yet", 10**6)
    assert cache.get("a") is None
    first, second = CachedAnswer(b"\n\0data\n", '"v1"', "yesterday"), CachedAnswer(b"")
    cache.put("a", first)
    cache.put("b\udcff", second)
    assert WebCache(tmp_path / "not" / "yet", 10**6).get("a") == first
    assert cache.get("b\udcff") == second
    cache.put("a", second)
    assert cache.get("a") == second
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("validator", ["a\r\nHost: b", "ü", "x" * 2000, "a\0"])
def test_a_validator_that_is_no_header_is_dropped(tmp_path: Path, validator: str) -> None:
    cache = WebCache(tmp_path, 10**6)
    cache.put("a", CachedAnswer(b"data", validator, validator))
    assert cache.get("a") == CachedAnswer(b"data", "", "")


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    cache = WebCache(tmp_path, 10**6)
    cache.put("a", CachedAnswer(b"0123456789", '"v1"'))
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        assert cache.get("a") is None, end
    for place in range(len(whole) - 10, len(whole)):
        file.write_bytes(whole[:place] + b"x" + whole[place + 1 :])
        assert cache.get("a") is None, place
    for header in (b"[]", b"{}", b"null", b'{"key": "a", "etag": 1}', b"\xff", b"[" * 50_000):
        file.write_bytes(b"snapshelf web cache 1\n" + header + b"\ndata")
        assert cache.get("a") is None, header[:20]


def test_a_file_moved_to_another_key_is_not_believed(tmp_path: Path) -> None:
    cache = WebCache(tmp_path, 10**6)
    cache.put("a", CachedAnswer(b"of a"))
    (of_a,) = files(tmp_path)
    cache.put("b", CachedAnswer(b"of b"))
    (of_b,) = (path for path in files(tmp_path) if path != of_a)
    os.replace(of_a, of_b)
    assert cache.get("b") is None


def test_the_longest_unused_goes_first(tmp_path: Path) -> None:
    cache = WebCache(tmp_path, 12_000)
    for number in range(10):
        cache.put(str(number), CachedAnswer(bytes(1000)))
        (newest,) = (path for path in files(tmp_path) if path.stat().st_mtime > 1e9)
        os.utime(newest, (number, number))
    assert cache.get("0") is not None, "this use makes it the newest"
    cache.put("10", CachedAnswer(bytes(1000)))
    assert size(tmp_path) <= 12_000
    kept = {str(number) for number in range(11) if cache.get(str(number))}
    assert {"0", "9", "10"} <= kept
    assert "1" not in kept


def test_a_new_process_counts_what_is_there(tmp_path: Path) -> None:
    for number in range(20):
        WebCache(tmp_path, 5_000).put(str(number), CachedAnswer(bytes(1000)))
        assert size(tmp_path) <= 5_000
    assert len(files(tmp_path)) >= 3


def test_an_answer_larger_than_the_cache_is_not_kept(tmp_path: Path) -> None:
    cache = WebCache(tmp_path, 500)
    cache.put("a", CachedAnswer(bytes(1000)))
    assert cache.get("a") is None
    assert not files(tmp_path)


def test_what_a_killed_writer_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "ab").mkdir()
    old, new = tmp_path / "ab" / "old.tmp", tmp_path / "ab" / "new.tmp"
    for file in (old, new):
        file.write_bytes(b"x")
    os.utime(old, (time.time() - 7200,) * 2)
    WebCache(tmp_path, 10**6).put("a", CachedAnswer(b"data"))
    assert not old.exists()
    assert new.exists(), "its writer may still be at work"


def test_a_reader_beside_writers_sees_whole_answers_only(tmp_path: Path) -> None:
    answers = [CachedAnswer(bytes([number]) * 50_000) for number in range(4)]
    stop = threading.Event()

    def write(answer: CachedAnswer) -> None:
        cache = WebCache(tmp_path, 10**6)
        while not stop.is_set():
            cache.put("a", answer)

    writers = [threading.Thread(target=write, args=(answer,)) for answer in answers]
    for writer in writers:
        writer.start()
    try:
        cache, seen = WebCache(tmp_path, 10**6), set()
        end = time.monotonic() + 5
        while len(seen) < 2 and time.monotonic() < end:
            got = cache.get("a")
            assert got is None or got in answers
            if got is not None:
                seen.add(got.data[:1])
            assert not (seen and got is None), "once there, an answer is always there"
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert len(seen) >= 2


def test_a_negative_size() -> None:
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        WebCache(Path("cache"), -1)
