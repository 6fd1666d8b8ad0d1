"""Deformable part models: scores and parts against every placement tried, files, bad input."""

import itertools
import json

import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.feature_pyramid import feature_pyramid
from snapshelf.locating.part_model import Component, Part, PartModel
from snapshelf.locating.part_model_confidence import PartModelConfidence
from snapshelf.locating.part_model_detection import (
    detect_parts,
    proposal_confidences,
)
from snapshelf.locating.part_model_file import load_part_model, save_part_model
from snapshelf.locating.part_scores import score_level


def noise(seed=0, size=(70, 90)):
    return np.random.default_rng(seed).integers(0, 255, (*size, 3)).astype(np.uint8)


def slow_placements(component, level):
    """Score a component at each place, with its parts' best places, trying everything."""
    height, width = component.size
    found = {}
    for row in range(level.cells.shape[0] - height + 1):
        for column in range(level.cells.shape[1] - width + 1):
            under = level.cells[row : row + height, column : column + width]
            score, spots = component.bias + float((under * component.root).sum()), []
            for part in component.parts:
                rows, columns = part.filter.shape[:2]
                across, along, across2, along2 = part.deformation
                best = -np.inf, None
                for y, x in itertools.product(
                    range(level.parts.shape[0] - rows + 1),
                    range(level.parts.shape[1] - columns + 1),
                ):
                    dy, dx = y - 2 * row - part.anchor[0], x - 2 * column - part.anchor[1]
                    cost = across * dx + along * dy + across2 * dx**2 + along2 * dy**2
                    answer = (level.parts[y : y + rows, x : x + columns] * part.filter).sum()
                    if answer - cost > best[0]:
                        best = float(answer - cost), (y, x)
                score += best[0]
                spots.append(best[1])
            found[row, column] = score, spots
    return found


def test_scores_and_parts_are_the_best_of_all_placements(random_model):
    model = random_model()
    # The coarsest level: everything is tried there.
    level = feature_pyramid(noise(), model.pyramid)[-1]
    scored = score_level(model, level)
    for number, component in enumerate(model.components):
        expected = slow_placements(component, level)
        assert scored.scores[number].size == len(expected) > 0
        for (row, column), (score, spots) in expected.items():
            assert scored.scores[number][row, column] == pytest.approx(score, abs=1e-3)
            assert scored.place_parts(component, number, row, column) == spots


def test_the_best_detection_is_the_best_place(random_model):
    model, picture = random_model(3), noise(1)
    detections = detect_parts(model, picture, threshold=-np.inf, overlap=0.3, most=7)
    assert len(detections) == 7
    scores = [detection.score for detection in detections]
    assert scores == sorted(scores, reverse=True)
    levels = [score_level(model, level) for level in feature_pyramid(picture, model.pyramid)]
    best = max(float(values.max()) for level in levels for values in level.scores if values.size)
    assert scores[0] == pytest.approx(best, abs=1e-5)
    boxes = as_boxes([detection.box for detection in detections])
    overlaps = iou(boxes, boxes) - np.eye(7)
    assert overlaps.max() <= 0.3
    for detection in detections:
        parts = model.components[detection.component].parts
        assert len(detection.parts) == len(parts)
        for x0, y0, x1, y1 in (detection.box, *detection.parts):
            assert 0 <= x0 <= x1 <= 90
            assert 0 <= y0 <= y1 <= 70


def test_parts_of_a_detection_lie_at_its_root():
    """A part of strong weights in the middle of its root, on a picture that answers evenly."""
    part = Part(np.full((2, 2, 32), 0.1, np.float32), (3, 4), (0.0, 0.0, 5.0, 5.0))
    root = np.full((4, 5, 32), 0.1, np.float32)
    model = PartModel((Component(root, 0.0, (part,)),))
    (found, *_) = detect_parts(model, noise(2, (160, 200)), threshold=-np.inf)
    x0, y0, x1, _ = found.box
    cell = (x1 - x0) / 5
    (box,) = found.parts
    assert box[0] == pytest.approx(x0 + 2 * cell, abs=0.51 * cell)
    assert box[1] == pytest.approx(y0 + 1.5 * cell, abs=0.51 * cell)
    assert box[2] - box[0] == pytest.approx(cell, rel=0.01)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2, 2), (300, 3), (20_000, 40)])
def test_tiny_and_huge_pictures(random_model, size):
    picture = noise(0, size)
    for detection in detect_parts(random_model(), picture, threshold=-np.inf, most=3):
        assert detection.box[2] <= size[1]
        assert detection.box[3] <= size[0]
    assert detect_parts(random_model(), picture, threshold=np.inf) == ()


def test_a_blank_and_a_grey_picture(random_model):
    blank = np.full((80, 80, 3), 255, np.uint8)
    grey = np.repeat(noise(5, (80, 80))[..., :1], 3, axis=2)
    for picture in (blank, grey):
        assert detect_parts(random_model(), picture, threshold=-np.inf, most=1)
    with pytest.raises(ValueError, match=r"must be \(H, W, 3\) uint8"):
        detect_parts(random_model(), grey[..., 0])


def test_a_root_larger_than_every_level_is_found_nowhere():
    model = PartModel((Component(np.ones((200, 4, 32), np.float32), 9.0),))
    assert detect_parts(model, noise(), threshold=-np.inf) == ()


def test_each_proposal_has_its_best_detection():
    found, scores = as_boxes([[0, 0, 10, 10], [0, 0, 10, 5]]), np.array([2, -1], np.float32)
    boxes = as_boxes(
        [[0, 0, 10, 10], [0, 0, 10, 5], [50, 50, 60, 60], [3, 3, 3, 8], [-10, 0, 10, 10]]
    )
    likely = [1 / (1 + np.exp(-2)), 1 / (1 + np.exp(1))]
    expected = [likely[0], max(0.5 * likely[0], likely[1]), 0, 0, 0.5 * likely[0]]
    assert proposal_confidences(boxes, found, scores) == pytest.approx(expected, abs=1e-6)
    assert proposal_confidences(boxes, found[:0], scores[:0]).tolist() == [0] * 5
    assert proposal_confidences(boxes[:0], found, scores).shape == (0,)
    # Scores beyond what a float's exponent holds.
    far = proposal_confidences(boxes[:1], found[:1], np.array([-1e6], np.float32))
    assert 0 <= far[0] < 1e-6


def test_confidences_of_proposals_are_told_by_the_model(random_model):
    confidence = PartModelConfidence(random_model(), threshold=-np.inf)
    picture = noise(4)
    (best, *_) = detect_parts(random_model(), picture, threshold=-np.inf)
    boxes = as_boxes([best.box, (0, 0, 1, 1)])
    found = confidence.confidences(picture, boxes)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx(1 / (1 + np.exp(-best.score)), rel=1e-4)
    assert found[0] > found[1]
    other = PartModelConfidence(random_model(1))
    assert confidence.fingerprint != other.fingerprint
    assert (
        confidence.fingerprint == PartModelConfidence(random_model(), threshold=-np.inf).fingerprint
    )


def test_a_model_comes_back_from_its_folder(random_model, tmp_path):
    model = random_model()
    save_part_model(tmp_path / "new", model)
    again = load_part_model(tmp_path / "new")
    assert again.fingerprint == model.fingerprint
    assert again.pyramid == model.pyramid
    assert detect_parts(again, noise(), most=2) == detect_parts(model, noise(), most=2)
    assert random_model(1).fingerprint != model.fingerprint


def changed(change):
    def spoil(folder):
        settings = json.loads((folder / "part_model.json").read_text())
        change(settings)
        (folder / "part_model.json").write_text(json.dumps(settings))

    return spoil


DAMAGES = [
    (lambda folder: (folder / "part_model.json").unlink(), "cannot be read as JSON"),
    (lambda folder: (folder / "part_model.json").write_text("["), "cannot be read as JSON"),
    (
        lambda folder: (folder / "part_model.json").write_text("[" * 100_000),
        "cannot be read as JSON",
    ),
    (lambda folder: (folder / "part_model.json").write_text("[]"), "holds no part model"),
    (lambda folder: (folder / "part_model.safetensors").unlink(), "cannot be read: No such file"),
    (
        lambda folder: (folder / "part_model.safetensors").write_bytes(b"\0" * 40),
        "cannot be read as safetensors",
    ),
    (changed(lambda values: values.pop("pyramid")), "'pyramid' is missing"),
    (changed(lambda values: values["pyramid"].update(cell=7)), "cell must be even"),
    (changed(lambda values: values["pyramid"].update(other=7)), "holds no part model"),
    (changed(lambda values: values["components"].append({"bias": 0, "parts": []})), "'2/root' is"),
    (changed(lambda values: values["components"].clear()), "components must be at least one"),
    (changed(lambda values: values["components"][0].update(bias=float("nan"))), "bias must be"),
    (
        changed(lambda values: values["components"][0]["parts"][0].update(anchor=[90, 0])),
        "parts must lie in the root",
    ),
    (
        changed(lambda values: values["components"][0]["parts"][0].update(anchor=[1])),
        "no part model",
    ),
    (
        changed(
            lambda values: values["components"][0]["parts"][0].update(deformation=[0, 0, 0, 1])
        ),
        "the last two positive",
    ),
]


@pytest.mark.parametrize(("damage", "message"), DAMAGES)
def test_damaged_models_are_named(random_model, tmp_path, damage, message):
    save_part_model(tmp_path, random_model())
    damage(tmp_path)
    with pytest.raises(ModelError, match=message):
        load_part_model(tmp_path)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros((3, 3, 31), np.float32), r"must be \(h, w, 32\), got \(3, 3, 31\)"),
        (np.zeros((0, 3, 32), np.float32), r"must be \(h, w, 32\)"),
        (np.zeros((3, 3, 32)), "finite float32"),
        (np.full((3, 3, 32), np.nan, np.float32), "finite float32"),
    ],
)
def test_what_is_no_filter_is_named(weights, message):
    with pytest.raises(ValueError, match=message):
        Component(weights, 0.0)
