"""Work that threads share in which PyTorch computes alone: what is done, by whom, and failures."""

import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from threading import Barrier, Event, Lock, Thread, current_thread

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from snapshelf.features.torch_sharing import share_out  # noqa: E402

PATIENCE = 60
"""Seconds after which a thread that waits for another is taken to wait for ever."""


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    """As many as torch has for the test."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def in_a_new_thread(function, *arguments):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function, *arguments).result()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1000])
def test_every_piece_is_done_once(threads, count):
    done = [0] * count

    def work(places):
        for place in places:
            done[place] += 1

    share_out(range(count), work)
    assert done == [1] * count


def test_each_thread_computes_alone(threads):
    seen = []

    def work(pieces):
        seen.extend((current_thread(), torch.get_num_threads()) for _ in pieces)

    share_out("abcdefgh", work)
    assert len(seen) == 8
    assert {number for _, number in seen} == {1}
    assert len({thread for thread, _ in seen}) <= threads
    assert ({thread for thread, _ in seen} == {current_thread()}) == (threads == 1)


def test_a_single_piece_is_done_by_a_thread_that_computes_alone(two_threads):
    seen = []
    share_out("a", lambda pieces: seen.extend((each, torch.get_num_threads()) for each in pieces))
    assert seen == [("a", 1)]


def test_as_many_pieces_as_threads_are_done_at_the_same_time(threads):
    everyone = Barrier(threads)

    def work(pieces):
        for _ in pieces:
            everyone.wait(PATIENCE)

    share_out(range(2 * threads), work)


def test_a_slow_piece_holds_up_no_other(two_threads):
    rest = Event()
    left = {1, 2, 3, 4}

    def work(pieces):
        for piece in pieces:
            if piece == 0:
                assert rest.wait(PATIENCE)
            else:
                left.remove(piece)
            if not left:
                rest.set()

    share_out(range(5), work)


def test_work_may_share_out_work(threads):
    seen = []

    def inner(pieces):
        seen.extend((current_thread(), piece) for piece in pieces)

    def outer(pieces):
        for piece in pieces:
            share_out([(piece, n) for n in range(3)], inner)
            assert {thread for thread, (first, _) in list(seen) if first == piece} == {
                current_thread()
            }

    share_out(range(4), outer)
    assert sorted(pair for _, pair in seen) == [(n, m) for n in range(4) for m in range(3)]


# --- torch's numbers of threads --------------------------------------------------------------


def test_no_other_thread_gets_another_number(threads):
    # Of threads that are there already, and of those that begin afterwards.
    with ThreadPoolExecutor(1) as other:
        assert other.submit(torch.get_num_threads).result() == threads
        share_out(range(20), list)
        assert torch.get_num_threads() == threads
        assert other.submit(torch.get_num_threads).result() == threads
    assert in_a_new_thread(torch.get_num_threads) == threads


def test_numbers_that_are_set_elsewhere_do_not_reach_the_threads(two_threads):
    share_out(range(20), list)
    in_a_new_thread(torch.set_num_threads, 3)
    seen = []
    share_out(range(20), lambda pieces: seen.extend(torch.get_num_threads() for _ in pieces))
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2
    in_a_new_thread(torch.set_num_threads, 2)


def test_many_callers_at_once(threads):
    callers = 8
    together = Barrier(callers)
    sums = [0] * callers

    def call(caller):
        lock = Lock()

        def work(pieces):
            for piece in pieces:
                with lock:
                    sums[caller] += piece

        together.wait(PATIENCE)
        for _ in range(20):
            share_out(range(caller, 30), work)

    running = [Thread(target=call, args=(caller,)) for caller in range(callers)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(PATIENCE)
    assert sums == [20 * sum(range(caller, 30)) for caller in range(callers)]
    assert in_a_new_thread(torch.get_num_threads) == torch.get_num_threads() == threads


# --- failures --------------------------------------------------------------------------------


def test_an_error_is_raised_and_no_more_is_begun(threads):
    begun = []
    failed = Event()

    def work(pieces):
        for piece in pieces:
            begun.append(piece)
            if piece == 3:
                failed.set()
                raise ArithmeticError("piece 3")
            if piece > 3:
                # All of them would take far longer than the caller takes to be told.
                assert failed.wait(PATIENCE)
                time.sleep(0.001)

    with pytest.raises(ArithmeticError, match="piece 3"):
        share_out(range(100_000), work)
    assert 3 in begun
    assert len(begun) < 100_000
    # The threads go on to serve others.
    done = []
    share_out(range(50), done.extend)
    assert sorted(done) == list(range(50))


def test_what_was_begun_ends_before_an_error_is_raised(two_threads):
    both = Barrier(2)
    ended = []

    def work(pieces):
        for piece in pieces:
            both.wait(PATIENCE)
            if piece == 0:
                raise ArithmeticError("first")
            torch.zeros(2_000_000).exp_()
            ended.append(piece)

    with pytest.raises(ArithmeticError, match="first"):
        share_out(range(2), work)
    assert ended == [1]


@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own(two_threads):
    share_out(range(20), list)  # the parent's threads, of which the child has none

    def in_the_child():
        done = []
        share_out(range(20), done.extend)
        assert sorted(done) == list(range(20))

    child = get_context("fork").Process(target=in_the_child)
    child.start()
    child.join(PATIENCE)
    child.kill()
    assert child.exitcode == 0
