"""Recall of objects and right first boxes, against counting by hand."""

import math

import numpy as np
import pytest

from snapshelf.evaluation.locating import first_right, object_recall
from snapshelf.locating.boxes import as_boxes, empty_boxes, iou


def test_both_are_what_a_loop_counts():
    rng = np.random.default_rng(0)

    def boxes(count):
        corner = rng.uniform(0, 40, (count, 2))
        return as_boxes(np.concatenate([corner, corner + rng.uniform(10, 40, (count, 2))], axis=1))

    found = [boxes(int(count)) if count else empty_boxes() for count in rng.integers(0, 9, 30)]
    objects = [boxes(int(count)) if count else empty_boxes() for count in rng.integers(0, 4, 30)]
    for first in (1, 3, None):
        covered = total = 0
        for mine, wanted in zip(found, objects, strict=True):
            for each in wanted:
                total += 1
                covered += any(iou(box[None], each[None])[0, 0] >= 0.4 for box in mine[:first])
        recall = object_recall(found, objects, first=first, overlap=0.4)
        assert recall == pytest.approx(covered / total)
    right = [
        len(mine) > 0 and iou(mine[:1], wanted).max() >= 0.4
        for mine, wanted in zip(found, objects, strict=True)
        if len(wanted)
    ]
    assert first_right(found, objects, overlap=0.4) == pytest.approx(sum(right) / len(right))


def test_an_overlap_of_exactly_the_level_covers():
    half, whole = [as_boxes([[0, 0, 10, 5]])], [as_boxes([[0, 0, 10, 10]])]
    assert object_recall(half, whole) == first_right(half, whole) == 1
    assert object_recall(half, whole, overlap=0.51) == first_right(half, whole, overlap=0.51) == 0


def test_without_an_object_there_is_no_figure():
    assert math.isnan(object_recall([as_boxes([[0, 0, 1, 1]])], [empty_boxes()]))
    assert math.isnan(first_right([as_boxes([[0, 0, 1, 1]])], [empty_boxes()]))
    assert math.isnan(object_recall([], []))
    assert object_recall([empty_boxes()], [as_boxes([[0, 0, 1, 1]])]) == 0
    assert first_right([empty_boxes()], [as_boxes([[0, 0, 1, 1]])]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overlap": 0}, r"overlap must be in \(0, 1\]"),
        ({"first": 0}, "first must be at least 1"),
        ({"objects": []}, "of the same pictures, got 1 and 0"),
    ],
)
def test_what_cannot_be_measured_is_named(options, message):
    arguments = {"found": [empty_boxes()], "objects": [empty_boxes()], **options}
    with pytest.raises(ValueError, match=message):
        object_recall(**arguments)
