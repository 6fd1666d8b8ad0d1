"""Which trajectories of a clip are one item."""

import numpy as np
import pytest

from snapshelf.locating.trajectory import Trajectory
from snapshelf.shelf.best_view import View
from snapshelf.shelf.clip_items import ClipItem, ClipItems, join_found
from snapshelf.shelf.seen_trajectory import SeenTrajectory

PICTURE = np.zeros((8, 8, 3), np.uint8)


def seen(
    number: int,
    span: tuple[float, float],
    angle: float,
    *,
    confidence: float = 1.0,
    detail: float = 1.0,
    label: str = "",
) -> SeenTrajectory:
    """A trajectory of two steps whose embeddings are at an angle (degrees) in the plane."""
    frames = tuple(round(10 * time) for time in span)
    course = Trajectory(number, frames, span, ((0, 0, 8, 8),) * 2, label, confidence)
    direction = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))], np.float32)
    return SeenTrajectory(course, 2 * direction, View(0, detail, PICTURE))


def items(*trajectories: SeenTrajectory, alike: float = 0.95, most: int = 9) -> ClipItems:
    made = ClipItems(alike=alike, most=most, describe=lambda one: b"%d" % one.trajectory.number)
    for one in trajectories:
        made.add(one)
    return made


def numbers(given: tuple[ClipItem, ...]) -> list[list[int]]:
    return [sorted(item.numbers) for item in given]


def test_what_looks_the_same_at_different_times_is_one() -> None:
    (first, second) = items(
        seen(1, (0, 1), 0), seen(2, (2, 3), 90), seen(3, (5, 6), 10), alike=0.95
    ).given()
    assert numbers((first, second)) == [[1, 3], [2]]
    assert first.spans == ((0, 1), (5, 6))
    assert first.frames == (0, 60)
    slow = np.array([1 + np.cos(np.deg2rad(10)), np.sin(np.deg2rad(10))])
    assert np.allclose(first.embedding, slow / np.linalg.norm(slow), atol=1e-6)


@pytest.mark.parametrize(
    ("other", "joined"),
    [
        ((1.0, 2.0), True),  # goes on where the first one ends
        ((0.9, 2.0), False),
        ((0.2, 0.3), False),
        ((0.5, 0.5), False),
        ((1.0, 1.0), False),  # a glimpse in the very frame
        ((1.1, 1.1), True),
    ],
)
def test_what_is_seen_at_the_same_time_is_not(other: tuple[float, float], joined: bool) -> None:
    given = items(seen(1, (0.0, 1.0), 0), seen(2, other, 0)).given()
    assert (len(given) == 1) is joined


def test_pieces_of_one_trajectory_are_one_whatever_they_look_like() -> None:
    (item,) = items(seen(1, (0, 1), 0), seen(1, (1, 2), 80)).given()
    assert item.spans == ((0, 2),)


def test_the_nearest_of_several_is_taken() -> None:
    made = items(seen(1, (0, 1), 0), seen(2, (1, 2), 30), seen(3, (3, 4), 18), alike=0.9)
    assert numbers(made.given()) == [[1], [2, 3]]


def test_the_longest_surest_and_sharpest_is_shown_and_described() -> None:
    (item,) = items(
        seen(1, (0, 1), 0, label="a"),
        seen(2, (1, 3), 0, label="b", confidence=0.9),
        seen(3, (3, 9), 0, label="c", confidence=0.1),
        seen(4, (9, 10), 0, label="d", detail=0.5),
    ).given()
    assert (item.label, item.confidence, item.description) == ("b", 0.9, b"2")
    assert item.best.seconds == 1
    assert item.best.size == (8, 8)


def test_beyond_the_bound_the_lightest_go() -> None:
    made = items(
        seen(1, (0, 3), 0),
        seen(2, (3, 3.2), 90),
        seen(3, (4, 6), 180),
        seen(4, (7, 9), 270),
        most=3,
    )
    assert numbers(made.given()) == [[1], [3], [4]]
    assert made.dropped == 1


def test_nothing_but_zeros_is_an_item_too() -> None:
    zeros = SeenTrajectory(
        Trajectory(1, (0,), (0.0,), ((0, 0, 1, 1),)), np.zeros(2, np.float32), View(0, 0, PICTURE)
    )
    (item,) = items(zeros).given()
    assert np.array_equal(item.embedding, [0, 0])


def test_the_same_product_needs_less_likeness() -> None:
    apart = items(seen(1, (0, 1), 0), seen(2, (2, 3), 25), seen(3, (4, 5), 50)).given()
    assert len(apart) == 3
    assert numbers(join_found(apart, ["x", "x", "x"], alike=0.9)) == [[1, 2], [3]]
    assert numbers(join_found(apart, ["x", "y", "x"], alike=0.5)) == [[1, 3], [2]]
    assert numbers(join_found(apart, [None] * 3, alike=-1)) == [[1], [2], [3]]
    at_once = items(seen(1, (0, 1), 0), seen(2, (0, 3), 0)).given()
    assert len(join_found(at_once, ["x", "x"], alike=-1)) == 2
    assert join_found((), (), alike=0) == ()
