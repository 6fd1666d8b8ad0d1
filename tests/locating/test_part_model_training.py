"""Latent training: its steps against references, and whether drawn objects are learned."""

import numpy as np
import pytest

from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.example_mining import MARGIN, mine_examples
from snapshelf.locating.feature_pyramid import PyramidSettings, feature_pyramid
from snapshelf.locating.latent_examples import (
    component_vector,
    component_with,
    example,
    weights_prior,
)
from snapshelf.locating.part_initialisation import aspect_clusters, place_parts, root_size
from snapshelf.locating.part_model import Component, PartModel
from snapshelf.locating.part_model_detection import detect_parts
from snapshelf.locating.part_model_settings import PartModelSettings
from snapshelf.locating.part_scores import score_level

pytest.importorskip("scipy")

from snapshelf.locating.margin_fitting import Prior, fit_margin
from snapshelf.locating.part_model_training import train_part_model


def test_a_placed_object_scores_as_its_features_say(random_model, draw):
    model = random_model(parts=3)
    for level in feature_pyramid(draw(0).pixels, model.pyramid):
        scored = score_level(model, level)
        for number, component in enumerate(model.components):
            weights = component_vector(component)
            rows, columns = scored.scores[number].shape
            for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 3)):
                features = example(scored, component, number, row, column)
                assert weights @ features == pytest.approx(
                    scored.scores[number][row, column], abs=1e-3
                )


def test_a_component_comes_back_from_its_vector(random_model):
    for component in random_model(parts=3).components:
        vector = component_vector(component)
        again = component_with(component, vector)
        assert np.array_equal(component_vector(again), vector)
        assert [part.anchor for part in again.parts] == [part.anchor for part in component.parts]
        prior = weights_prior(component)
        assert prior.penalty.shape == prior.centre.shape == prior.least.shape == vector.shape
        assert prior.penalty[-1] == 0
        assert np.isfinite(prior.least).sum() == 2 * len(component.parts)
        # Where it is not nothing, it is the squares of deformations.
        rest = component_with(component, prior.centre)
        assert {part.deformation[:2] for part in rest.parts} <= {(0, 0)}
        assert all(part.deformation[2] == np.float32(0.1) for part in rest.parts)
        assert np.count_nonzero(prior.centre) == 2 * len(component.parts)


def test_fitting_finds_the_minimum():
    """Against many small steps down the slope, and with a bound that holds."""
    rng = np.random.default_rng(0)
    examples = rng.normal(0, 1, (60, 4)).astype(np.float32)
    examples[:, 3] = 1
    positive = examples @ [1.0, -2.0, 0.5, 0.2] + rng.normal(0, 0.5, 60) > 0
    penalty, centre = np.array([1, 1, 2, 0], np.float32), np.array([0, 0, 3, 0], np.float32)
    least = np.array([-np.inf, -0.1, -np.inf, -np.inf], np.float32)
    found = fit_margin(
        examples,
        positive,
        trade_off=0.3,
        start=np.zeros(4, np.float32),
        prior=Prior(penalty, centre, least),
    )
    sign = np.where(positive, 1.0, -1.0)
    weights = np.zeros(4)
    for _ in range(20_000):
        short = np.maximum(1 - sign * (examples @ weights), 0)
        slope = penalty * (weights - centre) - 2 * 0.3 * ((sign * short) @ examples)
        weights = np.maximum(weights - 0.005 * slope, least)
    assert found == pytest.approx(weights, abs=2e-3)
    assert found[1] == np.float32(-0.1)


@pytest.mark.parametrize("positive", [[True, True], [False, False]])
def test_examples_of_one_kind_cannot_be_parted(positive):
    with pytest.raises(ValueError, match="examples must be of both kinds"):
        fit_margin(
            np.ones((2, 1), np.float32),
            np.array(positive),
            trade_off=1,
            start=np.zeros(1, np.float32),
            prior=Prior(*np.array([[1], [0], [-np.inf]], np.float32)),
        )


def test_boxes_are_parted_by_shape_into_equal_groups():
    boxes = as_boxes([[0, 0, 10, 10 * ratio] for ratio in (3, 0.5, 1, 8, 0.2, 2)])
    assert aspect_clusters(boxes, 3).tolist() == [2, 0, 1, 2, 0, 1]
    assert root_size(boxes[[0]], 48) == (12, 4)
    # However long a box is, a side has three cells.
    assert root_size(as_boxes([[0, 0, 1, 1000]]), 48)[1] == 3
    assert root_size(as_boxes([[0, 0, 1000, 1]]), 9) == (3, 3)
    with pytest.raises(ValueError, match=r"count must be in \[1, 6\]"):
        aspect_clusters(boxes, 7)
    with pytest.raises(ValueError, match="got a degenerate one"):
        aspect_clusters(as_boxes([[0, 0, 0, 5]]), 1)


def test_parts_are_laid_where_the_energy_is():
    root = np.zeros((6, 6, 32), np.float32)
    root[0, 0], root[5, 5], root[3, 3] = 5, 9, -9  # negative weights are no energy
    component = place_parts(Component(root, 0.5), 3, (4, 4))
    assert component.bias == 0.5
    (first, second, *rest) = component.parts
    assert first.anchor == (8, 8)
    assert second.anchor == (0, 0)
    # Energy that a part took is gone.
    for part in rest:
        assert part.anchor not in (first.anchor, second.anchor)
    assert first.filter.max() > second.filter.max() > 0
    assert place_parts(Component(np.zeros_like(root), 0.0), 3, (3, 3)).parts == ()
    # A part is not larger than its root.
    (whole,) = place_parts(Component(root, 0.0), 1, (40, 40)).parts
    assert whole.filter.shape == (12, 12, 32)


SETTINGS = PartModelSettings(
    components=2,
    root_cells=30,
    parts=3,
    part_size=(4, 4),
    root_rounds=1,
    part_rounds=2,
    pyramid=PyramidSettings(levels=3, longest=220),
)


def test_mined_examples_are_what_they_are_taken_for(draw):
    drawn = draw(2, objects=2)
    model = PartModel((Component(np.zeros((6, 5, 32), np.float32), 0.0),), SETTINGS.pyramid)
    mined = mine_examples(model, drawn.pixels, drawn.boxes, SETTINGS)
    levels = feature_pyramid(drawn.pixels, model.pyramid)
    found = {True: [], False: []}
    for each in mined:
        level, row, column = each.place
        box = levels[level].boxes(np.array([row]), np.array([column]), (6, 5))
        found[each.positive].append(box[0])
        cells = levels[level].cells[row : row + 6, column : column + 5]
        assert np.array_equal(each.features[:-1], cells.ravel())
        assert each.features[-1] == 1
    assert len(found[True]) == 2
    overlaps = iou(as_boxes(found[True]), drawn.boxes)
    assert (np.diag(overlaps) >= SETTINGS.overlap - 0.02).all()
    assert len(found[False]) == SETTINGS.negatives_of_picture
    assert iou(as_boxes(found[False]), drawn.boxes).max() < SETTINGS.apart + 0.02


def test_nothing_is_hard_below_the_margin(draw):
    drawn = draw(3)
    model = PartModel(
        (Component(np.zeros((6, 5, 32), np.float32), MARGIN - 0.1),), SETTINGS.pyramid
    )
    assert [
        each.positive for each in mine_examples(model, drawn.pixels, drawn.boxes, SETTINGS)
    ] == [True]
    # Of another component than it may have, and one that no root can cover.
    groups = np.array([1])
    assert mine_examples(model, drawn.pixels, drawn.boxes, SETTINGS, groups) == []
    assert mine_examples(model, drawn.pixels, as_boxes([[0, 0, 2, 2]]), SETTINGS) == []


@pytest.fixture(scope="module")
def trained(draw):
    lines = []
    pictures = [draw(seed, objects=1 + seed % 2) for seed in range(14)]
    return train_part_model(pictures, SETTINGS, tell=lines.append), lines


def test_drawn_objects_are_learned_with_their_parts(trained, draw):
    model, lines = trained
    assert len(lines) == 1 + SETTINGS.root_rounds + SETTINGS.part_rounds
    assert all(len(component.parts) == 3 for component in model.components)
    right = 0
    for seed in range(100, 110):
        drawn = draw(seed)
        (best, *_) = detect_parts(model, drawn.pixels)
        right += iou(as_boxes([best.box]), drawn.boxes)[0, 0] >= 0.5
        x0, y0, x1, y1 = best.box
        for part in best.parts:
            middle = (part[0] + part[2]) / 2, (part[1] + part[3]) / 2
            assert x0 - 20 <= middle[0] <= x1 + 20
            assert y0 - 20 <= middle[1] <= y1 + 20
    assert right >= 9


def test_training_is_the_same_each_time(draw):
    pictures = [draw(seed) for seed in range(4)]
    settings = PartModelSettings(
        components=1,
        parts=2,
        part_size=(3, 3),
        root_rounds=1,
        part_rounds=1,
        root_cells=20,
        pyramid=PyramidSettings(levels=2, longest=160),
    )
    first, second = (train_part_model(pictures, settings) for _ in range(2))
    assert first.fingerprint == second.fingerprint


def test_without_boxes_or_room_nothing_can_be_trained(draw):
    drawn = draw(0)
    with pytest.raises(ValueError, match="at least 2 boxes, one for each component, got 1"):
        train_part_model([drawn], SETTINGS)
    with pytest.raises(ValueError, match="got 0"):
        train_part_model([], SETTINGS)
    flat = type(drawn)(drawn.pixels, as_boxes([[5, 5, 5, 50]] * 4))
    with pytest.raises(ValueError, match="got 0"):
        train_part_model([flat], SETTINGS)
    height, width = drawn.pixels.shape[:2]
    full = type(drawn)(drawn.pixels, as_boxes([[0, 0, width, height]] * 2))
    with pytest.raises(ValueError, match="room beside their boxes"):
        train_part_model([full], PartModelSettings(components=1, apart=0.05))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"components": 0}, "components must be at least 1, got 0"),
        ({"root_cells": 8}, "root_cells must be at least 9"),
        ({"parts": -1}, "parts must be at least 0"),
        ({"part_size": (0, 3)}, "part_size must be at least 1 x 1"),
        ({"trade_off": 0}, "trade_off must be positive"),
        ({"apart": 0.8}, "apart not larger"),
        ({"overlap": 1.0}, r"must be in \(0, 1\)"),
    ],
)
def test_settings_that_train_nothing_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        PartModelSettings(**settings)
