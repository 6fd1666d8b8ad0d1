"""SIFT at given keypoints: the right place, size and direction, and the grid of dense SIFT."""

import cv2
import numpy as np
import pytest

from snapshelf.features.classical.dense_sift import DenseSift, contrasts, dense_grid
from snapshelf.features.classical.keypoints import Keypoints
from snapshelf.features.classical.sift import _packed_octaves, grey, sift


def scene(height=128, width=128, seed=0, blur=2.0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), blur), None, 0, 255, cv2.NORM_MINMAX)


def points(*rows):
    x, y, scale, angle = np.array(rows, np.float32).T
    return Keypoints(x, y, scale, angle)


def picture(luma):
    return np.repeat(luma[..., None], 3, axis=2)


class TestSift:
    @pytest.mark.parametrize("root", [False, True])
    def test_descriptors_are_of_the_stated_form_and_in_the_keypoints_order(self, root):
        luma = scene()
        rows = [
            (40, 50, 4, 0),
            (90, 30, 1.2, 200),
            (-3, -3, 9, 0),
            (64, 64, 16, 90),
            (40, 50, 4, 0),
        ]
        together = sift(luma, points(*rows), root=root)
        assert together.shape == (5, 128)
        assert together.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
        np.testing.assert_array_equal(together[0], together[4])
        for row, descriptor in zip(rows, together, strict=True):
            # The pyramid has other octaves then, but the patch is the same.
            alone = sift(luma, points(row), root=root)[0]
            assert alone @ descriptor > 0.995

    def test_root_is_the_square_root_of_the_l1_normalised(self):
        luma, keypoints = scene(), points((40, 50, 4, 0), (90, 30, 2, 200))
        plain = sift(luma, keypoints, root=False)
        expected = np.sqrt(plain / plain.sum(axis=1, keepdims=True))
        np.testing.assert_allclose(sift(luma, keypoints, root=True), expected, atol=1e-6)

    @pytest.mark.parametrize("root", [False, True])
    def test_a_patch_without_gradient_is_zero(self, root):
        flat = np.full((60, 60), 200, np.uint8)
        assert not sift(flat, points((30, 30, 3, 0)), root=root).any()

    def test_no_keypoint_gives_no_descriptor(self):
        nothing = np.empty(0, np.float32)
        none = Keypoints(nothing, nothing, nothing, nothing)
        assert sift(scene(), none, root=True).shape == (0, 128)

    def test_the_angle_turns_clockwise_with_the_picture(self):
        luma = scene(129, 129)
        upright = sift(luma, points((64, 64, 4, 0), (50, 70, 3, 0)), root=True)
        turned = cv2.rotate(luma, cv2.ROTATE_90_CLOCKWISE)
        # (x, y) goes to (128 - y, x).
        same = sift(turned, points((64, 64, 4, 90), (58, 50, 3, 90)), root=True)
        wrong = sift(turned, points((64, 64, 4, 270), (58, 50, 3, 270)), root=True)
        assert (np.sum(upright * same, axis=1) > 0.99).all()
        assert (np.sum(upright * wrong, axis=1) < 0.9).all()

    def test_the_scale_grows_with_the_picture(self):
        small = scene(96, 96, blur=3)
        large = cv2.resize(small, (192, 192), interpolation=cv2.INTER_CUBIC)
        place, twice = points((48, 40, 3, 0)), points((96.5, 80.5, 6, 0))
        as_small, as_large = (
            sift(luma, keypoints, root=True)[0]
            for luma, keypoints in ((small, place), (large, twice))
        )
        assert as_small @ as_large > 0.98
        assert as_small @ sift(large, points((96.5, 80.5, 3, 0)), root=True)[0] < 0.95

    def test_each_patch_is_twelve_scales_wide(self):
        # Far from the patch the picture may change at will.
        luma = scene(200, 200)
        keypoints = points((100, 100, 4, 0))
        before = sift(luma, keypoints, root=True)
        changed = luma.copy()
        far = np.maximum(*np.abs(np.indices(luma.shape) - 100)) > 48
        changed[far] = 0
        np.testing.assert_allclose(sift(changed, keypoints, root=True), before, atol=0.02)
        near = np.maximum(*np.abs(np.indices(luma.shape) - 100)) > 15
        changed[near] = 0
        assert (sift(changed, keypoints, root=True) @ before.T).item() < 0.9

    def test_the_layer_has_the_blur_nearest_to_the_scale(self):
        scales = np.geomspace(0.4, 40, 60).astype(np.float32)
        packed = _packed_octaves(scales)
        octave, layer = packed & 255, packed >> 8
        blur = 1.6 * 2.0 ** (octave + layer / 3)
        assert ((layer >= 1) | (octave == 0)).all()
        assert (layer <= 3).all()
        large = scales >= 1.6
        ratio = np.abs(np.log2(blur[large] / scales[large]))
        assert (ratio <= 1 / 6 + 1e-3).all()
        np.testing.assert_allclose(blur[scales < 1.6 * 2 ** (-1 / 6)], 1.6)


class TestGrey:
    def test_it_is_luma_of_rgb(self):
        red = np.zeros((2, 2, 3), np.uint8)
        red[..., 0] = 255
        assert (grey(red) == 76).all()

    @pytest.mark.parametrize(
        "bad",
        [
            np.zeros((4, 4), np.uint8),
            np.zeros((4, 4, 4), np.uint8),
            np.zeros((0, 4, 3), np.uint8),
            np.zeros((4, 4, 3), np.float32),
        ],
    )
    def test_what_is_no_picture_is_refused(self, bad):
        with pytest.raises(ValueError, match=r"picture must be \(H, W, 3\) uint8"):
            grey(bad)


class TestKeypoints:
    def test_arrays_of_different_length_are_refused(self):
        three, two = np.ones(3, np.float32), np.ones(2, np.float32)
        with pytest.raises(ValueError, match=r"must be \(N,\) each"):
            Keypoints(three, three, two, three)

    def test_a_scale_of_zero_is_refused(self):
        one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
        with pytest.raises(ValueError, match="scale must be above 0"):
            Keypoints(one, one, zero, one)


class TestDenseSift:
    @pytest.mark.parametrize("size", [(40, 40), (41, 67), (16, 90)])
    @pytest.mark.parametrize("step", [1, 5, 100])
    def test_the_grid_is_regular_inside_and_in_the_middle(self, size, step):
        grid = dense_grid(size, step, (8, 16, 33))
        expected = []
        for side in (8, 16, 33):
            if side > min(size):
                continue
            rows, columns = (range(0, length - side + 1, step) for length in size)
            down = (size[0] - side - rows[-1]) // 2
            right = (size[1] - side - columns[-1]) // 2
            expected += [(x + right, y + down, side) for y in rows for x in columns]
        assert [tuple(row) for row in grid.tolist()] == expected

    def test_contrast_is_each_patchs_standard_deviation(self):
        luma = scene(50, 60)
        grid = dense_grid(luma.shape, 7, (8, 20))
        slow = [luma[y : y + side, x : x + side].std() for x, y, side in grid]
        np.testing.assert_allclose(contrasts(luma, grid), slow, rtol=1e-9)

    def test_each_descriptor_is_of_its_patch(self):
        luma = scene(64, 64)
        settings = DenseSift(step=16, patches=(24, 48), min_contrast=0)
        descriptors = settings.describe(picture(luma))
        grid = dense_grid((64, 64), 16, (24, 48))
        assert len(descriptors) == len(grid)
        for (left, top, side), descriptor in zip(grid, descriptors, strict=True):
            middle = (left + (side - 1) / 2, top + (side - 1) / 2)
            expected = sift(luma, points((*middle, side / 12, 0)), root=True)[0]
            assert expected @ descriptor > 0.995

    def test_plain_patches_are_left_out(self):
        luma = np.full((96, 96), 255, np.uint8)
        luma[:, 48:] = scene(96, 48)
        noisy = np.clip(luma.astype(int) - (np.indices(luma.shape).sum(0) % 2), 0, 255)
        settings = DenseSift(step=8, patches=(16,), min_contrast=4)
        everything = DenseSift(step=8, patches=(16,), min_contrast=0)
        few = settings.describe(picture(noisy.astype(np.uint8)))
        every = everything.describe(picture(noisy.astype(np.uint8)))
        # Of the 11 columns of patches, those of x = 0 to 32 are plain.
        assert len(every) == 121
        assert len(few) == 11 * 6

    @pytest.mark.parametrize("value", [0, 255])
    def test_a_plain_picture_has_no_descriptor(self, value):
        plain = np.full((80, 80, 3), value, np.uint8)
        assert DenseSift().describe(plain).shape == (0, 128)

    @pytest.mark.parametrize("shape", [(1, 1), (1, 200), (15, 15)])
    def test_a_picture_smaller_than_every_patch_has_no_descriptor(self, shape):
        noise = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
        assert DenseSift().describe(noise).shape == (0, 128)

    @pytest.mark.parametrize(
        ("settings", "message"),
        [
            ({"step": 0}, "step must be at least 1 pixel, got 0"),
            ({"patches": ()}, "patches must be sizes of at least 4"),
            ({"patches": (16, 3)}, "patches must be sizes of at least 4"),
            ({"min_contrast": -1.0}, "min_contrast must be at least 0, got -1"),
            ({"min_contrast": float("nan")}, "min_contrast must be at least 0, got nan"),
        ],
    )
    def test_settings_that_describe_nothing_are_refused(self, settings, message):
        with pytest.raises(ValueError, match=message):
            DenseSift(**settings)
