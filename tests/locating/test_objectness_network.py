"""The objectness network: its features against pictures drawn for them, its fit, its files."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

import torch

from snapshelf.errors import ModelError
from snapshelf.features.backbones import create_backbone
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.edge_boxes import EdgeBoxes
from snapshelf.locating.object_confidence import ObjectConfidence
from snapshelf.locating.object_examples import draw_examples
from snapshelf.locating.object_file import load_object_confidence, save_object_confidence
from snapshelf.locating.object_settings import ObjectSettings
from snapshelf.locating.object_training import fit_classifier, train_objectness
from snapshelf.locating.region_features import RegionFeatures, region_features
from snapshelf.locating.region_settings import RegionSettings

PREPROCESSING = Preprocessing(size=(224, 224), mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))


class Cells(torch.nn.Module):
    """A backbone that gives the mean colour of every 8 x 8 pixels."""

    calls = 0

    def forward_features(self, inputs):
        type(self).calls += 1
        return torch.nn.functional.avg_pool2d(inputs, 8)


@pytest.fixture
def cells():
    settings = RegionSettings(backbone="cells", preprocessing=PREPROCESSING, longest=320, bins=2)
    Cells.calls = 0
    return RegionFeatures(Cells(), settings, fingerprint="cells")


def test_a_box_has_the_features_of_what_it_holds(cells):
    picture = np.zeros((160, 320, 3), np.uint8)
    picture[:80, :160], picture[:80, 160:] = (255, 0, 0), (0, 255, 0)
    picture[80:, :160], picture[80:, 160:] = (0, 0, 255), (255, 255, 255)
    boxes = as_boxes([[20, 20, 60, 60], [120, 40, 200, 120], [180, 100, 300, 140]])
    found = cells.features(picture, boxes).reshape(3, 3, 2, 2)
    red, green, blue, white = (1, -1, -1), (-1, 1, -1), (-1, -1, 1), (1, 1, 1)
    assert np.abs(found[0] - np.array(red)[:, None, None]).max() < 1e-5
    assert np.abs(found[2] - np.array(white)[:, None, None]).max() < 1e-5
    # A box on all four: its quarters are one each, but for what is interpolated at the seams.
    expected = np.array([[red, green], [blue, white]]).transpose(2, 0, 1)
    assert np.abs(found[1] - expected).max() < 0.3


def test_the_backbone_runs_once_for_all_boxes(cells):
    picture = np.random.default_rng(0).integers(0, 255, (90, 120, 3)).astype(np.uint8)
    boxes = as_boxes(np.random.default_rng(1).uniform((0, 0, 50, 50), (40, 40, 90, 90), (50, 4)))
    together = cells.features(picture, boxes)
    assert (Cells.calls, together.shape, together.dtype) == (1, (50, 12), np.float32)
    alone = np.concatenate([cells.features(picture, box[None]) for box in boxes])
    assert np.abs(together - alone).max() < 1e-5
    assert cells.features(picture, boxes[:0]).shape == (0, 12)


def test_features_do_not_hang_on_the_pictures_size(cells):
    small = np.random.default_rng(0).integers(0, 255, (5, 10, 3)).astype(np.uint8)
    large = np.kron(small, np.ones((64, 64, 1), np.uint8))
    first = cells.features(large, as_boxes([[64, 64, 320, 256]]))
    half = cells.features(np.ascontiguousarray(large[::2, ::2]), as_boxes([[32, 32, 160, 128]]))
    assert np.abs(first - half).max() < 0.02


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (33, 7), (20_000, 40)])
def test_odd_pictures_and_boxes_have_finite_features(cells, size):
    picture = np.full((*size, 3), 90, np.uint8)
    boxes = as_boxes([[0, 0, size[1], size[0]], [0, 0, 0, 0], [-50, -50, 1e5, 1e5], [9, 9, 3, 3]])
    assert np.isfinite(cells.features(picture, boxes)).all()


@pytest.mark.parametrize(
    "picture", [np.zeros((0, 5, 3), np.uint8), np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3))]
)
def test_what_is_no_picture_is_named(cells, picture):
    with pytest.raises(ValueError, match="picture must be"):
        cells.features(picture, as_boxes([[0, 0, 1, 1]]))


def test_examples_are_what_their_overlaps_say():
    rng = np.random.default_rng(0)
    objects = as_boxes([[20, 20, 80, 120], [150, 30, 190, 60], [5, 5, 5, 50]])
    corner = rng.uniform(0, 150, (300, 2))
    proposals = as_boxes(np.concatenate([corner, corner + rng.uniform(5, 50, (300, 2))], axis=1))
    proposals = np.concatenate([proposals, as_boxes([[20, 20, 80, 118], [20, 20, 80, 80]])])
    settings = ObjectSettings(moved=3, negatives=40)
    boxes, positive = draw_examples(objects, proposals, (200, 200), settings, rng)
    overlaps = iou(boxes, objects).max(axis=1)
    assert (overlaps[positive] > 0.8).all()
    assert (overlaps[~positive] < 0.2).all()
    assert np.count_nonzero(~positive) == 40
    # Both objects, the proposal on the first, and three moved boxes of each.
    assert np.count_nonzero(positive) == 2 + 1 + 6
    assert {tuple(box) for box in boxes[~positive]} <= {tuple(box) for box in proposals}
    assert (boxes >= 0).all()
    assert (boxes <= 200).all()


def test_a_picture_without_objects_has_negative_examples_only():
    rng = np.random.default_rng(0)
    boxes, positive = draw_examples(
        as_boxes([]), as_boxes([[0, 0, 9, 9]]), (50, 50), ObjectSettings(), rng
    )
    assert (boxes.tolist(), positive.tolist()) == ([[0, 0, 9, 9]], [False])
    assert len(draw_examples(as_boxes([]), as_boxes([]), (9, 9), ObjectSettings(), rng)[0]) == 0


def test_the_classifier_is_the_minimum():
    """Against many small steps down the slope."""
    rng = np.random.default_rng(0)
    features = (rng.normal(0, 1, (80, 3)) * [1, 5, 0.2] + [0, 9, 0]).astype(np.float32)
    positive = features @ [1, 0.3, 0] + rng.normal(0, 1, 80) > 3.2
    features = np.concatenate([features, np.full((80, 1), 4, np.float32)], axis=1)
    weights, bias = fit_classifier(features, positive, 0.1)
    spread = np.where(features.std(axis=0) < 1e-6, 1, features.std(axis=0))
    scaled = (features - features.mean(axis=0)) / spread
    sign = np.where(positive, 1.0, -1.0)
    share = 80 / 2 / np.where(positive, positive.sum(), (~positive).sum())
    v, b = np.zeros(4), 0.0
    for _ in range(20_000):
        pull = 0.1 * share * sign / (1 + np.exp(sign * (scaled @ v + b)))
        v, b = v - 0.02 * (v - pull @ scaled), b + 0.02 * pull.sum()
    assert weights * spread == pytest.approx(v, abs=2e-3)
    assert bias == pytest.approx(b - (v / spread) @ features.mean(axis=0), abs=2e-2)
    assert weights[3] == 0
    assert bias == np.float32(bias)


def test_objects_are_told_from_the_rest(draw):
    settings = RegionSettings(backbone="cells", preprocessing=PREPROCESSING, longest=320, bins=4)
    cells = RegionFeatures(Cells(), settings, fingerprint="cells")
    pictures = [draw(seed, objects=1 + seed % 2) for seed in range(16)]
    nothing = replace(pictures[0], boxes=as_boxes([]))
    lines = []
    trained = train_objectness(
        [*pictures, nothing], EdgeBoxes(), cells, ObjectSettings(trade_off=0.1), tell=lines.append
    )
    assert "in 16 pictures" in lines[0]
    inside, beside = [], []
    for seed in range(100, 112):
        drawn = draw(seed)
        proposals = EdgeBoxes().propose(drawn.pixels)
        boxes = np.concatenate([drawn.boxes, proposals.boxes])
        likely = trained.confidences(drawn.pixels, boxes)
        assert ((likely >= 0) & (likely <= 1)).all()
        inside.append(likely[0])
        beside.append(likely[iou(boxes, drawn.boxes)[:, 0] < 0.2].mean())
    assert np.min(inside) > 0.9
    assert np.mean(beside) < 0.1
    again = train_objectness(pictures, EdgeBoxes(), cells, ObjectSettings(trade_off=0.1))
    assert again.fingerprint == trained.fingerprint


def test_without_objects_or_anything_else_nothing_is_learned(draw, cells):
    drawn = draw(0)
    with pytest.raises(ValueError, match="got 0 positive examples of 0"):
        train_objectness([replace(drawn, boxes=as_boxes([]))], EdgeBoxes(), cells)
    height, width = drawn.pixels.shape[:2]
    full = replace(drawn, boxes=as_boxes([[0, 0, width, height]]))

    class Whole:
        fingerprint = "whole"

        def propose(self, picture):
            proposals = EdgeBoxes().propose(np.zeros((200, 200, 3), np.uint8))
            return replace(proposals, boxes=full.boxes)

    with pytest.raises(ValueError, match="proposals apart from them"):
        train_objectness([full], Whole(), cells)


def test_confidences_need_the_features_that_they_were_trained_on(cells):
    picture, box = np.zeros((50, 50, 3), np.uint8), as_boxes([[0, 0, 9, 9]])
    confidence = ObjectConfidence(cells, np.zeros(13, np.float32), 0.0)
    with pytest.raises(ValueError, match=r"must give 13 features to a box, .* got 12"):
        confidence.confidences(picture, box)
    right = ObjectConfidence(cells, np.zeros(12, np.float32), 1e6)
    assert right.confidences(picture, box) == 1
    assert right.confidences(picture, box[:0]).shape == (0,)
    assert right.fingerprint != confidence.fingerprint
    for weights, bias in ((np.zeros(0, np.float32), 0), (np.zeros(3), 0), (np.full(1, np.inf), 0)):
        with pytest.raises(ValueError, match="weights"):
            ObjectConfidence(cells, weights, bias)
    with pytest.raises(ValueError, match="must be finite"):
        ObjectConfidence(cells, np.zeros(3, np.float32), float("nan"))


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Features of a small backbone of timm's with a file of weights in a known folder."""
    from safetensors.torch import save_file

    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(folder))
    torch.manual_seed(0)
    backbone = create_backbone("mobilenetv3_small_050", {})
    save_file(backbone.state_dict(), folder / "small.safetensors")
    settings = RegionSettings(
        backbone="mobilenetv3_small_050", preprocessing=PREPROCESSING, longest=64, bins=1
    )
    return region_features(settings, folder / "small.safetensors")


def test_a_confidence_comes_back_from_its_folder(small, tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (80, 60, 3)).astype(np.uint8)
    boxes = as_boxes([[0, 0, 60, 80], [10, 10, 30, 40]])
    dimension = small.features(picture, boxes).shape[1]
    weights = np.random.default_rng(1).normal(0, 0.1, dimension).astype(np.float32)
    confidence = ObjectConfidence(small, weights, 0.25)
    save_object_confidence(tmp_path / "out", confidence)
    again = load_object_confidence(tmp_path / "out")
    assert again.fingerprint == confidence.fingerprint
    assert np.array_equal(again.confidences(picture, boxes), confidence.confidences(picture, boxes))
    elsewhere = tmp_path / "elsewhere.safetensors"
    (tmp_path / "weights" / "small.safetensors").rename(elsewhere)
    with pytest.raises(ModelError, match=r"small\.safetensors was not found"):
        load_object_confidence(tmp_path / "out")
    assert load_object_confidence(tmp_path / "out", weights=elsewhere).fingerprint == (
        confidence.fingerprint
    )


def test_what_is_no_objectness_network_is_named(small, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "out"
    with pytest.raises(ModelError, match="holds no objectness network"):
        load_object_confidence(folder)
    save_object_confidence(folder, ObjectConfidence(small, np.ones(7, np.float32), 0.0))
    file = folder / "objectness.json"
    whole = json.loads(file.read_text())
    for changes in (
        {"regions": 1},
        {"weights": None},
        {"weights": "../x"},
        {"regions": {**whole["regions"], "bins": 0}},
        {"regions": {**whole["regions"], "bins": "2"}},
        {"regions": {**whole["regions"], "other": 1}},
        {"regions": {**whole["regions"], "backbone": "no_such_net"}},
    ):
        file.write_text(json.dumps({**whole, **changes}))
        with pytest.raises(ModelError):
            load_object_confidence(folder)
    file.write_text(json.dumps(whole))
    weights = tmp_path / "weights" / "small.safetensors"
    tensors = load_file(weights)
    save_file({name: tensor * 2 for name, tensor in tensors.items()}, weights)
    with pytest.raises(ModelError, match="trained on other weights"):
        load_object_confidence(folder)
    save_file(tensors, weights)
    (folder / "objectness.safetensors").write_bytes(b"broken")
    with pytest.raises(ModelError, match="cannot be read as safetensors"):
        load_object_confidence(folder)


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (ObjectSettings, {"above": 0.1}, "below not larger"),
        (ObjectSettings, {"below": 0}, r"must be in \(0, 1\)"),
        (ObjectSettings, {"moved": -1}, "moved must be at least 0"),
        (ObjectSettings, {"negatives": 0}, "negatives must be at least 1"),
        (ObjectSettings, {"trade_off": 0}, "trade_off must be positive"),
        (RegionSettings, {"longest": 31}, r"longest must be in \[32, 4096\]"),
        (RegionSettings, {"bins": 0}, r"bins must be in \[1, 14\]"),
    ],
)
def test_settings_that_learn_nothing_are_named(kind, settings, message):
    needed = {"backbone": "x", "preprocessing": PREPROCESSING} if kind is RegionSettings else {}
    with pytest.raises(ValueError, match=message):
        kind(**needed, **settings)


def test_mobilenet_sees_what_other_systems_see(data_dir, monkeypatch):
    """A box of the whole of a square picture has the features of the picture, pooled."""
    monkeypatch.setenv("SNAPSHELF_DATA", str(data_dir))
    from snapshelf.features.backbones import feature_map
    from snapshelf.features.preprocessing import normalise
    from snapshelf.locating.region_features import mobilenet_regions

    regions = mobilenet_regions(longest=224, bins=1)
    picture = np.random.default_rng(0).integers(0, 255, (224, 224, 3)).astype(np.uint8)
    found = regions.features(picture, as_boxes([[0, 0, 224, 224]]))
    spec = regions.settings.preprocessing
    with torch.inference_mode():
        seen = feature_map(regions._backbone, torch.from_numpy(normalise(picture[None], spec)))
    # One bin samples 2 x 2 places of the 7 x 7 cells, each between four cells or on one.
    places = [1.25, 4.75]
    slow = np.mean([_between(seen[0].numpy(), y, x) for y in places for x in places], axis=0)
    assert found[0] == pytest.approx(slow, abs=1e-4)


def _between(seen, y, x):
    top, left = int(y), int(x)
    dy, dx = y - top, x - left
    corner = seen[:, top : top + 2, left : left + 2]
    return np.einsum("cij,i,j->c", corner, [1 - dy, dy], [1 - dx, dx])
