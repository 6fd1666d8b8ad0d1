"""Resampling against a slow reference, and the thin-plate spline against its equations."""

import cv2
import numpy as np
import pytest

from snapshelf.training.augmentation.warps import corners_of, resample, thin_plate


def bilinear(layer, x, y, value):
    """One sample at continuous pixel coordinates, pixel centres at whole numbers."""
    total = np.zeros(layer.shape[2])
    left, top = int(np.floor(x)), int(np.floor(y))
    for row, column, weight in (
        (top, left, (top + 1 - y) * (left + 1 - x)),
        (top, left + 1, (top + 1 - y) * (x - left)),
        (top + 1, left, (y - top) * (left + 1 - x)),
        (top + 1, left + 1, (y - top) * (x - left)),
    ):
        inside = 0 <= row < layer.shape[0] and 0 <= column < layer.shape[1]
        total += weight * (layer[row, column] if inside else value)
    return total


def reference(layer, corners, size, bend=None, fine=1, value=0):
    """Each output pixel is the mean of fine x fine bilinear samples through the inverse map."""
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    back = cv2.getPerspectiveTransform(corners.astype(np.float32), unit)
    back *= np.sign(back[2] @ (*corners.mean(axis=0), 1))
    result = np.zeros((*size, layer.shape[2]))
    for row in range(size[0]):
        for column in range(size[1]):
            for dy in range(fine):
                for dx in range(fine):
                    x, y = column + (dx + 0.5) / fine, row + (dy + 0.5) / fine
                    u, v, w = back @ (x, y, 1)
                    # Beyond the horizon there is nothing of the layer.
                    place = np.array([u / w, v / w]) if w > 0 else np.full(2, -9.0)
                    if bend is not None:
                        place = place + spline(bend, place)
                    at = place * (layer.shape[1], layer.shape[0]) - 0.5
                    result[row, column] += bilinear(layer, at[0], at[1], value)
    return result / fine**2


def spline(bend, place):
    """The thin-plate spline by its own linear system, point by point (Bookstein, 1989)."""
    points = [(x, y) for y in (0, 0.5, 1) for x in (0, 0.5, 1)]

    def kernel(p, q):
        r2 = (p[0] - q[0]) ** 2 + (p[1] - q[1]) ** 2
        return r2 * np.log(r2) if r2 > 0 else 0.0

    matrix = np.zeros((12, 12))
    for i, p in enumerate(points):
        for j, q in enumerate(points):
            matrix[i, j] = kernel(p, q)
        matrix[i, 9:] = matrix[9:, i] = (1, *p)
    right = np.concatenate([bend.reshape(9, 2), np.zeros((3, 2))])
    weights = np.linalg.solve(matrix, right)
    terms = np.array([kernel(place, p) for p in points] + [1, *place])
    return terms @ weights


def smooth(shape, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 5, shape[2]), dtype=np.uint8)
    return cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def on_whole(placed, size, value=0):
    result = np.full((*size, placed.layer.shape[2]), value, np.uint8)
    height, width = placed.layer.shape[:2]
    result[placed.top : placed.top + height, placed.left : placed.left + width] = placed.layer
    return result


CORNERS = {
    "upright": corners_of((12, 10), (16, 14)),
    "turned": corners_of((12, 10), (17, 13), 25),
    "perspective": np.array([[3.0, 2.5], [21.0, 4.0], [19.5, 17.0], [5.0, 15.5]]),
    "mirrored": corners_of((12, 10), (16, 14), 10)[[1, 0, 3, 2]],
    "half outside": corners_of((2, 18), (16, 14), -30),
}


@pytest.mark.parametrize("name", CORNERS)
@pytest.mark.parametrize("channels", [3, 4])
def test_agrees_with_the_slow_reference(name, channels):
    layer, size = smooth((11, 13, channels)), (20, 24)
    expected = reference(layer, CORNERS[name], size)
    found = on_whole(resample(layer, CORNERS[name], size), size)
    # OpenCV rounds sample positions to 1/32 of a pixel, and the outline moves with them.
    difference = np.abs(found - expected)
    assert difference.mean() < 2.0
    inner = reference(np.full_like(layer, 255), CORNERS[name], size) > 254
    assert inner.any()
    assert difference[inner].max() < 8


def test_a_layer_is_there_though_the_origin_lies_beyond_its_horizon():
    layer, size = smooth((6, 7, 4)), (60, 62)
    corners = np.array([[21.0, 27.0], [27.0, 21.0], [60.0, 28.5], [31.5, 55.5]])
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    divisors = cv2.getPerspectiveTransform(corners.astype(np.float32), unit)[2]
    assert (np.c_[corners, np.ones(4)] @ divisors < 0).all()
    expected = reference(layer, corners, size)
    difference = np.abs(on_whole(resample(layer, corners, size), size) - expected)
    inner = reference(np.full_like(layer, 255), corners, size) > 254
    assert inner.sum() > 800
    # So steep a perspective is not quite straight between the nodes of the map.
    assert difference[inner].mean() < 5
    assert difference.mean() < 2


def test_a_bend_agrees_with_the_slow_reference():
    layer, size = smooth((16, 16, 4)), (22, 22)
    bend = np.random.default_rng(4).normal(0, 0.05, (3, 3, 2))
    corners = corners_of((11, 11), (16, 16), 8)
    expected = reference(layer, corners, size, bend)
    found = on_whole(resample(layer, corners, size, bend=bend), size)
    difference = np.abs(found - expected)
    inner = reference(np.full_like(layer, 255), corners, size, bend) > 254
    assert difference[inner].max() < 14
    assert difference.mean() < 2.5
    # And it is a bend: without it the picture is another one.
    straight = on_whole(resample(layer, corners, size), size)
    assert np.abs(straight - expected).mean() > 3 * difference.mean()


@pytest.mark.parametrize("side", [24, 37, 60, 95, 160, 301])
def test_made_smaller_it_is_the_mean_of_what_lies_under_a_pixel(side):
    layer = np.random.default_rng(2).integers(0, 256, (side, side, 4), dtype=np.uint8)
    corners = corners_of((6, 6), (12, 12))
    found = resample(layer, corners, (12, 12)).layer
    expected = cv2.resize(layer, (12, 12), interpolation=cv2.INTER_AREA)
    # Noise shows each missed pixel: samples that skipped some would differ by tens of levels.
    aliased = cv2.resize(layer, (12, 12), interpolation=cv2.INTER_LINEAR).astype(int)
    inner = slice(1, -1), slice(1, -1)
    error = np.abs(found.astype(int) - expected)[inner].mean()
    assert error <= 0.5 * np.abs(aliased - expected)[inner].mean()


@pytest.mark.parametrize("ratio", [2.0, 2.6, 3.3, 4.7, 9.1])
def test_a_fine_chequerboard_becomes_grey(ratio):
    y, x = np.mgrid[:180, :180]
    layer = np.repeat((((x + y) % 2) * 255).astype(np.uint8)[..., None], 4, axis=2)
    side = 180 / ratio
    placed = resample(layer, corners_of((50, 50), (side, side), 7), (100, 100))
    middle = on_whole(placed, (100, 100))[47:53, 47:53].astype(int)
    assert np.abs(middle - 127.5).max() < 32


def test_at_its_own_place_and_size_it_stays_as_it_is():
    layer = np.random.default_rng(0).integers(0, 256, (21, 34, 4), dtype=np.uint8)
    placed = resample(layer, corners_of((17, 10.5), (34, 21)), (21, 34))
    assert (placed.top, placed.left) == (0, 0)
    assert np.abs(placed.layer.astype(int) - layer).max() <= 1


def test_a_premultiplied_layer_stays_premultiplied():
    rng = np.random.default_rng(0)
    alpha = (rng.random((80, 80)) > 0.5).astype(np.uint8) * 255
    layer = np.dstack([*(cv2.multiply(alpha, 0.7) for _ in range(3)), alpha])
    placed = resample(layer, corners_of((20, 20), (31, 29), 33), (40, 40))
    assert (placed.layer[..., :3] <= placed.layer[..., 3:]).all()


@pytest.mark.parametrize(
    ("centre", "sides"),
    [((-60, 10), (30, 30)), ((10, 200), (50, 50)), ((500, 500), (1, 1))],
)
def test_what_lies_outside_the_view_gives_nothing(centre, sides):
    layer = np.full((10, 10, 4), 255, np.uint8)
    assert resample(layer, corners_of(centre, sides), (40, 40)).layer.size == 0
    whole = resample(layer, corners_of(centre, sides), (40, 40), value=9, whole=True)
    assert whole.layer.shape == (40, 40, 4)
    assert (whole.layer == 9).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 3000)])
def test_extreme_shapes(shape):
    layer = np.full((*shape, 4), 200, np.uint8)
    longest = max(shape)
    corners = corners_of((16, 16), (shape[1] * 30 / longest, shape[0] * 30 / longest))
    placed = resample(layer, corners, (32, 32))
    assert placed.layer.max() in range(90, 201)


def test_the_spline_passes_through_its_control_points_and_solves_its_equations():
    bend = np.random.default_rng(1).normal(0, 0.1, (3, 3, 2))
    along = np.linspace(0, 1, 3)
    points = np.stack(np.meshgrid(along, along), axis=-1).reshape(-1, 2)
    np.testing.assert_allclose(thin_plate(bend, points), bend.reshape(-1, 2), atol=1e-9)
    places = np.random.default_rng(2).uniform(-0.2, 1.2, (25, 2))
    expected = np.array([spline(bend, place) for place in places])
    np.testing.assert_allclose(thin_plate(bend, places), expected, atol=1e-9)


def test_an_affine_shift_of_the_control_points_bends_nothing():
    along = np.linspace(0, 1, 3)
    x, y = np.meshgrid(along, along)
    bend = np.stack([0.1 + 0.2 * x - 0.05 * y, -0.03 * x], axis=-1)
    places = np.random.default_rng(3).uniform(-1, 2, (10, 2))
    expected = np.stack(
        [0.1 + 0.2 * places[:, 0] - 0.05 * places[:, 1], -0.03 * places[:, 0]], axis=-1
    )
    np.testing.assert_allclose(thin_plate(bend, places), expected, atol=1e-9)


def test_corners_turn_clockwise():
    corners = corners_of((10, 20), (4, 2), 90)
    np.testing.assert_allclose(corners, [[11, 18], [11, 22], [9, 22], [9, 18]], atol=1e-12)
