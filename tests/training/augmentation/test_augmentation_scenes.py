"""Poses, hands, occluders, neighbours: an item stays in the view, and most of it visible."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from augmentation_pictures import mug, only

from snapshelf.training.augmentation import Backgrounds, DomainShift, Effect
from snapshelf.training.augmentation import scene as scenes
from snapshelf.training.augmentation.hands import draw_hand
from snapshelf.training.augmentation.layers import coverage
from snapshelf.training.augmentation.light import drop_shadow
from snapshelf.training.augmentation.neighbours import heap, row
from snapshelf.training.augmentation.occlusion import cover_with_piece, drawn_piece, price_rail
from snapshelf.training.augmentation.posing import draw_pose, mirrored, tilt
from snapshelf.training.augmentation.warps import corners_of, resample

SIZE = (96, 96)
PINK = (255, 0, 255)


def rng(seed=0):
    return np.random.default_rng(seed)


def item(kind):
    """A pink item: no background, hand or other item has its colour."""
    alpha = np.full((120, 30 if kind == "bar" else 120), 255, np.uint8)
    if kind == "disc":
        alpha[:] = 0
        cv2.circle(alpha, (60, 60), 59, (255,), -1)
    if kind == "stick":
        alpha[:] = 0
        cv2.line(alpha, (12, 12), (108, 108), (255,), 22)
    return np.dstack([alpha, np.zeros_like(alpha), alpha, alpha])


def share_seen(layer, seed, settings, monkeypatch):
    """How much of what is in the view of an item can be seen, and how large that is."""
    placed = []

    def note(given, *arguments, **options):
        result = resample(given, *arguments, **options)
        if given is layer:
            placed.append(result)
        return result

    monkeypatch.setattr(scenes, "resample", note)
    pool = Backgrounds().with_items([mug()])
    view = scenes.draw_scene(layer, SIZE, rng(seed), settings, pool).astype(int)
    inside = coverage(placed[-1], SIZE) > 150
    pink = np.minimum(view[..., 0], view[..., 2]) - view[..., 1] > 150
    return (pink & inside).sum() / max(inside.sum(), 1), inside.sum()


@pytest.mark.parametrize("kind", ["square", "disc", "stick", "bar"])
def test_by_default_most_of_an_item_can_be_seen_in_nearly_every_view(kind, monkeypatch):
    settings = replace(DomainShift(), neighbours=0.0, shading=Effect(0.0))
    found = [share_seen(item(kind), seed, settings, monkeypatch) for seed in range(150)]
    seen, pixels = np.array(found).T
    assert seen.min() > 0.45
    assert np.percentile(seen, 5) > 0.65
    assert np.median(seen) > 0.95
    # The smallest ones are a fifth of the view: a bar of 4 : 1 has some 90 pixels then.
    assert pixels.min() > 50


@pytest.mark.parametrize("shape", [(40, 40), (200, 20), (20, 200), (1, 1), (1, 900)])
def test_an_item_lies_inside_the_view_at_the_scale_asked_for(shape):
    layer = np.zeros((*shape, 4), np.uint8)
    settings = only(scale=(0.3, 0.7))
    scales = []
    for seed in range(60):
        left, top, right, bottom = draw_pose(layer, SIZE, rng(seed), settings).box
        assert min(left, top) > -1
        assert max(right, bottom) < 97
        scales.append(max(right - left, bottom - top) / 96)
    assert 0.29 < min(scales) < 0.4
    assert 0.6 < max(scales) < 0.71
    everything = replace(DomainShift(), cut_off=Effect(0.0))
    for seed in range(60):
        box = np.array(draw_pose(layer, SIZE, rng(seed), everything).box)
        assert box.min() > -1
        assert box.max() < 97


def test_the_square_of_the_scale_is_uniform():
    layer = np.zeros((50, 50, 4), np.uint8)
    settings = only(scale=(0.2, 1.0))
    boxes = np.array([draw_pose(layer, SIZE, rng(seed), settings).box for seed in range(500)])
    squares = ((boxes[:, 2] - boxes[:, 0]) / 96) ** 2
    expected = np.linspace(0.04, 1, 5)
    np.testing.assert_allclose(np.quantile(squares, [0, 0.25, 0.5, 0.75, 1]), expected, atol=0.08)


def test_the_border_cuts_off_up_to_three_tenths_and_nothing_of_small_items():
    layer = np.zeros((50, 50, 4), np.uint8)
    hidden = []
    for seed in range(80):
        box = np.array(draw_pose(layer, SIZE, rng(seed), only(scale=(0.5, 1), cut_off=True)).box)
        outside = max(-box.min(), box.max() - 96) / (box[2] - box[0])
        hidden.append(outside)
        small = draw_pose(layer, SIZE, rng(seed), only(scale=(0.2, 0.39), cut_off=True)).box
        assert min(small) > -1
        assert max(small) < 97
    np.testing.assert_allclose(hidden, 0.3, atol=0.01)


def test_without_effects_a_pose_is_upright_and_flat():
    pose = draw_pose(np.zeros((40, 20, 4), np.uint8), SIZE, rng(), DomainShift.none())
    assert pose.bend is None
    assert pose.degrees == 0
    expected = corners_of((0, 0), (48, 96)) - (-24, -48)
    np.testing.assert_allclose(pose.corners - pose.corners.min(axis=0), expected, atol=1e-9)


def test_turns_reach_forty_degrees_either_way():
    layer = np.zeros((40, 40, 4), np.uint8)
    settings = only(rotation=Effect(1.0))
    degrees = np.array([draw_pose(layer, SIZE, rng(seed), settings).degrees for seed in range(300)])
    assert -40 <= degrees.min() < -37
    assert 37 < degrees.max() <= 40
    assert abs(degrees.mean()) < 6


def test_a_tilt_moves_each_corner_by_at_most_an_eighth():
    corners = corners_of((50, 50), (40, 16))
    for seed in range(30):
        moved = np.abs(tilt(corners, rng(seed), 1.0) - corners)
        assert (moved <= (5, 2)).all()
        assert moved.min() > 0
    assert np.array_equal(tilt(corners, rng(), 0.0), corners)


@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_mirrored_never_or_always(flip):
    corners = corners_of((5, 5), (4, 4))
    expected = corners[[1, 0, 3, 2]] if flip else corners
    for seed in range(20):
        assert np.array_equal(mirrored(corners, rng(seed), only(flip=flip)), expected)


BOX = (30.0, 20.0, 66.0, 80.0)


def changed(before, after):
    return (before != after).any(axis=2)


def test_a_piece_reaches_over_the_item_from_a_side_but_never_from_above():
    picture = np.full((*SIZE, 3), 128, np.uint8)
    piece = np.full((30, 30, 4), 255, np.uint8)
    for seed in range(60):
        covered = changed(picture, cover_with_piece(picture, BOX, piece, rng(seed), 1.0))
        inside = covered[20:80, 30:66]
        assert 0 < inside.mean() < 0.5
        assert not covered[20:26, 47:49].any()
    assert cover_with_piece(picture, BOX, piece, rng(), 0.0) is picture


def test_a_rail_runs_over_the_lower_end_only():
    picture = np.full((*SIZE, 3), 128, np.uint8)
    for seed in range(40):
        railed = changed(picture, price_rail(picture, BOX, rng(seed), 1.0))
        assert not railed[: 80 - 13].any()
        assert railed[79].mean() > 0.9
    assert price_rail(picture, BOX, rng(), 0.0) is picture


@pytest.mark.parametrize("box", [(-50.0, -50.0, 10.0, 10.0), (90.0, 90.0, 200.0, 300.0), (0,) * 4])
def test_boxes_that_reach_out_of_the_view(box):
    picture = np.full((*SIZE, 3), 128, np.uint8)
    for seed in range(5):
        for found in (
            price_rail(picture, box, rng(seed), 1.0),
            cover_with_piece(picture, box, drawn_piece(rng(seed)), rng(seed), 1.0),
            row(picture, box, [item("disc")], rng(seed), degrees=10),
            heap(picture, box, [item("disc")], rng(seed)),
        ):
            assert (found.shape, found.dtype) == (picture.shape, np.uint8)
        hand = draw_hand(SIZE, box, rng(seed), 1.0)
        assert hand.before.shape == hand.behind.shape == (*SIZE, 4)


def test_drawn_pieces_are_premultiplied_and_fill_a_good_part():
    for seed in range(20):
        piece = drawn_piece(rng(seed))
        assert piece.shape == (48, 48, 4)
        assert (piece[..., :3] <= piece[..., 3:]).all()
        assert 0.2 < (piece[..., 3] > 127).mean() < 0.95


def test_neighbours_stand_left_and_right_and_heaps_all_around():
    picture = np.full((*SIZE, 3), 128, np.uint8)
    box = (36.0, 36.0, 60.0, 60.0)
    stood = np.mean(
        [changed(picture, row(picture, box, [item("disc")], rng(s), degrees=0)) for s in range(10)],
        axis=0,
    )
    assert stood[48, 24] == stood[48, 72] == 1
    assert stood[:28].max() == stood[68:].max() == 0
    heaped = np.mean(
        [changed(picture, heap(picture, box, [item("disc")], rng(s))) for s in range(30)], axis=0
    )
    for place in ((30, 30), (30, 66), (66, 30), (66, 66)):
        assert heaped[place] > 0.3
    assert (picture == 128).all()


def test_a_hand_comes_from_the_view_s_edge_and_its_fingers_reach_the_item():
    for seed in range(40):
        hand = draw_hand((128, 128), (44.0, 30.0, 84.0, 98.0), rng(seed), 1.0)
        arm, fingers = hand.behind[..., 3], hand.before[..., 3]
        edge = np.concatenate([arm[0], arm[-1], arm[:, 0], arm[:, -1]])
        assert edge.max() == 255
        inside = fingers[30:98, 44:84] > 127
        assert 0.01 < inside.mean() < 0.45
        for layer in hand:
            assert (layer[..., :3] <= layer[..., 3:]).all()
    small = [
        (draw_hand((128, 128), (44.0, 30.0, 84.0, 98.0), rng(s), strength).before[..., 3] > 127)
        for strength in (0.05, 1.0)
        for s in range(30)
    ]
    assert np.mean(small[:30]) < np.mean(small[30:])


def test_hands_have_many_skins():
    def tone(seed):
        layer = draw_hand((64, 64), (20.0, 20.0, 44.0, 44.0), rng(seed), 1.0).before
        return layer[layer[..., 3] == 255][:, :3].mean()

    tones = np.array([tone(seed) for seed in range(40)])
    assert tones.max() - tones.min() > 100


def test_a_drop_shadow_darkens_around_the_item_and_not_far_from_it():
    picture = np.full((96, 96, 3), 200, np.uint8)
    placed = resample(item("square"), corners_of((48, 48), (30, 30)), SIZE)
    for seed in range(20):
        shadowed = drop_shadow(picture, placed, rng(seed), 1.0)
        assert shadowed[48, 48].max() < 150
        assert (shadowed[:20] == 200).all()
        assert (shadowed[:, :20] == 200).all()
    unchanged = drop_shadow(picture, placed, rng(), 0.0)
    assert np.array_equal(unchanged, picture)


def count(monkeypatch, name):
    """Replace a step of the scene by one that counts how often it is asked for."""
    original, calls = getattr(scenes, name), []

    def noted(*arguments, **options):
        calls.append(name)
        return original(*arguments, **options)

    monkeypatch.setattr(scenes, name, noted)
    return calls


@pytest.mark.parametrize(
    ("names", "setting"),
    [
        (("side_light",), "shading"),
        (("drop_shadow",), "drop_shadow"),
        (("draw_hand",), "hand"),
        (("price_rail", "cover_with_piece"), "occluder"),
        (("row", "heap"), "neighbours"),
    ],
)
@pytest.mark.parametrize("always", [False, True])
def test_steps_happen_never_or_always(names, setting, always, monkeypatch):
    calls = [count(monkeypatch, name) for name in names]
    off = 0.0 if setting == "neighbours" else Effect(0.0)
    on = 1.0 if setting == "neighbours" else True
    settings = only(**{setting: on if always else off}, scale=(0.6, 0.9))
    for seed in range(12):
        scenes.draw_scene(item("disc"), SIZE, rng(seed), settings, Backgrounds())
    assert sum(map(len, calls)) == 12 * always
    if always:
        assert all(calls)


def test_nothing_hides_small_items(monkeypatch):
    calls = [count(monkeypatch, name) for name in ("draw_hand", "price_rail", "cover_with_piece")]
    settings = only(scale=(0.2, 0.35), hand=True, occluder=True)
    for seed in range(12):
        scenes.draw_scene(item("disc"), SIZE, rng(seed), settings, Backgrounds())
    assert not any(calls)
