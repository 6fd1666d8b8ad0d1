"""The ordered, bounded parallel map."""

import threading
import time
from collections.abc import Iterator

import pytest

from snapshelf.parallel import ordered_map


@pytest.mark.parametrize(("workers", "ahead"), [(1, 1), (1, 8), (4, 1), (4, 8), (16, 32)])
def test_results_come_in_order(workers: int, ahead: int) -> None:
    def late(number: int) -> int:
        time.sleep(0.001 * (number * 7 % 5))
        return number * number

    assert list(ordered_map(late, range(60), workers=workers, ahead=ahead)) == [
        number * number for number in range(60)
    ]
    assert list(ordered_map(late, [], workers=workers, ahead=ahead)) == []


def test_an_endless_source_is_drawn_only_a_little_ahead() -> None:
    drawn = 0

    def endless() -> Iterator[int]:
        nonlocal drawn
        while True:
            drawn += 1
            yield drawn

    results = ordered_map(str, endless(), workers=3, ahead=5)
    assert drawn == 0, "nothing happens before the first result is asked for"
    for number in range(1, 50):
        assert next(results) == str(number)
        assert drawn <= number + 5
    results.close()


def test_the_source_is_drawn_in_the_consumers_thread_and_the_function_in_others() -> None:
    threads = set()

    def source() -> Iterator[int]:
        for number in range(20):
            assert threading.current_thread() is threading.main_thread()
            yield number

    def note(number: int) -> int:
        threads.add(threading.current_thread().name)
        time.sleep(0.002)
        return number

    list(ordered_map(note, source(), workers=4, ahead=8))
    assert 1 < len(threads) <= 4
    assert threading.main_thread().name not in threads


def test_several_items_are_under_way_at_once() -> None:
    barrier = threading.Barrier(4, timeout=10)
    assert list(ordered_map(lambda _: barrier.wait() >= 0, range(8), workers=4, ahead=4)) == (
        [True] * 8
    )


def test_an_error_comes_where_its_result_would_and_ends_the_work() -> None:
    begun = []

    def fail_at_five(number: int) -> int:
        begun.append(number)
        if number == 5:
            raise KeyError(number)
        return number

    before = set(threading.enumerate())
    results = ordered_map(fail_at_five, range(1_000), workers=2, ahead=4)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError):
        next(results)
    assert next(results, "ended") == "ended"
    assert max(begun) < 5 + 4 + 1
    assert set(threading.enumerate()) <= before


def test_leaving_early_ends_the_threads() -> None:
    before = set(threading.enumerate())
    results = ordered_map(str, range(1_000), workers=4, ahead=8)
    next(results)
    results.close()
    assert set(threading.enumerate()) <= before


def test_an_error_of_the_source_comes_through() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("the feed is gone")

    with pytest.raises(OSError, match="the feed is gone"):
        list(ordered_map(str, broken(), workers=2, ahead=4))


@pytest.mark.parametrize(("workers", "ahead"), [(0, 1), (1, 0), (-1, 5)])
def test_bad_bounds_are_refused(workers: int, ahead: int) -> None:
    expected = f"must be at least 1, got workers={workers}, ahead={ahead}"
    with pytest.raises(ValueError, match=expected):
        list(ordered_map(str, "abc", workers=workers, ahead=ahead))
