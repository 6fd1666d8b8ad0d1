"""The Hessian detector: against a slow loop, on blobs of known place and size, and on noise."""

from itertools import product

import cv2
import numpy as np
import pytest

from snapshelf.features.classical.hessian import blob_contrast, hessian_blobs
from snapshelf.features.classical.hessian_sift import HessianSift, hessian_keypoints
from snapshelf.features.classical.orientation import dominant_orientations
from snapshelf.features.classical.scale_space import scale_space, scales_between
from snapshelf.features.classical.sift import sift

SCALES = scales_between(1.2, 12, 3)


def blob(height, width, x, y, scale, contrast=0.8, angle=0.0, stretch=1.0):
    """A Gaussian blob, (H, W) in [0, 1], on black."""
    rows, columns = np.indices((height, width)).astype(float)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = c * (columns - x) + s * (rows - y), -s * (columns - x) + c * (rows - y)
    return contrast * np.exp(-((along / stretch) ** 2 + across**2) / (2 * scale**2))


def as_bytes(values):
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


def noise(height=40, width=44, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def slow_contrast(levels, scales):
    """The definition, pixel by pixel."""
    result = np.zeros(levels.shape)
    for k, scale in enumerate(scales):
        image = levels[k].astype(float)
        for y in range(1, image.shape[0] - 1):
            for x in range(1, image.shape[1] - 1):
                xx = image[y, x + 1] - 2 * image[y, x] + image[y, x - 1]
                yy = image[y + 1, x] - 2 * image[y, x] + image[y - 1, x]
                xy = (
                    image[y + 1, x + 1]
                    - image[y + 1, x - 1]
                    - image[y - 1, x + 1]
                    + image[y - 1, x - 1]
                ) / 4
                normalised = scale**4 * (xx * yy - xy * xy)
                result[k, y, x] = 4 * np.sqrt(normalised) if normalised > 0 else 0
    return result


def value_at(values, place):
    inside = all(0 <= index < length for index, length in zip(place, values.shape, strict=True))
    return float(values[place]) if inside else -np.inf


def slow_maxima(contrast, scales, min_contrast):
    """Every maximum as (x, y, scale, contrast), the strongest first, one pixel at a time."""
    found = []
    steps = list(product((-1, 0, 1), repeat=3))
    for place in np.ndindex(contrast.shape):
        value = float(contrast[place])
        if value < min_contrast or place[0] in (0, len(contrast) - 1):
            continue
        around = [
            value_at(contrast, tuple(np.add(place, step).tolist()))
            for step in steps
            if step != (0, 0, 0)
        ]
        if max(around[:13]) >= value or max(around[13:]) > value:
            continue
        shift = []
        for axis in np.eye(3, dtype=int):
            a, c = (value_at(contrast, tuple((place + sign * axis).tolist())) for sign in (-1, 1))
            bend = a - 2 * value + c
            shift.append(0.0 if bend == 0 else (a - c) / (2 * bend))
        scale = scales[place[0]] * (scales[1] / scales[0]) ** shift[0]
        found.append((place[2] + shift[2], place[1] + shift[1], scale, value))
    return sorted(found, key=lambda one: -one[3])


def table(blobs):
    return np.stack([blobs.x, blobs.y, blobs.scale, blobs.contrast], axis=1)


class TestAgainstTheSlowReference:
    @pytest.mark.parametrize("seed", range(3))
    def test_the_response(self, seed):
        levels = scale_space(noise(seed=seed), SCALES)
        np.testing.assert_allclose(
            blob_contrast(levels, SCALES), slow_contrast(levels, SCALES), atol=2e-3
        )

    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("min_contrast", [0.01, 0.2])
    def test_the_maxima(self, seed, min_contrast):
        levels = scale_space(noise(seed=seed), SCALES)
        # From the same responses, since a maximum may hang on the last bit of one.
        slow = slow_maxima(blob_contrast(levels, SCALES), SCALES, min_contrast)
        fast = hessian_blobs(levels, SCALES, min_contrast=min_contrast, most=10_000)
        assert len(slow) > 3
        np.testing.assert_allclose(table(fast), slow, atol=2e-4)

    @pytest.mark.parametrize("period", [6, 7])
    def test_the_maxima_of_a_pattern_full_of_ties(self, period):
        dots = np.zeros((36, 36), np.uint8)
        dots[3::period, 3::period] = 255
        dots[4::period, 3::period] = 255  # the middle lies between two pixels
        levels = scale_space(dots, SCALES)
        contrast = blob_contrast(levels, SCALES)
        # Exact ties, as the blur leaves them within rounding only.
        levels = np.round(levels, 3)
        slow = slow_maxima(blob_contrast(levels, SCALES), SCALES, 0.05)
        fast = hessian_blobs(levels, SCALES, min_contrast=0.05, most=10_000)
        assert contrast.any()
        order, expected = (
            rows[np.lexsort(rows.T)] for rows in (table(fast).astype(float), np.array(slow))
        )
        np.testing.assert_allclose(order, expected, atol=2e-4)

    @pytest.mark.parametrize("most", [1, 4])
    def test_the_strongest_are_kept(self, most):
        levels = scale_space(noise(), SCALES)
        every = hessian_blobs(levels, SCALES, min_contrast=0.01, most=10_000)
        few = hessian_blobs(levels, SCALES, min_contrast=0.01, most=most)
        assert (np.diff(every.contrast) <= 0).all()
        np.testing.assert_array_equal(table(few), table(every)[:most])


class TestBlobs:
    @pytest.mark.parametrize("scale", [2.0, 3.3, 5.0, 8.0])
    @pytest.mark.parametrize(("x", "y"), [(48.0, 44.0), (50.3, 41.5)])
    @pytest.mark.parametrize("dark", [False, True])
    def test_place_scale_and_contrast_are_those_of_the_blob(self, scale, x, y, dark):
        image = blob(96, 100, x, y, scale)
        luma = as_bytes(0.9 - image if dark else 0.05 + image)
        levels = scale_space(luma, SCALES)
        found = hessian_blobs(levels, SCALES, min_contrast=0.2, most=10)
        assert len(found.x) == 1
        assert found.x[0] == pytest.approx(x, abs=0.15)
        assert found.y[0] == pytest.approx(y, abs=0.15)
        # The camera's blur is taken to be in the picture already.
        assert found.scale[0] == pytest.approx((scale**2 - 0.25) ** 0.5, rel=0.05)
        assert found.contrast[0] == pytest.approx(0.8, rel=0.12)

    def test_an_edge_and_a_saddle_are_none(self):
        step = np.zeros((64, 64), np.uint8)
        step[:, 32:] = 255
        rows, columns = np.indices((64, 64)) - 31.5
        saddle = as_bytes(0.5 + rows * columns / 3000)
        for luma in (step, saddle):
            levels = scale_space(luma, SCALES)
            assert not len(hessian_blobs(levels, SCALES, min_contrast=0.05, most=10).x)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 60), (60, 2), (2, 2)])
    def test_a_picture_too_small_for_neighbours_has_none(self, shape):
        found = hessian_blobs(
            scale_space(np.zeros(shape, np.uint8), SCALES), SCALES, min_contrast=0.05, most=10
        )
        assert table(found).shape == (0, 4)

    def test_too_few_scales_have_none(self):
        levels = scale_space(noise(), SCALES[:2])
        assert not len(hessian_blobs(levels, SCALES[:2], min_contrast=0.01, most=10).x)


class TestScaleSpace:
    def test_each_level_has_its_whole_blur(self):
        luma = noise(64, 64)
        levels = scale_space(luma, SCALES)
        for scale, level in zip(SCALES, levels, strict=True):
            direct = cv2.GaussianBlur(luma / 255, (0, 0), (scale**2 - 0.25) ** 0.5)
            inner = (slice(16, -16), slice(16, -16))
            # Both cut their kernels off; and at the border mirror different pictures.
            np.testing.assert_allclose(level[inner], direct[inner], atol=2e-3)

    def test_scales_are_in_equal_ratios_and_reach_both_ends(self):
        scales = scales_between(1.6, 12.8, 3)
        np.testing.assert_allclose(scales, 1.6 * 2 ** (np.arange(10) / 3))
        assert scales_between(2, 2, 3).tolist() == [2]
        assert scales_between(2, 2.1, 3)[-1] >= 2.1


class TestOrientations:
    @pytest.mark.parametrize("angle", [0, 30, 45, 90, 135, 200, 270, 359])
    def test_a_ramp_points_uphill(self, angle):
        rows, columns = np.indices((64, 64)) - 31.5
        turned = columns * np.cos(np.radians(angle)) + rows * np.sin(np.radians(angle))
        levels = scale_space(as_bytes(0.5 + turned / 120), SCALES)
        where = np.array([31.5], np.float32)
        (found,) = dominant_orientations(levels, SCALES, where, where, np.array([3], np.float32))
        assert 0 <= found < 360
        assert abs((found - angle + 180) % 360 - 180) < 2

    def test_no_gradient_gives_zero(self):
        levels = scale_space(np.full((32, 32), 9, np.uint8), SCALES)
        where = np.array([16], np.float32)
        assert dominant_orientations(levels, SCALES, where, where, where / 8).tolist() == [0]

    def test_no_keypoint_gives_none(self):
        nothing = np.empty(0, np.float32)
        levels = scale_space(noise(), SCALES)
        assert dominant_orientations(levels, SCALES, nothing, nothing, nothing).shape == (0,)

    def test_gradients_outside_the_picture_do_not_count(self):
        rows, columns = np.indices((64, 64))
        levels = scale_space(as_bytes(columns / 64 + 0 * rows), SCALES)
        x, y = np.array([1, 62], np.float32), np.array([1, 62], np.float32)
        found = dominant_orientations(levels, SCALES, x, y, np.array([4, 4], np.float32))
        assert ((found < 5) | (found > 355)).all()


def textured(seed=3):
    """Stretched blobs of several sizes and directions, well apart."""
    random = np.random.default_rng(seed)
    image = np.zeros((201, 201))
    for x in range(40, 180, 40):
        for y in range(40, 180, 40):
            image += blob(201, 201, x, y, random.uniform(3, 5), 0.6, random.uniform(0, 180), 1.5)
            image += blob(201, 201, x + random.uniform(4, 7), y, 2.5, 0.3)
    return as_bytes(image)


class TestHessianSift:
    def test_a_turned_picture_has_the_same_keypoints_and_descriptors(self):
        luma = textured()
        turned = np.ascontiguousarray(np.rot90(luma))
        similarities = {}
        for upright in (False, True):
            settings = HessianSift(min_contrast=0.1, upright=upright)
            before, after = (hessian_keypoints(one, settings) for one in (luma, turned))
            # Turned against the clock, (x, y) goes to (y, 200 - x).
            expected = np.stack([before.y, 200 - before.x, before.scale], axis=1)
            place = np.stack([after.x, after.y, after.scale], axis=1)
            gap = np.abs(expected[:, None] - place[None]).max(axis=2)
            partner = gap.argmin(axis=1)
            assert len(before) == len(after) > 20
            assert gap.min(axis=1).max() < 0.1
            descriptors = sift(luma, before, root=True), sift(turned, after, root=True)[partner]
            similarities[upright] = np.sum(np.multiply(*descriptors), axis=1)
            if not upright:
                turn = (before.angle - after.angle[partner]) % 360
                assert np.mean(np.abs(turn - 90) < 3) > 0.85
        assert np.mean(similarities[False] > 0.95) > 0.85
        assert np.mean(similarities[True] > 0.95) < 0.2

    def test_keypoints_keep_to_the_scales_that_are_asked_for(self):
        luma = noise(120, 120)
        found = hessian_keypoints(luma, HessianSift(first_scale=2, last_scale=6, min_contrast=0.01))
        assert len(found) > 20
        ratio = 2 ** (1 / 6)
        assert (found.scale >= 2 / ratio - 1e-3).all()
        assert (found.scale <= 6 * 2 ** (1 / 3) * ratio).all()
        assert (found.angle != 0).any()

    @pytest.mark.parametrize("value", [0, 128, 255])
    @pytest.mark.parametrize("shape", [(1, 1), (2, 50), (80, 80)])
    def test_a_plain_picture_has_no_descriptor(self, shape, value):
        plain = np.full((*shape, 3), value, np.uint8)
        assert HessianSift().describe(plain).shape == (0, 128)

    @pytest.mark.parametrize("upright", [False, True])
    def test_noise_is_defined(self, upright):
        picture = np.repeat(noise(70, 90)[..., None], 3, axis=2)
        descriptors = HessianSift(upright=upright, most=30).describe(picture)
        assert descriptors.shape == (30, 128)
        np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"first_scale": 0.5}, "first_scale must be at least 1 pixel, got 0.5"),
            ({"first_scale": float("nan")}, "first_scale must be at least 1 pixel"),
            ({"last_scale": 1.0}, r"last_scale must be in \[first_scale = 1.6, 256\], got 1.0"),
            ({"last_scale": 1e9}, "last_scale must be in"),
            ({"min_contrast": 0.0}, r"min_contrast must be in \(0, 1\], got 0.0"),
            ({"most": 0}, "most must be at least 1, got 0"),
        ],
    )
    def test_settings_that_find_nothing_are_refused(self, settings, message):
        with pytest.raises(ValueError, match=message):
            HessianSift(**settings)
