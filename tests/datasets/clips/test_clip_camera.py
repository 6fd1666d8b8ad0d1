"""The camera of rendered clips, and its path."""

import cv2
import numpy as np
import pytest

from snapshelf.datasets.clips.camera import View, frame_box, project, view_corners, view_reach
from snapshelf.datasets.clips.camera_path import CameraPath
from snapshelf.datasets.clips.render_settings import RenderSettings
from snapshelf.datasets.clips.wobble import Wobble
from snapshelf.training.augmentation import Effect

SIZES = ((160, 160), (160, 120), (90, 200))


def turned(rng):
    return View(*rng.uniform(50, 300, 2), rng.uniform(40, 300), *rng.uniform(-0.5, 0.5, 3))


def rotation(axis, angle):
    return cv2.Rodrigues(np.array(axis, np.float64) * angle)[0]


@pytest.mark.parametrize("size", SIZES)
def test_points_are_projected_as_a_pinhole_camera_does(size):
    rng = np.random.default_rng(1)
    for _ in range(20):
        view = turned(rng)
        points = np.array([view.x, view.y]) + rng.uniform(-0.6, 0.6, (30, 2)) * view.side
        focal = 2.4 * max(size) / 2
        matrix = np.array([[focal, 0, size[1] / 2], [0, focal, size[0] / 2], [0, 0, 1]])
        # The photo in pixels of the frame, before the camera at the focal distance.
        flat = (points - (view.x, view.y)) * min(size) / view.side
        solid = np.column_stack([flat, np.zeros(len(flat))])
        turn = (
            rotation((1, 0, 0), view.pitch)
            @ rotation((0, -1, 0), view.yaw)
            @ rotation((0, 0, 1), view.roll)
        )
        expected, _ = cv2.projectPoints(
            solid, cv2.Rodrigues(turn)[0], np.array([0, 0, focal]), matrix, None
        )
        np.testing.assert_allclose(project(points, view, size), expected[:, 0], atol=1e-6)


@pytest.mark.parametrize("size", SIZES)
def test_what_a_view_reaches_is_the_least_that_holds_the_frame(size):
    rng = np.random.default_rng(2)
    frame = np.array([[0, 0], [size[1], 0], [size[1], size[0]], [0, size[0]]], np.float32)
    for _ in range(50):
        view = turned(rng)
        near = np.array([[-0.1, -0.1], [0.1, -0.1], [0.1, 0.1], [-0.1, 0.1]]) * view.side
        near += (view.x, view.y)
        # Back from the frame by the homography that four points fix.
        back = cv2.getPerspectiveTransform(
            project(near, view, size).astype(np.float32), near.astype(np.float32)
        )
        corners = cv2.perspectiveTransform(frame[None], back)[0]
        expected = (*corners.min(axis=0), *corners.max(axis=0))
        np.testing.assert_allclose(view_reach(view, size), expected, rtol=2e-3, atol=0.1)


def test_a_straight_view_is_a_crop():
    view = View(100.0, 80.0, 50.0)
    assert view_reach(view, (200, 200)) == pytest.approx((75, 55, 125, 105))
    np.testing.assert_allclose(
        view_corners((75, 55, 125, 105), view, (200, 100)),
        [[0, 50], [100, 50], [100, 150], [0, 150]],
        atol=1e-9,
    )
    assert frame_box((80, 60, 90, 300), view, (200, 200)) == pytest.approx((20, 20, 60, 200))


def test_the_box_of_an_item_out_of_view_is_at_the_border():
    view = View(100.0, 80.0, 50.0, 0.2, 0.3, -0.3)
    for box in ((900, 60, 950, 90), (-900, 60, -800, 90), (90, -500, 100, -400)):
        x0, y0, x1, y1 = frame_box(box, view, (40, 60))
        assert 0 <= x0 < x1 <= 60
        assert 0 <= y0 < y1 <= 40
        assert min(x1 - x0, y1 - y0) >= 1 - 1e-6
    straight = View(100.0, 80.0, 50.0)
    assert frame_box((900, 60, 950, 70), straight, (40, 40)) == pytest.approx((39, 4, 40, 12))


def test_a_wobble_is_smooth_and_never_more_than_one():
    wobble = Wobble.draw(4, np.random.default_rng(3))
    values = wobble.at(np.linspace(0, 300, 30_000))
    assert values.shape == (30_000, 4)
    assert np.abs(values).max() <= 1
    assert values.std(axis=0).min() > 0.3
    # Its fastest part has 6 periods a second, so in a hundredth it goes a small way.
    assert np.abs(np.diff(values, axis=0)).max() < 0.1


BOXES = {
    "none": None,
    "middle": (120.0, 100.0, 260.0, 320.0),
    "corner": (0.0, 0.0, 60.0, 50.0),
    "wide": (5.0, 200.0, 395.0, 260.0),
    "whole": (0.0, 0.0, 400.0, 500.0),
    "tiny": (300.0, 300.0, 304.0, 303.0),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("where", BOXES)
def test_a_path_stays_in_the_photo_and_mostly_on_the_item(where, size):
    settings = RenderSettings(size=size)
    box = BOXES[where]
    x0, y0, x1, y1 = box or (100.0, 125.0, 300.0, 375.0)
    grid = np.stack(np.meshgrid(np.linspace(x0, x1, 9), np.linspace(y0, y1, 9)), axis=-1)
    shown, moves = [], []
    for seed in range(40):
        path = CameraPath.draw(1.5, np.random.default_rng(seed), settings)
        views = path.views(np.linspace(0, 1.5, 19), (500, 400), box, settings)
        places = []
        for view in views:
            left, top, right, bottom = view_reach(view, size)
            assert left > -1e-6
            assert top > -1e-6
            assert right < 400 + 1e-6
            assert bottom < 500 + 1e-6
            assert min(size) / view.side < settings.most_enlarged + 1e-6 or right - left > 399
            points = project(grid.reshape(-1, 2), view, size)
            inside = ((points > -1) & (points < (size[1] + 1, size[0] + 1))).all(axis=1)
            shown.append(inside.mean())
            places.append(project(np.array([[(x0 + x1) / 2, (y0 + y1) / 2]]), view, size)[0])
        moves.append(np.linalg.norm(np.diff(places, axis=0), axis=1).max() / max(size))
    # What the frame's shape has no room for cannot be shown.
    widest = min(400 / size[1], 500 / size[0]) * np.array([size[1], size[0]])
    possible = np.minimum(widest / (x1 - x0, y1 - y0), 1).prod()
    assert np.mean(shown) > (0.6 if box is None or possible < 1 else 0.85) * possible
    assert max(moves) < 0.25
    assert np.median(moves) > 0.005


def test_a_camera_that_does_nothing_stands_still_before_the_item():
    still = Effect(0.0)
    settings = RenderSettings(
        zoom=still, pan=still, shake=still, roll=still, tilt=still, item_share=(0.5, 0.5)
    )
    path = CameraPath.draw(2.0, np.random.default_rng(0), settings)
    views = path.views([0, 1, 2], (400, 400), (150.0, 100.0, 250.0, 180.0), settings)
    assert set(views) == {View(200.0, 140.0, 200.0)}
