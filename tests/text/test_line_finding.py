import cv2
import numpy as np
import pytest

from snapshelf.text.line_finding import MEAN, UNCLIP, cut_line, find_lines


def a_map(*rectangles: tuple[tuple[float, float], tuple[float, float], float]) -> np.ndarray:
    """Draw lines' middles, each its centre, size and angle, into an empty map."""
    shown = np.zeros((200, 300), np.float32)
    for rectangle in rectangles:
        corners = np.rint(cv2.boxPoints(rectangle)).astype(np.int32)
        cv2.fillPoly(shown, [corners], 0.9)
    return shown


@pytest.mark.parametrize("angle", [0.0, 12.0, -25.0])
def test_a_line_grows_by_its_area_over_its_perimeter(angle: float) -> None:
    width, height = 120.0, 12.0
    (corners,) = find_lines(a_map(((150.0, 100.0), (width, height), angle)))
    distance = width * height * UNCLIP / (2 * (width + height))
    grown = ((150.0, 100.0), (width + 2 * distance, height + 2 * distance), angle)
    expected = cv2.boxPoints(grown)
    # In the order of its corners: the two on the left, then the two on the right.
    nearest = np.linalg.norm(expected[np.newaxis] - corners[:, np.newaxis], axis=2).min(axis=1)
    # A map of whole pixels moves corners by a few; without growth they were 12 off.
    assert nearest.max() < 5
    top_left, top_right, bottom_right, bottom_left = corners
    assert top_left[0] < top_right[0]
    assert bottom_left[0] < bottom_right[0]
    assert top_left[1] < bottom_left[1]
    assert top_right[1] < bottom_right[1]


def test_each_line_is_found_by_itself() -> None:
    lines = find_lines(
        a_map(((80.0, 50.0), (90.0, 10.0), 0.0), ((200.0, 150.0), (90.0, 10.0), 0.0))
    )
    middles = sorted(tuple(np.rint(line.mean(axis=0))) for line in lines)
    np.testing.assert_allclose(middles, [(80, 50), (200, 150)], atol=2)


def test_faint_and_tiny_marks_are_no_lines() -> None:
    faint = a_map(((150.0, 100.0), (90.0, 10.0), 0.0)) * np.float32((MEAN - 0.05) / 0.9)
    assert find_lines(faint) == []
    assert find_lines(a_map(((150.0, 100.0), (1.0, 1.0), 0.0))) == []
    assert find_lines(np.zeros((32, 32), np.float32)) == []
    assert len(find_lines(np.ones((32, 32), np.float32))) == 1


def test_a_slanted_line_is_cut_out_level() -> None:
    picture = np.full((200, 300, 3), 255, np.uint8)
    corners = cv2.boxPoints(((150.0, 100.0), (120.0, 20.0), 30.0))
    cv2.fillPoly(picture, [np.rint(corners).astype(np.int32)], (200, 0, 0))
    (found,) = find_lines(a_map(((150.0, 100.0), (120.0, 20.0), 30.0)))
    line = cut_line(picture, found)
    middle = line[line.shape[0] // 2, line.shape[1] // 5 : -line.shape[1] // 5]
    assert (middle == (200, 0, 0)).all()
    assert line.shape[1] > 2 * line.shape[0]


def test_a_standing_line_is_laid_down_to_the_left() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:50] = 255
    line = cut_line(picture, np.array([[40, 10], [60, 10], [60, 90], [40, 90]], np.float32))
    assert line.shape == (20, 80, 3)
    # It is read from top to bottom, so what was above is now on the left.
    assert line[10, 5].min() == 255
    assert line[10, 75].max() == 0


def test_corners_beyond_the_picture_are_moved_in() -> None:
    picture = np.full((1, 1, 3), 7, np.uint8)
    line = cut_line(picture, np.array([[-9, -9], [9, -9], [9, 9], [-9, 9]], np.float32))
    assert line.shape == (1, 1, 3)
