"""Light, blur, compression and reflections: nothing at strength 0, and what they promise at 1."""

import cv2
import numpy as np
import pytest
from augmentation_pictures import photo

from snapshelf.training.augmentation.blur import focus_blur, motion_blur
from snapshelf.training.augmentation.compression import jpeg
from snapshelf.training.augmentation.light import cast_shadow, exposure, side_light
from snapshelf.training.augmentation.reflections import glass, shelf_glare, streaks


def mirror_room(picture, rng, strength):
    return glass(picture, rng, strength, room=np.full_like(picture, 230))


EFFECTS = {
    "exposure": exposure,
    "side_light": side_light,
    "cast_shadow": cast_shadow,
    "motion_blur": motion_blur,
    "focus_blur": focus_blur,
    "jpeg": jpeg,
    "streaks": streaks,
    "glass": mirror_room,
    "shelf_glare": shelf_glare,
}


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", EFFECTS)
def test_strength_0_changes_nothing(name):
    picture = photo().picture
    for seed in range(5):
        assert np.array_equal(EFFECTS[name](picture, rng(seed), 0.0), picture)


@pytest.mark.parametrize("name", EFFECTS)
def test_strength_1_changes_something_leaves_the_input_and_is_the_same_again(name):
    picture = photo().picture
    before = picture.copy()
    found = [EFFECTS[name](picture, rng(seed), 1.0) for seed in range(5)]
    again = [EFFECTS[name](picture, rng(seed), 1.0) for seed in range(5)]
    assert np.array_equal(picture, before)
    for one, two in zip(found, again, strict=True):
        assert (one.shape, one.dtype) == (picture.shape, np.uint8)
        assert np.array_equal(one, two)
        assert not np.array_equal(one, picture)
    assert len({one.tobytes() for one in found}) == 5


@pytest.mark.parametrize("name", EFFECTS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 700), (700, 1), (2, 3)])
def test_any_size(name, shape):
    picture = rng(1).integers(0, 256, (*shape, 3), np.uint8)
    for seed in range(3):
        found = EFFECTS[name](picture, rng(seed), 1.0)
        assert (found.shape, found.dtype) == (picture.shape, np.uint8)


def test_exposure_follows_its_equation():
    picture = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    for seed in range(60):
        strength = (seed % 10 + 1) / 10
        gain, gamma, contrast, warm, green = rng(seed).uniform(-1, 1, 5) * strength
        expected = np.empty((256, 3))
        for level in range(256):
            value = min(max(0.5 + np.exp(0.25 * contrast) * (level / 255 - 0.5), 0), 1)
            value **= np.exp(0.35 * gamma)
            value *= np.exp(0.3 * gain - 0.08 * strength)
            for channel, cast in enumerate((0.2 * warm, 0.07 * green, -0.2 * warm)):
                expected[level, channel] = min(value * np.exp(cast), 1)
        found = exposure(picture, rng(seed), strength)[0]
        assert np.abs(found - 255 * expected).max() <= 0.51


def test_no_exposure_takes_more_than_half_of_a_mid_grey():
    class Darkest:
        """Draws the least gain and the most gamma."""

        def uniform(self, low, high, count):
            return np.array([low, high, low, 0.0, 0.0])

    grey = np.full((1, 1, 3), 128, np.uint8)
    assert 64 <= exposure(grey, Darkest(), 1.0).min() < 70


def test_shadows_only_darken_and_keep_more_than_half_of_the_light():
    white = np.full((64, 48, 3), 200, np.uint8)
    for seed in range(30):
        shadowed = cast_shadow(white, rng(seed), 1.0)
        assert 0.44 * 200 < shadowed.min() < 199
        assert shadowed.max() <= 200
        # A soft edge: no two neighbours differ by a visible step.
        assert np.abs(np.diff(shadowed.astype(int), axis=0)).max() < 30


def test_side_light_falls_off_across_the_picture():
    white = np.full((64, 64, 3), 160, np.uint8)
    for seed in range(20):
        lit = side_light(white, rng(seed), 1.0)[..., 0].astype(float)
        assert lit.max() - lit.min() > 0.1 * 160
        assert lit.min() > 0.4 * 160
        # Linear along one direction: opposite corners have the same mean.
        assert abs(lit[0, 0] + lit[-1, -1] - lit[0, -1] - lit[-1, 0]) <= 4


def test_side_light_of_a_layer_keeps_alpha_and_stays_premultiplied():
    alpha = rng().integers(0, 256, (40, 30), np.uint8)
    layer = np.dstack([*(cv2.multiply(alpha, 0.9) for _ in range(3)), alpha])
    for seed in range(10):
        lit = side_light(layer, rng(seed), 1.0)
        assert np.array_equal(lit[..., 3], alpha)
        assert (lit[..., :3] <= alpha[..., None]).all()


@pytest.mark.parametrize("blur", [motion_blur, focus_blur])
def test_blur_keeps_the_light_and_spreads_a_point_no_farther_than_it_says(blur):
    reach = {motion_blur: 160 / 16 / 2, focus_blur: 160 / 50}[blur]
    point = np.zeros((160, 160, 3), np.uint8)
    point[80, 80] = 255
    y, x = np.mgrid[:160, :160]
    far = np.hypot(y - 80, x - 80) > reach + 1.5
    for seed in range(20):
        spread = blur(point, rng(seed), 1.0)
        assert spread[far].max() == 0
        assert spread.max() < 255
        flat = np.full((20, 30, 3), 77, np.uint8)
        assert np.array_equal(blur(flat, rng(seed), 1.0), flat)


def test_motion_blurs_along_a_line_and_focus_in_all_directions():
    point = np.zeros((161, 161, 3), np.uint8)
    point[80, 80] = 255
    y, x = np.mgrid[-80:81, -80:81]

    def extents(blur, seed):
        weights = blur(point, rng(seed), 1.0)[..., 0].astype(float)
        spread = np.cov(np.stack([x.ravel(), y.ravel()]), aweights=weights.ravel() + 1e-12)
        return np.sqrt(np.linalg.eigvalsh(spread))

    for seed in range(10):
        short, long = extents(motion_blur, seed)
        assert long > 2 * short
        short, long = extents(focus_blur, seed)
        assert long < 1.1 * short


def test_compression_is_worse_at_full_strength():
    noise = rng(3).integers(0, 256, (64, 64, 3), np.uint8)

    def loss(strength):
        saved = [jpeg(noise, rng(seed), strength).astype(int) for seed in range(8)]
        return np.mean([np.abs(each - noise).mean() for each in saved])

    assert 0 < loss(0.1) < loss(0.5) < loss(1.0)


def test_compression_keeps_the_order_of_the_channels():
    red = np.full((16, 16, 3), (200, 40, 20), np.uint8)
    assert np.abs(jpeg(red, rng(), 0.2).astype(int) - red).max() < 12


def test_what_jpeg_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="at most 65,535 pixels"):
        jpeg(np.zeros((1, 65_536, 3), np.uint8), rng(), 1.0)


@pytest.mark.parametrize("name", ["streaks", "glass", "shelf_glare"])
def test_reflections_only_brighten(name):
    picture = photo().picture
    for seed in range(10):
        found = EFFECTS[name](picture, rng(seed), 1.0).astype(int)
        assert (found - picture).min() >= -1
        assert (found - picture).max() > 5


def test_streaks_and_glare_leave_most_of_the_picture():
    picture = np.full((96, 96, 3), 100, np.uint8)
    for effect in (streaks, shelf_glare):
        for seed in range(20):
            changed = (effect(picture, rng(seed), 1.0) > 130).any(axis=2)
            assert changed.mean() < 0.3


def test_glass_reflects_the_room_and_wants_one_of_the_same_size():
    picture = np.full((60, 60, 3), 60, np.uint8)
    room = np.zeros_like(picture)
    room[:, 30:] = (0, 0, 250)
    found = glass(picture, rng(2), 1.0, room=room).astype(int)
    assert (found[..., :2] <= 61).all()
    assert found[:, 40:, 2].max() > 80
    with pytest.raises(ValueError, match="room must be of the picture's shape"):
        glass(picture, rng(), 1.0, room=room[:-1])
