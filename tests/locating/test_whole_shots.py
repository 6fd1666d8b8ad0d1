"""The shots of a clip as trajectories, and trajectories with fewer steps."""

from collections.abc import Iterable

import numpy as np
import pytest

from snapshelf.locating.even_steps import even_steps
from snapshelf.locating.trajectory import Trajectory
from snapshelf.locating.whole_shots import WholeShots
from snapshelf.media.video_frame import VideoFrame

BOX = (0.0, 0.0, 8.0, 8.0)


def frames(*shots: tuple[int, int], rate: float = 10.0) -> list[VideoFrame]:
    """Plain frames: for each shot its grey and how many there are."""
    greys = [grey for grey, count in shots for _ in range(count)]
    return [
        VideoFrame(3 * place, place / rate, np.full((20, 30, 3), grey, np.uint8))
        for place, grey in enumerate(greys)
    ]


def whole(
    clip: Iterable[VideoFrame],
    found: list[Trajectory] | None = None,
    most: int = 32,
    piece: float = 1e9,
) -> tuple[Trajectory, ...]:
    shots = WholeShots(most=most, piece=piece)
    assert [frame.index for frame in shots.watch(clip)] == [frame.index for frame in clip]
    return shots.without(found or [])


def test_each_shot_is_one_trajectory_of_the_whole_picture() -> None:
    first, second = whole(frames((0, 5), (200, 9)))
    assert (first.number, second.number) == (1, 2)
    assert first.frames == (0, 3, 6, 9, 12)
    assert first.boxes == ((0.0, 0.0, 30.0, 20.0),) * 5
    assert second.frames[0] == 15
    assert second.last == pytest.approx(1.3)


@pytest.mark.parametrize("count", [3, 4, 7, 8, 9, 31, 100, 1000])
def test_of_a_long_shot_steps_are_taken_evenly(count: int) -> None:
    (shot,) = whole(frames((9, count)), most=4)
    assert len(shot) == min(count, 4)
    assert (shot.frames[0], shot.frames[-1]) == (0, 3 * (count - 1))
    gaps = np.diff(shot.frames)
    assert gaps.min() > 0
    assert gaps.max() <= 3 * max(1.0, count / 3 + count / 4 + 1)


def test_a_long_shot_comes_in_pieces_that_go_on_where_the_last_one_ended() -> None:
    pieces = whole(frames((0, 47), (200, 3)), piece=2.0)
    assert [piece.number for piece in pieces] == [1, 2, 3, 4]
    spans = [(piece.first, piece.last) for piece in pieces]
    assert np.allclose(spans, [(0, 2), (2, 4), (4, 4.6), (4.7, 4.9)])
    assert pieces[1].frames == tuple(3 * frame for frame in range(20, 41))
    taken = whole(frames((0, 47), (200, 30)), [Trajectory(1, (99,), (3.3,), (BOX,))], piece=2.0)
    assert [round(piece.first, 1) for piece in taken] == [4.7, 6.7]


@pytest.mark.parametrize(
    ("count", "spans"),
    [
        (20, [(0, 1.9)]),
        (21, [(0, 2.0)]),  # a piece of the last frame alone
        (23, [(0, 2.2)]),
        (24, [(0, 2.0), (2.0, 2.3)]),
        (41, [(0, 2.0), (2.0, 4.0)]),
        (43, [(0, 2.0), (2.0, 4.2)]),
    ],
)
def test_a_last_piece_that_is_short_is_the_end_of_the_one_before(
    count: int, spans: list[tuple[float, float]]
) -> None:
    for most in (2, 8, 32):
        pieces = whole(frames((0, count)), most=most, piece=2.0)
        assert np.allclose([(piece.first, piece.last) for piece in pieces], spans)
        assert all(len(piece) <= most for piece in pieces)
        assert pieces[-1].frames[-1] == 3 * (count - 1)
    # In a shot before another one it is the same.
    pieces = whole(frames((0, count), (200, 9)), piece=2.0)
    assert np.allclose([(piece.first, piece.last) for piece in pieces[:-1]], spans)
    assert pieces[-1].frames[0] == 3 * count


def test_rare_frames_make_no_piece_of_one_frame() -> None:
    pieces = whole(frames((0, 4), rate=0.5), piece=2.0)
    assert [piece.frames for piece in pieces] == [(0, 3), (3, 6), (6, 9)]


def test_shots_with_something_in_them_are_left_out() -> None:
    clip = frames((0, 5), (100, 5), (200, 5))
    found = [Trajectory(7, (18, 21), (0.6, 0.7), (BOX, BOX))]
    first, last = whole(clip, found)
    assert (first.frames[0], last.frames[0]) == (0, 30)
    assert (first.number, last.number) == (8, 9)


def test_flashes_are_left_out_but_slides_are_not() -> None:
    assert [shot.frames[0] for shot in whole(frames((0, 9), (250, 2), (100, 9)))] == [0, 33]
    slides = frames((0, 1), (250, 1), (100, 1), rate=0.5)
    assert [shot.frames for shot in whole(slides)] == [(0,), (3,), (6,)]


def test_nothing_but_flashes_is_something() -> None:
    assert len(whole(frames((0, 1), (250, 1), (0, 1)))) >= 1
    assert [shot.frames for shot in whole(frames((50, 1)))] == [(0,)]
    assert whole([]) == ()


def test_even_steps_keep_both_ends() -> None:
    course = Trajectory(3, tuple(range(100)), tuple(map(float, range(100))), (BOX,) * 100, "x", 0.4)
    few = even_steps(course, 7)
    assert (few.number, few.label, few.confidence) == (3, "x", 0.4)
    assert few.frames == tuple(round(step * 99 / 6) for step in range(7))
    assert few.times == tuple(map(float, few.frames))
    assert even_steps(course, 100) is course
    for bad in (1, 0, -3):
        with pytest.raises(ValueError, match="most"):
            even_steps(course, bad)
        with pytest.raises(ValueError, match="most"):
            WholeShots(most=bad)
    with pytest.raises(ValueError, match="piece"):
        WholeShots(piece=0)
