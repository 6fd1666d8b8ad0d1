"""Average precision against the area under the curve, counted step by step."""

import math

import numpy as np
import pytest

from snapshelf.evaluation.average_precision import average_precision, mean_average_precision
from snapshelf.locating.region import Region


def covers(first, second):
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0) * max(height, 0)
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)) - shared
    return shared / area


def slow(found, objects, label, overlap):
    every = [
        (-region.confidence, picture, region.box)
        for picture, some in enumerate(found)
        for region in some
        if region.label == label
    ]
    every.sort(key=lambda each: each[0])
    wanted = [[r.box for r in some if r.label == label] for some in objects]
    total = sum(map(len, wanted))
    taken, points, hits = set(), [], 0
    for count, (_, picture, box) in enumerate(every, start=1):
        overlaps = [covers(box, other) for other in wanted[picture]]
        if overlaps and max(overlaps) >= overlap:
            best = (picture, overlaps.index(max(overlaps)))
            if best not in taken:
                taken.add(best)
                hits += 1
        points.append((hits / total, hits / count))
    area, before = 0.0, 0.0
    for number, (recall, _) in enumerate(points):
        area += (recall - before) * max(precision for _, precision in points[number:])
        before = recall
    return area


def test_it_is_the_area_under_the_curve():
    rng = np.random.default_rng(0)

    def region():
        x, y = rng.integers(0, 4, 2)
        name = ("bag", "hat")[rng.integers(2)]
        confidence = float(rng.integers(0, 6)) / 5
        return Region((x, y, x + rng.integers(5, 10), y + rng.integers(5, 10)), name, confidence)

    found = [[region() for _ in range(rng.integers(0, 9))] for _ in range(20)]
    objects = [[region() for _ in range(rng.integers(0, 4))] for _ in range(20)]
    for overlap in (0.3, 0.5):
        expected = [slow(found, objects, label, overlap) for label in ("bag", "hat")]
        assert 0 < min(expected) < 1
        for label, value in zip(("bag", "hat"), expected, strict=True):
            assert average_precision(found, objects, label, overlap=overlap) == pytest.approx(value)
        assert mean_average_precision(found, objects, overlap=overlap) == pytest.approx(
            np.mean(expected)
        )


BAG = Region((0, 0, 10, 10), "bag", 0.9)


def test_an_object_that_is_found_twice_counts_once():
    again = Region((0, 0, 10, 10), "bag", 0.95)
    assert average_precision([[BAG, again]], [[BAG]], "bag") == 1
    assert average_precision([[Region((50, 50, 60, 60), "bag", 1.0), BAG]], [[BAG]], "bag") == 0.5
    # In another picture, or of another class, it is not the same.
    assert average_precision([[], [BAG]], [[BAG], []], "bag") == 0
    assert average_precision([[Region(BAG.box, "hat")]], [[BAG]], "bag") == 0


def test_an_overlap_of_exactly_the_level_is_enough():
    half = Region((0, 0, 10, 5), "bag")
    assert average_precision([[half]], [[BAG]], "bag") == 1
    assert average_precision([[half]], [[BAG]], "bag", overlap=0.51) == 0


def test_without_objects_there_is_no_figure():
    assert math.isnan(average_precision([[BAG]], [[]], "bag"))
    assert math.isnan(mean_average_precision([], []))
    assert average_precision([[]], [[BAG]], "bag") == 0
    # A class that no object has does not count.
    assert mean_average_precision([[BAG, Region((0, 0, 3, 3), "hat")]], [[BAG]]) == 1


def test_what_cannot_be_measured_is_named():
    with pytest.raises(ValueError, match="same pictures, got 1 and 0"):
        average_precision([[]], [], "bag")
    with pytest.raises(ValueError, match=r"overlap must be in \(0, 1\]"):
        average_precision([[]], [[]], "bag", overlap=0)
