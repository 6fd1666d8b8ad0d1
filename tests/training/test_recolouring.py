"""Recolouring, against a rotation written out pixel by pixel."""

import numpy as np
import pytest

from snapshelf.training.recolouring import TURNS, draw_turn, hue_rotation, recolour


def test_a_third_of_a_turn_moves_the_channels():
    picture = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    np.testing.assert_array_equal(recolour(picture, 120), picture[..., [2, 0, 1]])
    np.testing.assert_array_equal(recolour(picture, -120), picture[..., [1, 2, 0]])
    np.testing.assert_array_equal(recolour(picture, 360), picture)


def test_no_turn_is_the_picture_itself():
    picture = np.zeros((2, 2, 3), np.uint8)
    assert recolour(picture, 0) is picture


@pytest.mark.parametrize("degrees", [17.0, 90.0, 200.0])
def test_greys_stay(degrees):
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    turned = recolour(greys, degrees)
    assert np.abs(turned.astype(int) - greys).max() <= 1


@pytest.mark.parametrize("degrees", [33.0, 180.0, 301.0])
def test_is_a_rotation_about_the_grey_axis(degrees):
    rotation = hue_rotation(degrees)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(rotation @ np.ones(3), np.ones(3), atol=1e-12)
    # The angle between a colour's projections onto the plane of hues.
    red = np.array([1.0, 0, 0]) - 1 / 3
    turned = rotation @ red
    cosine = turned @ red / (red @ red)
    assert cosine == pytest.approx(np.cos(np.radians(degrees)))


def test_colours_out_of_range_are_cut_off():
    picture = np.array([[[255, 0, 0], [10, 250, 240]]], np.uint8)
    expected = np.empty_like(picture)
    for place in range(2):
        turned = hue_rotation(75) @ picture[0, place].astype(np.float64)
        expected[0, place] = np.clip(np.round(turned), 0, 255)
    assert np.abs(recolour(picture, 75).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("probability", [0.0, 0.4, 1.0])
def test_turns_come_as_often_as_asked_for_and_go_far(probability):
    rng = np.random.default_rng(0)
    turns = np.array([draw_turn(rng, probability) for _ in range(2000)])
    assert np.mean(turns != 0) == pytest.approx(probability, abs=0.05)
    far = turns[turns != 0]
    assert ((far >= TURNS[0]) & (far <= TURNS[1])).all()
