"""Weak boxes: a shop picture pasted into a scene is found where it was pasted."""

import cv2
import numpy as np
import pytest

from snapshelf.datasets.product_saliency import best_box
from snapshelf.datasets.weak_boxes import weak_box
from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.plain_item import plain_item

RNG = np.random.default_rng(4)


@pytest.fixture
def shop():
    """A carton with a print, on white."""
    coarse = RNG.integers(0, 200, (18, 12, 3), np.uint8)
    picture = np.full((200, 160, 3), 255, np.uint8)
    picture[20:180, 30:130] = cv2.resize(coarse, (100, 160), interpolation=cv2.INTER_NEAREST)
    return picture


def scene(height=300, width=360):
    """A blurred clutter of greys."""
    coarse = RNG.integers(60, 200, (12, 14, 1), np.uint8).repeat(3, axis=2)
    return np.ascontiguousarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def overlap(found, expected):
    return float(iou(as_boxes([found.box]), as_boxes([expected]))[0, 0])


@pytest.mark.parametrize(
    "corners",
    [
        [(100, 60), (220, 70), (210, 260), (90, 250)],
        [(180, 40), (300, 90), (250, 240), (130, 190)],
    ],
)
def test_key_points_project_the_outline_of_the_item(shop, corners):
    own = np.float32([(30, 20), (130, 20), (130, 180), (30, 180)])
    mapping = cv2.getPerspectiveTransform(own, np.float32(corners))
    photo = scene()
    size = photo.shape[1::-1]
    item = np.zeros(shop.shape[:2], np.uint8)
    item[20:180, 30:130] = 255
    shown = cv2.warpPerspective(item, mapping, size) > 127
    photo[shown] = cv2.warpPerspective(shop, mapping, size)[shown]
    found = weak_box(photo, shop)
    assert found.source == "key points"
    assert 0.5 <= found.strength < 1
    rows, columns = np.nonzero(shown)
    expected = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert overlap(found, expected) > 0.8


def test_an_item_cut_off_by_the_photo_has_a_box_within_it(shop):
    photo = scene()
    photo[:160, :100] = shop[20:180, 30:130]
    cut = np.ascontiguousarray(photo[40:, 20:])
    found = weak_box(cut, shop)
    assert found.source == "key points"
    assert overlap(found, (0, 0, 80, 120)) > 0.8


def test_without_key_points_the_box_is_where_the_products_colour_is():
    shop = np.full((100, 100, 3), 255, np.uint8)
    cv2.circle(shop, (50, 50), 35, (200, 30, 30), -1)
    photo = np.full((200, 240, 3), (90, 110, 100), np.uint8)
    cv2.circle(photo, (130, 100), 50, (190, 40, 35), -1)
    found = weak_box(photo, shop)
    assert found.source == "saliency"
    assert overlap(found, (80, 50, 180, 150)) > 0.6
    assert 0 <= found.strength <= 1


@pytest.mark.parametrize("size", [(1, 1), (2, 300), (120, 90)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_photo_has_no_box(shop, size, level):
    assert weak_box(np.full((*size, 3), level, np.uint8), shop) is None


def test_a_photo_too_narrow_for_a_sound_box_has_none(shop):
    photo = np.ascontiguousarray(RNG.integers(0, 255, (3, 200, 3), np.uint8))
    found = weak_box(photo, shop)
    assert found is None or found.box[2] - found.box[0] <= 5 * 3


def test_a_tiny_or_blank_shop_picture_leaves_saliency():
    photo = scene()
    for shop in (np.full((1, 1, 3), 9, np.uint8), np.full((50, 40, 3), 255, np.uint8)):
        assert weak_box(photo, shop).source == "saliency"


def test_pictures_of_another_kind_are_refused(shop):
    with pytest.raises(ValueError, match="picture must be"):
        weak_box(scene(), shop[..., 0])


def test_white_within_an_item_stays_and_specks_go():
    picture = np.full((60, 60, 3), 250, np.uint8)
    picture[10:40, 10:40] = 20
    picture[20:30, 20:30] = 250
    picture[50, 50] = 0
    expected = np.zeros((60, 60), bool)
    expected[10:40, 10:40] = True
    assert (plain_item(picture) == expected).all()
    noise = RNG.integers(0, 255, (20, 20, 3), np.uint8)
    assert plain_item(noise).all()


def test_the_best_box_is_that_of_trying_each():
    for _ in range(30):
        weights = RNG.normal(size=(5, 7)).astype(np.float32)
        sums = {
            (x0, y0, x1, y1): float(weights[y0:y1, x0:x1].sum())
            for y0 in range(5)
            for y1 in range(y0 + 1, 6)
            for x0 in range(7)
            for x1 in range(x0 + 1, 8)
        }
        box, total = best_box(weights)
        assert box == max(sums, key=sums.get)
        assert total == pytest.approx(max(sums.values()), abs=1e-5)
