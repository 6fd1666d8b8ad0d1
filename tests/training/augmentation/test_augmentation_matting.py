"""Mattes: exact where the truth is known, all ones where nothing can be told."""

import threading

import cv2
import numpy as np
import pytest

from snapshelf.training.augmentation.matting import alpha_matte, plain_background


def ellipse(size=(160, 200), axes=(60, 45), slack=8):
    """An ellipse's coverage, drawn large and averaged down: (H, W) float32."""
    big = np.zeros((size[0] * slack, size[1] * slack), np.float32)
    centre = (size[1] * slack // 2, size[0] * slack // 2)
    cv2.ellipse(big, centre, (axes[0] * slack, axes[1] * slack), 20, 0, 360, 1.0, -1)
    return cv2.resize(big, size[::-1], interpolation=cv2.INTER_AREA)


def blended(truth, item, background):
    picture = truth[..., None] * item + (1 - truth[..., None]) * background
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def overlap(matte, truth):
    """Intersection over union of soft masks."""
    return np.minimum(matte, truth).sum() / np.maximum(matte, truth).sum()


def as_jpeg(picture, quality):
    stored = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(stored, cv2.IMREAD_COLOR)


@pytest.mark.parametrize("background", [(255, 255, 255), (230, 230, 228), (20, 20, 20)])
@pytest.mark.parametrize("item", [(180, 30, 40), (60, 140, 90), (120, 120, 120)])
def test_an_item_on_a_plain_background_is_cut_out_to_a_fraction_of_a_pixel(item, background):
    truth = ellipse()
    matte = alpha_matte(blended(truth, np.array(item), np.array(background)))
    assert overlap(matte, truth) > 0.99
    assert np.abs(matte - truth).max() < 0.35
    assert matte[0, 0] == 0
    assert matte[80, 100] == 1


# Below quality 75 the ringing around an edge is as strong, and reaches as far, as the off-white of
# a carton differs from the white behind it. A flood that passed through it would reach 0.99 here
# at quality 50, and eat real cartons; the matte keeps a rim of noise instead.
@pytest.mark.parametrize(("quality", "least"), [(95, 0.99), (75, 0.97), (50, 0.95)])
def test_jpeg_noise_is_no_part_of_the_item(quality, least):
    truth = ellipse()
    picture = as_jpeg(blended(truth, np.array((30, 60, 170)), np.full(3, 255)), quality)
    assert overlap(alpha_matte(picture), truth) > least


@pytest.mark.parametrize("level", [(250, 250, 242), (247, 247, 247), (240, 240, 240)])
def test_a_white_carton_with_dark_print_stays_whole(level):
    picture = np.full((220, 200, 3), 255, np.uint8)
    truth = np.zeros(picture.shape[:2], np.float32)
    truth[30:190, 50:150] = 1
    picture[truth == 1] = level
    for row in range(50, 180, 24):
        cv2.putText(picture, "HAVRE GURT", (56, row), 0, 0.42, (30, 40, 60), 1, cv2.LINE_AA)
    matte = alpha_matte(picture)
    # The rim is rough by a pixel or two, being barely darker than the background.
    assert overlap(matte, truth) > 0.89
    assert matte[36:184, 56:144].min() == 1


# A steeper shadow stays: it can't be told from the shade on a carton that is nearly white.
@pytest.mark.parametrize(("depth", "softness"), [(30, 12), (40, 12), (60, 16)])
def test_a_soft_shadow_is_no_part_of_the_item(depth, softness):
    truth = ellipse()
    shadow = cv2.GaussianBlur(np.roll(truth, (22, 6), (0, 1)), (0, 0), softness)
    ground = 255 - depth * shadow[..., None] * np.ones(3)
    matte = alpha_matte(blended(truth, np.array((170, 60, 30)), ground))
    assert overlap(matte, truth) > 0.97


def test_white_inside_the_item_stays():
    truth = ellipse()
    picture = blended(truth, np.array((30, 90, 160)), np.full(3, 255))
    picture[70:90, 85:115] = 255
    assert overlap(alpha_matte(picture), truth) > 0.98


def test_a_hair_of_a_gap_does_not_let_the_background_in():
    picture = np.full((240, 240, 3), 255, np.uint8)
    picture[60:180, 60:180] = (200, 40, 40)
    picture[70:170, 70:170] = 255
    picture[60:70, 119:121] = 255
    matte = alpha_matte(picture)
    assert matte[120, 120] == 1
    assert matte[30, 30] == 0


def test_specks_of_dust_are_dropped():
    truth = ellipse()
    picture = blended(truth, np.array((30, 90, 160)), np.full(3, 255))
    picture[10:12, 10:12] = 60
    assert alpha_matte(picture)[5:18, 5:18].max() == 0


def test_without_a_plain_border_colour_and_place_tell_the_item():
    rng = np.random.default_rng(3)
    ground = np.empty((160, 200, 3))
    ground[:, :100], ground[:, 100:] = (60, 110, 60), (120, 150, 80)
    ground += rng.normal(0, 12, ground.shape)
    truth = ellipse()
    picture = blended(truth, np.array((200, 40, 60)), ground)
    assert plain_background(picture) is None
    assert overlap(alpha_matte(picture), truth) > 0.95


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_picture_of_one_colour_has_no_item(level):
    assert (alpha_matte(np.full((60, 80, 3), level, np.uint8)) == 1).all()


def test_noise_has_no_background():
    noise = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    matte = alpha_matte(noise)
    covered = matte.mean()
    assert covered == 1 or 0.03 <= covered <= 0.97


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 2), (5, 9), (3, 700)])
@pytest.mark.parametrize("kind", ["white", "noise", "item"])
def test_any_size_gives_a_matte_of_that_size(shape, kind):
    picture = np.full((*shape, 3), 255, np.uint8)
    if kind == "noise":
        picture[:] = np.random.default_rng(1).integers(0, 256, picture.shape)
    if kind == "item":
        picture[shape[0] // 3 : -(-2 * shape[0] // 3), shape[1] // 3 : 2 * shape[1] // 3] = 40
    matte = alpha_matte(picture)
    assert (matte.shape, matte.dtype) == (shape, np.float32)
    assert 0 <= matte.min() <= matte.max() <= 1


def test_the_matte_is_the_same_whatever_was_drawn_before_and_in_any_thread():
    rng = np.random.default_rng(5)
    picture = rng.integers(0, 256, (120, 90, 3), dtype=np.uint8)
    picture[40:80, 30:60] = (200, 30, 30)
    assert plain_background(picture) is None
    first = alpha_matte(picture)
    cv2.setRNGSeed(12345)
    assert np.array_equal(alpha_matte(picture), first)
    others = []
    threads = [threading.Thread(target=lambda: others.append(alpha_matte(picture))) for _ in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(others) == 2
    assert all(np.array_equal(other, first) for other in others)


def test_the_picture_is_left_as_it_is():
    picture = blended(ellipse(), np.array((30, 90, 160)), np.full(3, 255))
    before = picture.copy()
    alpha_matte(picture)
    assert np.array_equal(picture, before)


@pytest.mark.data
def test_real_shop_pictures_are_all_cut_out(data_dir):
    files = sorted(data_dir.glob("grocery/iconic-images-and-descriptions/**/*.jpg"))[::8]
    assert files
    for file in files:
        matte = alpha_matte(cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB))
        assert 0.05 < matte.mean() < 0.9, file
