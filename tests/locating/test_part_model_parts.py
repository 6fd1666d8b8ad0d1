"""The parts of a part model: always so many, those of the best detection, else a grid."""

import numpy as np
import pytest

from snapshelf.locating.grid_parts import GridParts
from snapshelf.locating.part_model import Component, PartModel
from snapshelf.locating.part_model_detection import detect_parts
from snapshelf.locating.part_model_parts import PartModelParts


@pytest.fixture
def model(random_model):
    """A model whose only component has so many parts."""

    def make(seed=0, parts=2):
        whole = random_model(seed, parts=parts)
        return PartModel(whole.components[:1], whole.pyramid)

    return make


def noise(seed=0, size=(70, 90)):
    return np.random.default_rng(seed).integers(0, 255, (*size, 3)).astype(np.uint8)


def test_the_parts_are_those_of_the_best_detection(model):
    parts, picture = PartModelParts(model(3), threshold=-np.inf), noise(1)
    every = detect_parts(model(3), picture, threshold=-np.inf, most=50)
    best = max(every, key=lambda detection: detection.score)
    assert parts(picture) == best.parts
    assert len(best.parts) == parts.count == 2


@pytest.mark.parametrize(("count", "grid"), [(1, (1, 1)), (2, (2, 1)), (3, (3, 1))])
def test_a_grid_of_as_many_where_nothing_is_detected(model, count, grid):
    parts = PartModelParts(model(parts=count), threshold=np.inf)
    for picture in (noise(), np.full((40, 60, 3), 255, np.uint8), noise(size=(1, 1))):
        assert parts(picture) == GridParts(*grid)(picture)
        assert len(parts(picture)) == parts.count == count


def test_six_parts_are_three_rows_of_two(model):
    component = model(parts=2).components[0]
    six = PartModel((Component(component.root, 0.0, component.parts * 3),))
    assert PartModelParts(six, threshold=np.inf)(noise()) == GridParts(3, 2)(noise())


def test_a_picture_of_one_pixel_has_parts(model):
    assert len(PartModelParts(model())(noise(size=(1, 1)))) == 2


def test_the_fingerprint_tells_of_model_and_threshold(model):
    fingerprint = PartModelParts(model()).fingerprint
    assert PartModelParts(model()).fingerprint == fingerprint
    assert PartModelParts(model(1)).fingerprint != fingerprint
    assert PartModelParts(model(), threshold=0.0).fingerprint != fingerprint


def test_components_of_other_numbers_of_parts_are_refused(random_model, model):
    with pytest.raises(ValueError, match="same number of parts, at least 1, got 2, 0"):
        PartModelParts(random_model())
    with pytest.raises(ValueError, match="at least 1, got 0"):
        PartModelParts(model(parts=0))
