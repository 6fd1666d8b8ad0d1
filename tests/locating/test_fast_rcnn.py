"""Fast R-CNN: what it makes of proposals, its learning, its folder and its locator."""

import json
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

import torch
from test_detector import REGIONS, SETTINGS, Cells, draw

from snapshelf.errors import ModelError
from snapshelf.locating.boxes import as_boxes, iou, scale_boxes
from snapshelf.locating.detector import build_detector, detect, detector_input, detector_proposals
from snapshelf.locating.detector_file import load_detector, save_detector
from snapshelf.locating.detector_locator import DetectorLocator
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.locating.edge_boxes import EdgeBoxes, EdgeBoxesSettings
from snapshelf.locating.fast_rcnn import FastRCNN
from snapshelf.locating.locator_folder import locator_from_folder
from snapshelf.locating.region import Region
from snapshelf.training.detector_batches import DetectorBatches
from snapshelf.training.detector_module import train_detector
from snapshelf.training.detector_training import DetectorTraining

FAST = replace(SETTINGS, edge_boxes=EdgeBoxesSettings(count=30))
PICTURE = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)


@pytest.fixture
def fast():
    torch.manual_seed(0)
    return build_detector(FAST, Cells(), positive=0.7, negative=0.7)


def reference(detector, image, proposals):
    """Pool, classify, move, and suppress box by box (Girshick, Sections 2 and 3)."""
    mean, std = (
        torch.tensor(values)[:, None, None] for values in (FAST.regions.preprocessing.mean,
                                                           FAST.regions.preprocessing.std)
    )  # fmt: skip
    features = detector.backbone(((image - mean) / std)[None])[0]
    scale = features.shape[2] / image.shape[2]
    found = []
    for x0, y0, x1, y1 in proposals.tolist():
        pooled = torch.empty(features.shape[0], 3, 3)
        for row in range(3):
            for column in range(3):
                places = [
                    (
                        (y0 + (row + (v + 0.5) / 2) / 3 * (y1 - y0)) * scale,
                        (x0 + (column + (u + 0.5) / 2) / 3 * (x1 - x0)) * scale,
                    )
                    for v in range(2)
                    for u in range(2)
                ]
                pooled[:, row, column] = sum(sample(features, y, x) for y, x in places) / 4
        heads = detector.roi_heads
        seen = heads.box_head(pooled[None])
        logits, moves = heads.box_predictor(seen)
        shares = logits[0].softmax(0)
        for label in range(1, len(FAST.classes) + 1):
            dx, dy, dw, dh = (
                moves[0, 4 * label : 4 * label + 4] / torch.tensor([10, 10, 5, 5])
            ).tolist()
            width, height = x1 - x0, y1 - y0
            cx, cy = x0 + width / 2 + dx * width, y0 + height / 2 + dy * height
            width, height = width * np.exp(dw), height * np.exp(dh)
            box = [cx - width / 2, cy - height / 2, cx + width / 2, cy + height / 2]
            limits = [image.shape[2], image.shape[1]] * 2
            box = [min(max(value, 0), limit) for value, limit in zip(box, limits, strict=True)]
            if shares[label] > 0.05:
                found.append((float(shares[label]), label, box))
    kept = []
    for share, label, box in sorted(found, key=lambda each: -each[0]):
        rivals = as_boxes([each[2] for each in kept if each[1] == label])
        if not len(rivals) or iou(as_boxes([box]), rivals).max() <= 0.5:
            kept.append((share, label, box))
    return kept


def sample(features, y, x):
    """Take a value between four cells, as RoIAlign does without the half cell."""
    y, x = (
        min(max(v, 0.0), size - 1.0) for v, size in zip((y, x), features.shape[1:], strict=True)
    )
    top, left = int(y), int(x)
    low, right = min(top + 1, features.shape[1] - 1), min(left + 1, features.shape[2] - 1)
    v, u = y - top, x - left
    return (
        (1 - v) * (1 - u) * features[:, top, left] + (1 - v) * u * features[:, top, right]
        + v * (1 - u) * features[:, low, left] + v * u * features[:, low, right]
    )  # fmt: skip


def test_detections_are_those_of_the_paper(fast):
    image = torch.rand(3, 96, 160, generator=torch.Generator().manual_seed(1))
    proposals = torch.tensor(
        [[8, 8, 60, 50], [20, 30, 140, 90], [100, 5, 150, 80], [0, 0, 160, 96]]
    )
    with torch.no_grad():
        # Random weights tell classes and moves hardly apart.
        fast.roi_heads.box_predictor.cls_score.weight *= 40
        fast.roi_heads.box_predictor.bbox_pred.weight *= 40
        (found,) = fast([image], None, [proposals.float()])
        expected = reference(fast, image, proposals.float())
    assert len(found["scores"]) == len(expected) > 2
    torch.testing.assert_close(found["scores"], torch.tensor([each[0] for each in expected]))
    assert found["labels"].tolist() == [each[1] for each in expected]
    torch.testing.assert_close(
        found["boxes"], torch.tensor([each[2] for each in expected]).float(), atol=1e-3, rtol=1e-4
    )


def labels_of(detector, proposals, targets):
    """Give how the heads label proposals, the objects' own boxes behind them."""
    heads = detector.roi_heads
    heads.subsample = lambda labels: [torch.arange(len(each)) for each in labels]
    given = [torch.tensor(proposals)]
    return heads.select_training_samples(given, targets)[2][0].tolist()


@pytest.mark.parametrize(
    ("positive", "negative", "expected"),
    [
        (0.7, 0.7, [2, 0, 0, 0]),  # as in the paper of mtv
        (0.7, 0.5, [2, -1, 0, 0]),
        (0.5, 0.5, [2, 2, 0, 0]),
    ],
)
def test_which_proposals_are_objects(positive, negative, expected):
    detector = build_detector(FAST, Cells(), positive=positive, negative=negative)
    targets = [{"boxes": torch.tensor([[0.0, 0, 100, 100]]), "labels": torch.tensor([2])}]
    proposals = [[0.0, 0, 100, 75], [0, 0, 100, 60], [0, 0, 100, 45], [100, 100, 120, 130]]
    assert labels_of(detector, proposals, targets) == [*expected, 2]


def test_both_detectors_are_told_what_is_an_object():
    for settings in (SETTINGS, FAST):
        detector = build_detector(settings, Cells(), positive=0.8, negative=0.3)
        matcher = detector.roi_heads.proposal_matcher
        assert (matcher.high_threshold, matcher.low_threshold) == (0.8, 0.3)


ODD = {
    "none": [],
    "without area": [[5, 5, 5, 40]],
    "wrong way round": [[40, 40, 10, 10]],
    "outside": [[500, 500, 600, 600], [-90, -90, -10, -10]],
    "no number": [[float("nan"), 0, 10, 10]],
}


@pytest.mark.parametrize("boxes", ODD.values(), ids=ODD)
def test_without_a_usable_proposal_the_whole_image_is_looked_at(fast, boxes):
    image = torch.rand(3, 96, 160)
    whole = torch.tensor([[0.0, 0, 160, 96]])
    given = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    with torch.no_grad():
        (found,), (expected,) = (fast([image], None, [one]) for one in (given, whole))
        assert all(torch.equal(found[name], expected[name]) for name in expected)
        beside = torch.cat([given, torch.tensor([[10.0, 10, 300, 50]])])
        cut = torch.tensor([[10.0, 10, 160, 50]])
        (found,), (expected,) = (fast([image], None, [one]) for one in (beside, cut))
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    fast.train()
    target = {"boxes": torch.tensor([[3.0, 3, 60, 60]]), "labels": torch.tensor([1])}
    nothing = {"boxes": torch.empty(0, 4), "labels": torch.empty(0, dtype=torch.int64)}
    losses = fast([image, image], [target, nothing], [given, given])
    assert sorted(losses) == ["loss_box_reg", "loss_classifier"]
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_images_without_proposals_or_targets_are_named(fast):
    image = torch.rand(3, 96, 160)
    with pytest.raises(ValueError, match="each of the 2 images, got 1"):
        fast([image, image], None, [torch.empty(0, 4)])
    with pytest.raises(ValueError, match="targets should not be None"):
        fast.train()([image], None, [torch.empty(0, 4)])


def test_the_proposals_are_edge_boxes_in_the_pixels_of_the_input():
    found = detector_proposals(PICTURE, FAST).numpy()
    size = detector_input(PICTURE, FAST).shape[1:]
    assert size == (96, 160)
    own = EdgeBoxes(FAST.edge_boxes).propose(PICTURE).boxes
    np.testing.assert_array_equal(found, scale_boxes(own, PICTURE.shape, size))
    assert [0, 0, 160, 96] in found.tolist()
    assert detector_proposals(PICTURE, SETTINGS) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (33, 7), (160, 160)])
@pytest.mark.parametrize("blank", [True, False])
def test_odd_and_blank_pictures_are_located_in(fast, size, blank):
    picture = np.full((*size, 3), 200, np.uint8)
    if not blank:
        picture = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    whole = (0.0, 0.0, float(size[1]), float(size[0]))
    sure = DetectorLocator(fast, FAST, least=1.0)
    assert sure.locate(picture) == (Region(whole, "", 1.0),)
    assert whole in [region.box for region in DetectorLocator(fast, FAST).candidates(picture)]
    for region in detect(fast, picture, FAST):
        x0, y0, x1, y1 = region.box
        assert 0 <= x0 < x1 <= size[1]
        assert 0 <= y0 < y1 <= size[0]


@pytest.mark.parametrize("backbone", ["torchvision/mobilenet_v3_small", "resnet10t"])
def test_backbones_of_both_libraries_detect(backbone):
    settings = replace(FAST, regions=replace(REGIONS, backbone=backbone))
    for region in detect(build_detector(settings), PICTURE, settings):
        assert region.label in FAST.classes


def test_proposals_are_found_once_and_mirrored_with_their_photo(tmp_path, monkeypatch):
    photos = [draw(tmp_path, number) for number in range(5)]
    asked = []
    propose = EdgeBoxes.propose

    def counted(self, picture):
        asked.append(picture.shape)
        return propose(self, picture)

    monkeypatch.setattr(EdgeBoxes, "propose", counted)
    batches = DetectorBatches(photos, FAST, batch=2, mirrored=True, seed=1)
    known = {}
    turned = 0
    for epoch in range(4):
        batches.set_epoch(epoch)
        for pictures, targets, proposed in batches:
            assert len(pictures) == len(targets) == len(proposed)
            for picture, target, boxes in zip(pictures, targets, proposed, strict=True):
                # The best proposal stays as near to the object as it was.
                best = iou(target["boxes"].numpy(), boxes.numpy()).max()
                side = float(target["boxes"][0, 2] - target["boxes"][0, 0])
                key = (side, float(target["boxes"][0, 1]))
                first, there = known.setdefault(key, (best, picture))
                assert best == pytest.approx(first, abs=1e-4)
                if not torch.equal(there, picture):
                    turned += 1
                    assert torch.equal(there.flip(2), picture)
    assert len(asked) == len(known) == 5
    assert turned > 0


def test_drawn_objects_are_learned(tmp_path):
    photos = [draw(tmp_path, number) for number in range(24)]
    training = DetectorTraining(epochs=40, batch=8, learning_rate=5e-3, seed=1)
    torch.manual_seed(1)
    out = tmp_path / "out"
    detector = train_detector(photos, FAST, training, out=out, backbone=Cells())
    rows = [row.split(",") for row in (out / "log.csv").read_text().splitlines()]
    place = rows[0].index("loss")
    assert float(rows[-1][place]) < 0.5 * float(rows[1][place])
    right = 0
    for number in range(100, 110):
        photo = draw(tmp_path, number)
        (best, *_) = DetectorLocator(detector, FAST, least=0.0).locate(photo.read())
        covers = iou(as_boxes([best.box]), photo.boxes)[0, 0] >= 0.5
        right += bool(covers and best.label == photo.regions[0].label)
    # With first weights as they are it is none; which way rounding goes must not decide.
    assert right >= 6


def test_frozen_stages_stay_as_they_are(tmp_path):
    from snapshelf.features.backbones import create_backbone

    settings = replace(FAST, regions=replace(REGIONS, backbone="mobilenetv2_035"))
    backbone = create_backbone("mobilenetv2_035", {})
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    training = DetectorTraining(epochs=1, batch=2, frozen_stages=3)
    photos = [draw(tmp_path, number) for number in range(2)]
    train_detector(photos, settings, training, out=tmp_path / "out", backbone=backbone)
    changed = {n for n, value in backbone.state_dict().items() if not torch.equal(value, before[n])}
    assert changed
    assert not [n for n in changed if n.startswith(("conv_stem", "bn1", "blocks.0", "blocks.2"))]
    assert any(name.startswith("blocks.6") for name in changed)
    with pytest.raises(ModelError, match="frozen_stages must be at most"):
        train_detector(
            photos, settings, replace(training, frozen_stages=99), out=tmp_path, backbone=backbone
        )


def test_a_detector_comes_back_from_its_folder(fast, tmp_path):
    detector = build_detector(FAST)
    save_detector(tmp_path, detector, FAST)
    again, settings = load_detector(tmp_path)
    assert isinstance(again, FastRCNN)
    assert settings == FAST
    locator = DetectorLocator(detector, FAST)
    inner = locator_from_folder(tmp_path).inner
    assert inner.fingerprint == locator.fingerprint
    assert inner.candidates(PICTURE) == locator.candidates(PICTURE)
    more = replace(FAST, edge_boxes=EdgeBoxesSettings(count=31))
    assert DetectorLocator(detector, more).fingerprint != locator.fingerprint


def test_older_folders_have_no_word_of_edge_boxes():
    values = SETTINGS.to_dict()
    assert sorted(values) == ["anchors", "channels", "classes", "hidden", "regions"]
    assert DetectorSettings.from_dict(values) == SETTINGS


def test_what_is_no_fast_rcnn_is_named(tmp_path):
    save_detector(tmp_path, build_detector(FAST), FAST)
    file = tmp_path / "detector.json"
    whole = json.loads(file.read_text())
    for changes, message in (
        ({"edge_boxes": {"count": 0}}, "count must be at least 1"),
        ({"edge_boxes": {"number": 1}}, "number"),
        ({"edge_boxes": 3}, "no detector can be made"),
        ({"edge_boxes": {"count": "3"}}, "no detector can be made"),
        ({"edge_boxes": None}, "does not fit"),
    ):
        file.write_text(json.dumps({**whole, **changes}))
        with pytest.raises(ModelError, match=message):
            load_detector(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"positive": 0.0}, "positive must be in"),
        ({"negative": 1.5}, "negative must be in"),
        ({"frozen_stages": -1}, "frozen_stages must be at least 0"),
    ],
)
def test_settings_that_train_nothing_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        DetectorTraining(**settings)


def test_what_is_neither_lies_between(tmp_path):
    photos = [draw(tmp_path, 0)]
    training = DetectorTraining(negative=0.8)
    with pytest.raises(ValueError, match=r"negative must be at most positive, got 0\.8 and 0\.7"):
        train_detector(photos, FAST, training, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
