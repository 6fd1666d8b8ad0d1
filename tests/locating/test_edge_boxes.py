"""Edges, EdgeBoxes and a structured forest of one split: where they must find things, bad input."""

import os

import cv2
import numpy as np
import pytest

from snapshelf.errors import ModelError
from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.edge_boxes import EdgeBoxes, EdgeBoxesSettings, whole_picture_score
from snapshelf.locating.edge_map import EdgeMap, colour_edges, thin
from snapshelf.locating.ranked_proposals import RankedProposals


def square_picture(size=(200, 300), box=(100, 60, 180, 150), inside=(200, 60, 40)):
    picture = np.full((*size, 3), (90, 120, 160), np.uint8)
    picture[box[1] : box[3], box[0] : box[2]] = inside
    return picture


def slow_edges(picture, sigma, contrast):
    """Strength and direction of each pixel, from the eigenvectors of its structure tensor."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
    smooth = cv2.GaussianBlur(lab, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE).astype(float)
    padded = np.pad(smooth, ((1, 1), (1, 1), (0, 0)), mode="edge")
    kernel = np.outer([3, 10, 3], [-1, 0, 1]) / 32
    strength, direction = np.zeros(picture.shape[:2]), np.zeros(picture.shape[:2])
    for row, column in np.ndindex(strength.shape):
        patch = padded[row : row + 3, column : column + 3]
        tensor = np.zeros((2, 2))
        for channel in range(3):
            gradient = np.array(
                [(patch[..., channel] * kernel).sum(), (patch[..., channel] * kernel.T).sum()]
            )
            tensor += np.outer(gradient, gradient)
        values, vectors = np.linalg.eigh(tensor)
        change = np.sqrt(max(values[1], 0))
        strength[row, column] = change / (change + contrast)
        direction[row, column] = np.arctan2(vectors[1, 1], vectors[0, 1]) % np.pi
    return strength, direction


def test_edges_are_those_of_the_structure_tensor():
    picture = np.random.default_rng(0).integers(0, 255, (14, 17, 3)).astype(np.uint8)
    strength, direction = slow_edges(picture, 1.5, 20)
    found = colour_edges(picture, sigma=1.5, contrast=20)
    kept = found.strength > 0
    assert kept.any()
    assert np.allclose(found.strength[kept], strength[kept], atol=1e-3)
    turned = np.abs(found.orientation - direction)
    assert np.minimum(turned, np.pi - turned).max() < 1e-2
    assert found.orientation.min() >= 0
    assert found.orientation.max() < np.float32(np.pi)


def test_thin_edges_are_the_strongest_across():
    """Against bilinear interpolation by hand."""
    rng = np.random.default_rng(1)
    strength = rng.uniform(0, 1, (12, 10)).astype(np.float32)
    orientation = rng.uniform(0, np.pi, (12, 10)).astype(np.float32)

    def at(row, column):
        row, column = np.clip(row, 0, 11), np.clip(column, 0, 9)
        top, left = min(int(row), 10), min(int(column), 8)
        y, x = row - top, column - left
        corner = strength[top : top + 2, left : left + 2]
        return np.array([1 - y, y]) @ corner @ np.array([1 - x, x])

    found = thin(strength, orientation)
    for row, column in np.ndindex(strength.shape):
        angle = orientation[row, column]
        across = [
            at(row + distance * np.sin(angle), column + distance * np.cos(angle))
            for distance in (-2, -1, 1, 2)
        ]
        value = strength[row, column]
        # OpenCV interpolates in steps of a 32nd of a pixel: leave out what hangs on that.
        if abs(1.01 * value - max(across)) > 0.06:
            assert found[row, column] == (value if 1.01 * value >= max(across) else 0)


def test_an_edge_faces_across_and_is_thin():
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:, 20:] = 200
    upright = colour_edges(picture, sigma=2, contrast=10)
    flat = colour_edges(np.ascontiguousarray(picture.transpose(1, 0, 2)), sigma=2, contrast=10)
    rows, columns = np.nonzero(upright.strength > 0.1)
    assert set(columns) <= {19, 20}
    assert len(set(rows)) == 40
    assert np.abs(np.sin(upright.orientation[rows, columns])).max() < 1e-3
    assert np.abs(np.cos(flat.orientation[columns, rows])).max() < 1e-3


def test_colours_of_equal_lightness_have_an_edge():
    lab = np.full((60, 60, 3), (60, -40, 0), np.float32)
    lab[:, 30:] = 60, 40, 0
    picture = np.rint(cv2.cvtColor(lab, cv2.COLOR_Lab2RGB) * 255).astype(np.uint8)
    assert colour_edges(picture, sigma=2, contrast=10).strength.max() > 0.4


def test_what_has_an_outline_is_proposed():
    proposals = EdgeBoxes().propose(square_picture())
    assert 2 <= len(proposals) <= 101
    overlaps = iou(proposals.boxes, as_boxes([[100, 60, 180, 150], [0, 0, 300, 200]]))
    # The square is among the very first, to a few pixels; the whole picture is among all.
    assert overlaps[:3, 0].max() > 0.8
    assert overlaps[:, 1].max() == 1
    assert (np.diff(proposals.objectness) <= 0).all()
    assert proposals.objectness.min() >= 0
    assert proposals.objectness.max() < 1
    assert proposals.boxes.dtype == proposals.objectness.dtype == np.float32
    again = EdgeBoxes().propose(square_picture())
    assert np.array_equal(again.boxes, proposals.boxes)


def test_boxes_are_right_to_the_pixel_of_what_they_hold():
    """OpenCV's boxes are a pixel off on one side; these must not lean to any."""
    box = (100, 60, 200, 160)
    proposals = EdgeBoxes(EdgeBoxesSettings(sigma=1)).propose(square_picture((220, 300), box))
    best = proposals.boxes[iou(proposals.boxes, as_boxes([box]))[:, 0].argmax()]
    left, top, right, bottom = (best - box) * (-1, -1, 1, 1)
    assert abs(left - right) <= 4
    assert abs(top - bottom) <= 4


def test_large_pictures_are_scaled_and_boxes_scaled_back():
    small = square_picture((300, 400), (100, 100, 220, 220))
    large = cv2.resize(small, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    proposals = EdgeBoxes().propose(large)
    found = iou(proposals.boxes, as_boxes([[800, 800, 1760, 1760]]))
    assert found.max() > 0.85
    assert (proposals.boxes <= [3200, 2400, 3200, 2400]).all()


def test_a_picture_of_20_000_pixels_a_side():
    picture = np.full((20_000, 3000, 3), 200, np.uint8)
    picture[6000:8000, 500:2500] = (20, 60, 40)
    proposals = EdgeBoxes().propose(picture)
    found = iou(proposals.boxes, as_boxes([[500, 6000, 2500, 8000]]))
    assert found.max() > 0.8


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 20_000), (20_000, 30), (31, 31), (32, 32), (2, 600), (40, 33)]
)
def test_tiny_and_narrow_pictures_are_proposed_whole(size):
    picture = np.random.default_rng(0).integers(0, 255, (*size, 3)).astype(np.uint8)
    proposals = EdgeBoxes().propose(picture)
    assert [0, 0, size[1], size[0]] in proposals.boxes.tolist()
    (region, *_) = RankedProposals(EdgeBoxes()).locate(picture)
    assert 0 <= region.confidence <= 1


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_is_proposed_whole(value):
    proposals = EdgeBoxes().propose(np.full((200, 300, 3), value, np.uint8))
    assert proposals.boxes.tolist() == [[0, 0, 300, 200]]
    assert proposals.objectness.tolist() == [0]
    assert [
        region.box
        for region in RankedProposals(EdgeBoxes()).locate(np.full((200, 300, 3), value, np.uint8))
    ] == [(0, 0, 300, 200)]


def test_a_grey_picture_has_proposals():
    picture = square_picture(inside=(230, 230, 230))
    grey = np.repeat(picture[..., :1], 3, axis=2)
    proposals = EdgeBoxes().propose(grey)
    assert iou(proposals.boxes, as_boxes([[100, 60, 180, 150]])).max() > 0.8


def test_the_whole_picture_is_scored_as_opencv_scores_boxes():
    """A box that holds all edges and the picture score alike, but for their sizes."""
    picture = square_picture((200, 260), (20, 20, 240, 180))
    edges = colour_edges(picture, sigma=2, contrast=30)
    searcher = cv2.ximgproc.createEdgeBoxes(maxBoxes=50, kappa=1.5, beta=0.9)
    boxes, scores = searcher.getBoundingBoxes(edges.strength, edges.orientation)
    x, _, width, height = boxes[0]
    assert x > 1
    own = whole_picture_score(edges, 1.5) * (230 / (width // 2 + height // 2)) ** 1.5
    assert np.ravel(scores)[0] == pytest.approx(own, rel=0.05)
    # Edges in the middle do not count.
    middle = np.zeros((80, 80), np.float32)
    middle[25:55, 25:55] = 1
    assert whole_picture_score(EdgeMap(middle, middle), 1.5) == 0


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((0, 9, 3), np.uint8), "with pixels"),
        (np.zeros((50, 50), np.uint8), r"must be \(H, W, 3\)"),
        (np.zeros((50, 50, 4), np.uint8), r"must be \(H, W, 3\)"),
        (np.zeros((50, 50, 3), np.float32), "must be uint8, got float32"),
    ],
)
def test_what_is_no_picture_is_named(picture, message):
    with pytest.raises(ValueError, match=message):
        EdgeBoxes().propose(picture)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"count": 0}, "count must be at least 1"),
        ({"longest": 31}, r"longest must be in \[32, 4000\]"),
        ({"longest": 20_000}, r"longest must be in \[32, 4000\]"),
        ({"sigma": 0}, "sigma must be positive"),
        ({"contrast": float("nan")}, "contrast must be positive"),
        ({"step": 1}, r"step must be in \(0, 1\)"),
        ({"overlap": 0}, r"overlap must be in \(0, 1\)"),
        ({"size_bias": 0.5}, r"size_bias must be in \[1, 100\)"),
        ({"aspect": 0.5}, r"aspect must be in \[1, 100\)"),
        ({"least_side": 1}, "least_side must be at least 4"),
    ],
)
def test_settings_that_propose_nothing_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        EdgeBoxesSettings(**settings)


def write_forest(file, **changes):
    """Write a forest whose trees ask one thing: does the patch's middle have a gradient?"""
    options = {
        "stride": 2, "shrinkNumber": 2, "patchSize": 32, "patchInnerSize": 16,
        "numberOfGradientOrientations": 4, "gradientSmoothingRadius": 0,
        "regFeatureSmoothingRadius": 2, "ssFeatureSmoothingRadius": 8,
        "gradientNormalizationRadius": 4, "selfsimilarityGridSize": 5,
        "numberOfTrees": 8, "numberOfTreesToEvaluate": 4,
    }  # fmt: skip
    options |= {name: value for name, value in changes.items() if name in options}
    trees = options["numberOfTrees"] if options["numberOfTrees"] > 0 else 1
    # Channels are laid out one after the other, 16 x 16 values each: the fourth is the magnitude.
    middle = 3 * 256 + 8 * 16 + 8
    # The middle of the 16 x 16 pixels that a leaf draws, in each of its 13 channels.
    drawn = [
        256 * channel + 16 * row + column
        for channel in range(13)
        for row in (7, 8)
        for column in (7, 8)
    ]
    storage = cv2.FileStorage(str(file), cv2.FILE_STORAGE_WRITE)
    storage.startWriteStruct("options", cv2.FileNode_MAP)
    for name, value in options.items():
        storage.write(name, value)
    storage.endWriteStruct()

    def write(name, rows):
        storage.startWriteStruct(name, cv2.FileNode_SEQ)
        for row in rows:
            storage.startWriteStruct("", cv2.FileNode_SEQ + cv2.FileNode_FLOW)
            for value in row:
                storage.write("", value)
            storage.endWriteStruct()
        storage.endWriteStruct()

    # A node's children are the nodes before and of this number: 1 (no gradient) and 2.
    write("childs", [[2, 0, 0]] * changes.get("trees", trees))
    write("featureIds", [[middle, 0, 0]] * trees)
    write("thresholds", [[0.3, 0.0, 0.0]] * trees)
    ends = []
    for tree in range(trees):
        begin = tree * len(drawn)
        ends += [begin, begin, begin]
    write("edgeBoundaries", [[*ends, trees * len(drawn)]])
    write("edgeBins", [drawn] * trees)
    storage.release()


def test_a_users_forest_takes_the_place_of_the_gradients(tmp_path):
    file = tmp_path / "model.yml.gz"
    write_forest(file)
    plain, forest = EdgeBoxes(), EdgeBoxes(forest=file)
    assert forest.fingerprint != plain.fingerprint
    picture = square_picture((240, 320), (80, 60, 240, 180))
    proposals = forest.propose(picture)
    assert iou(proposals.boxes, as_boxes([[80, 60, 240, 180]])).max() > 0.6
    assert not np.array_equal(proposals.boxes, plain.propose(picture).boxes)
    assert forest.propose(np.zeros((32, 32, 3), np.uint8)).boxes.tolist() == [[0, 0, 32, 32]]


def test_what_is_no_forest_is_named(tmp_path):
    file = tmp_path / "model.yml"
    with pytest.raises(ModelError, match=r"model\.yml is no file: expected a structured forest"):
        EdgeBoxes(forest=file)
    for content in (b"", b"no yaml", b"\x1f\x8b broken", b"%YAML:1.0\n---\na: 1\n", os.urandom(99)):
        file.write_bytes(content)
        with pytest.raises(ModelError, match=r"model\.yml (cannot be read as a|is no) structured"):
            EdgeBoxes(forest=file)
    for changes in ({"numberOfTrees": 0}, {"stride": 0}, {"shrinkNumber": -1}, {"trees": 3}):
        write_forest(file, **changes)
        with pytest.raises(ModelError, match="is no structured forest"):
            EdgeBoxes(forest=file)
