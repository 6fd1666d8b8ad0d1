"""Boxes: IoU against counted pixels, clipping, degenerate boxes; and suppression."""

import numpy as np
import pytest

from snapshelf.locating.boxes import (
    as_boxes,
    clip_boxes,
    empty_boxes,
    iou,
    picture_box,
    scale_boxes,
)
from snapshelf.locating.suppression import suppress


def counted_iou(first, second, side=24):
    """Count the pixels of boxes with whole corners."""

    def mask(box):
        y, x = np.mgrid[:side, :side]
        return (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])

    union = (mask(first) | mask(second)).sum()
    return (mask(first) & mask(second)).sum() / union if union else 0.0


def test_iou_counts_shared_pixels():
    rng = np.random.default_rng(5)
    # Corners in any order: many of the boxes have no area.
    boxes = rng.integers(0, 24, (60, 4)).astype(np.float32)
    found = iou(boxes[:40], boxes[40:])
    assert found.shape == (40, 20)
    assert found.dtype == np.float32
    for row in range(40):
        for column in range(20):
            expected = counted_iou(boxes[row], boxes[40 + column])
            assert found[row, column] == pytest.approx(expected, abs=1e-6)


def test_degenerate_boxes_overlap_nothing_not_even_themselves():
    boxes = as_boxes([[3, 3, 3, 9], [5, 5, 2, 2], [0, 0, 0, 0], [0, 0, 10, 10]])
    found = iou(boxes, boxes)
    assert found[3, 3] == 1
    found[3, 3] = 0
    assert not found.any()


def test_iou_of_huge_and_of_no_boxes():
    far = as_boxes([[1e7, 1e7, 1e7 + 64, 1e7 + 64]])
    assert iou(far, far)[0, 0] == 1
    assert iou(empty_boxes(), far).shape == (0, 1)
    assert iou(far, empty_boxes()).shape == (1, 0)


def test_boxes_are_cut_off_at_the_picture():
    clipped = clip_boxes(as_boxes([[-5, -5, 5, 5], [90, 40, 200, 60], [300, 0, 400, 9]]), (50, 100))
    assert clipped.tolist() == [[0, 0, 5, 5], [90, 40, 100, 50], [100, 0, 100, 9]]
    assert not iou(clipped[2:], picture_box((50, 100))).any()


def test_a_box_the_wrong_way_round_has_no_area_after_clipping():
    assert clip_boxes(as_boxes([[8, 8, 2, 3]]), (10, 10)).tolist() == [[8, 8, 8, 8]]


def test_boxes_follow_the_picture_to_another_size():
    scaled = scale_boxes(as_boxes([[0, 5, 10, 20]]), (40, 20), (80, 10))
    assert scaled.tolist() == [[0, 10, 5, 40]]


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([[1, 2, 3]], r"must be \(N, 4\), each x0, y0, x1, y1, got shape \(1, 3\)"),
        ([1, 2, 3, 4], r"got shape \(4,\)"),
        ([[0, 0, float("nan"), 1]], "must be finite"),
        ([[0, 0, float("inf"), 1]], "must be finite"),
    ],
)
def test_what_is_no_box_is_named(boxes, message):
    with pytest.raises(ValueError, match=message):
        as_boxes(boxes)


def test_no_boxes_are_boxes():
    assert as_boxes([]).shape == (0, 4)


def greedy(boxes, quality, overlap):
    """Suppress in the plainest way."""
    left = sorted(range(len(boxes)), key=lambda index: (-quality[index], index))
    kept = []
    for index in left:
        pairs = (iou(boxes[index][None], boxes[other][None])[0, 0] for other in kept)
        if all(pair <= overlap for pair in pairs):
            kept.append(index)
    return kept


def test_suppression_keeps_what_a_plain_loop_keeps():
    rng = np.random.default_rng(7)
    for _ in range(30):
        corner = rng.uniform(0, 50, (40, 2))
        boxes = np.concatenate([corner, corner + rng.uniform(0, 40, (40, 2))], 1).astype(np.float32)
        # Few values, so that there are ties; some are negative.
        quality = rng.integers(-3, 3, 40) / 2
        overlap = float(rng.uniform(0, 1))
        expected = greedy(boxes, quality, overlap)
        assert suppress(boxes, quality, overlap=overlap).tolist() == expected
        assert suppress(boxes, quality, overlap=overlap, most=3).tolist() == expected[:3]


def test_equal_boxes_leave_one():
    boxes = np.repeat(as_boxes([[0, 0, 5, 5]]), 4, axis=0)
    assert suppress(boxes, np.zeros(4), overlap=0.99).tolist() == [0]
    # An overlap of 1 is not larger than 1.
    assert len(suppress(boxes, np.zeros(4), overlap=1)) == 4
    assert suppress(empty_boxes(), np.zeros(0), overlap=0.5).shape == (0,)


@pytest.mark.parametrize(
    ("quality", "options", "message"),
    [
        ([0.0], {"overlap": 1.5}, r"overlap must be in \[0, 1\], got 1.5"),
        ([0.0], {"overlap": 0.5, "most": 0}, "most must be at least 1"),
        ([0.0, 1.0], {"overlap": 0.5}, r"quality must be \(1,\)"),
        ([float("nan")], {"overlap": 0.5}, "got NaN"),
    ],
)
def test_what_cannot_be_suppressed_by_is_named(quality, options, message):
    with pytest.raises(ValueError, match=message):
        suppress(as_boxes([[0, 0, 1, 1]]), np.array(quality), **options)
