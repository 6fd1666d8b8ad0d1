"""Where matched points are drawn, and what is said of them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshelf.pages.matched_points import GAP, MOST_LINES, WIDTH, draw_points, tell_points

SIDE = (WIDTH - GAP) / 2


def draw(points, item=(0, 0, 200, 100), query=(200, 100), image=None, product=(60, 120), **more):
    evidence = {"points": points, **more}
    return draw_points(evidence, item=item, query=query, image=image, product=product)


def test_each_picture_fills_a_square_and_lies_in_its_middle():
    drawn = draw([[0, 0, 0, 0], [200, 100, 60, 120], [50, 25, 30, 90]])
    assert (drawn.width, drawn.height) == (WIDTH, SIDE)
    wide, high = drawn.query, drawn.product
    assert (wide.x, wide.y, wide.width, wide.height) == (0, SIDE / 4, SIDE, SIDE / 2)
    assert (high.x, high.y) == (SIDE + GAP + SIDE / 4, 0)
    assert (high.width, high.height) == (SIDE / 2, SIDE)
    first, last, between = drawn.lines
    assert (first.x1, first.y1, first.x2, first.y2) == (0, SIDE / 4, high.x, 0)
    assert (last.x1, last.y1) == (SIDE, 3 * SIDE / 4)
    assert (last.x2, last.y2) == (WIDTH - SIDE / 4, SIDE)
    assert (between.x1, between.y1) == (SIDE / 4, 3 * SIDE / 8)
    assert (between.x2, between.y2) == (high.x + SIDE / 4, 3 * SIDE / 4)


SIZES = st.tuples(st.integers(1, 5000), st.integers(1, 5000))


@st.composite
def parts(draw):
    """A picture's size, a box that may reach beyond it, and a point by its share of the part."""
    width, height = size = draw(SIZES)
    left, top = draw(st.floats(-9, width - 1)), draw(st.floats(-9, height - 1))
    right, bottom = draw(st.floats(left, width + 0.9)), draw(st.floats(top, height + 0.9))
    return size, (left, top, right, bottom), draw(st.floats(0, 1)), draw(st.floats(0, 1))


@given(left=parts(), right=parts())
def test_a_point_is_drawn_where_its_pixel_is(left, right):
    ends = []
    for (width, height), box, across, down in (left, right):
        x0, y0 = max(math.floor(box[0]), 0), max(math.floor(box[1]), 0)
        x1, y1 = (
            min(max(math.ceil(box[2]), x0 + 1), width),
            min(max(math.ceil(box[3]), y0 + 1), height),
        )
        ends.append((across * (x1 - x0), down * (y1 - y0), x0, y0, x1, y1))
    point = [*ends[0][:2], *ends[1][:2]]
    drawn = draw([point], left[1], left[0], right[1], right[0])
    (line,) = drawn.lines
    places = ((line.x1, line.y1), (line.x2, line.y2))
    for (x, y), part, end in zip(places, (drawn.query, drawn.product), ends, strict=True):
        assert part.part == end[2:]
        # Both axes are scaled alike, and nothing leaves the drawing.
        scale = part.width / (end[4] - end[2])
        assert part.height / (end[5] - end[3]) == pytest.approx(scale)
        assert max(part.width, part.height) == pytest.approx(SIDE)
        assert (x, y) == pytest.approx((part.x + scale * end[0], part.y + scale * end[1]))
        assert -1e-6 <= x <= WIDTH + 1e-6
        assert -1e-6 <= y <= drawn.height + 1e-6


def test_only_so_many_lines_are_drawn():
    drawn = draw([[1, 1, 1, 1]] * (MOST_LINES + 1))
    assert (len(drawn.lines), drawn.is_whole) == (MOST_LINES, False)
    assert draw([[1, 1, 1, 1]] * MOST_LINES, inliers=MOST_LINES).is_whole
    assert not draw([[1, 1, 1, 1]] * MOST_LINES, inliers=MOST_LINES + 1).is_whole


@pytest.mark.parametrize(
    "points",
    [
        None,
        [],
        {},
        "1234",
        7,
        ["1234"],
        [[1, 2, 3]],
        [[1, 2, 3, 4, 5]],
        [[1, 2, 3, "4"]],
        [[1, 2, 3, None]],
        [[1, 2, 3, True]],
        [[1, 2, 3, math.nan]],
        [[1, 2, 3, math.inf]],
        [[1, 2, 3, -math.inf]],
        [[1, 2, 3, 10**400]],
        [[1, 1, 1, 1], 4],
    ],
    ids=repr,
)
def test_what_is_no_list_of_points_is_not_drawn(points):
    assert draw(points) is None


@pytest.mark.parametrize(
    "point", [[200.2, 1, 1, 1], [1, -0.2, 1, 1], [1, 1, 60.2, 1], [1, 1, 1, 120.2]]
)
def test_points_beside_a_picture_mean_that_it_is_another_one(point):
    assert draw([[1, 1, 1, 1], point]) is None
    assert draw([[1, 1, 1, 1], [200.1, -0.1, 60.1, 120.1]]) is not None


def test_a_part_beyond_the_picture_means_that_it_is_another_one():
    assert draw([[1, 1, 1, 1]], image=(0, 0, 60, 120)) is not None
    assert draw([[1, 1, 1, 1]], image=(0, 0, 62, 120)) is None
    assert draw([[1, 1, 1, 1]], image=(0, 0, 60, 122)) is None
    assert draw([[1, 1, 1, 1]], product=None) is None


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ({"matches": 52, "inliers": 38, "colour": 0.82}, "38 of 52 points agree, colours fit 0.82"),
        (
            {"matches": 9, "inliers": 9, "colour": -0.306},
            "9 of 9 points agree, colours do not fit (-0.31)",
        ),
        ({"matches": 9, "inliers": 5, "colour": "red"}, "5 of 9 points agree"),
        ({"matches": 9, "inliers": 5, "colour": math.nan}, "5 of 9 points agree"),
        ({"matches": 9, "inliers": 0, "colour": 0.0}, ""),
        ({"matches": 9}, None),
        ({"inliers": 9}, None),
        ({"matches": 4, "inliers": 5}, None),
        ({"matches": 4, "inliers": -1}, None),
        ({"matches": 4.0, "inliers": 3}, None),
        ({"matches": "<b>", "inliers": True}, None),
        ({}, None),
    ],
)
def test_points_are_told_in_words(evidence, told):
    assert tell_points(evidence) == told
