"""Preprocessing: geometry, the one formula, and agreement with other paths."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapshelf.errors import ModelError
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare

SPEC = Preprocessing(size=(24, 32), mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2))
RED = (200, 10, 20)


def plain(height: int, width: int, colour: tuple[int, int, int] = RED) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def smooth(height: int, width: int) -> np.ndarray:
    """A picture with a different slow gradient in each channel."""
    y, x = np.mgrid[:height, :width]
    down, across = y / max(height - 1, 1), x / max(width - 1, 1)
    return (np.stack([down, across, (down + across) / 2], 2) * 255).round().astype(np.uint8)


def content_box(prepared: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero((prepared != 255).any(2))
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ((24, 32), (0, 24, 0, 32)),
        ((240, 320), (0, 24, 0, 32)),
        ((100, 100), (0, 24, 4, 28)),
        ((10, 320), (11, 12, 0, 32)),
        ((480, 20), (0, 24, 15, 16)),
        ((1, 1), (0, 24, 4, 28)),
        ((1, 5000), (11, 12, 0, 32)),
        ((5000, 1), (0, 24, 15, 16)),
    ],
)
def test_pad_keeps_all_of_it_centred_on_the_background(shape, box):
    prepared = prepare(plain(*shape), SPEC)
    assert prepared.shape == (24, 32, 3)
    assert content_box(prepared) == box
    top, bottom, left, right = box
    assert (prepared[top:bottom, left:right] == RED).all()


def test_padding_has_the_background_asked_for():
    prepared = prepare(plain(10, 10), replace(SPEC, background=(1, 2, 3)))
    assert (prepared[:, :4] == (1, 2, 3)).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (7, 500), (24, 32), (300, 17)])
@pytest.mark.parametrize("fit", ["crop", "squash"])
@pytest.mark.parametrize("crop_pct", [1.0, 0.5])
def test_crop_and_squash_fill_the_input(shape, fit, crop_pct):
    prepared = prepare(plain(*shape), replace(SPEC, fit=fit, crop_pct=crop_pct))
    assert (prepared == RED).all()
    assert prepared.shape == (24, 32, 3)


def test_crop_keeps_the_middle():
    picture = plain(40, 120, (0, 0, 0))
    picture[:, 40:80] = RED
    prepared = prepare(picture, replace(SPEC, size=(40, 40), fit="crop"))
    assert (prepared == RED).all()


def test_crop_pct_keeps_that_share_of_each_side():
    picture = plain(100, 100, (0, 0, 0))
    picture[25:75, 25:75] = RED
    prepared = prepare(picture, replace(SPEC, size=(50, 50), fit="squash", crop_pct=0.5))
    assert (prepared == RED).all()


def test_a_picture_of_the_input_size_is_passed_through():
    picture = smooth(24, 32)
    assert np.array_equal(prepare(picture, SPEC), picture)
    strided = smooth(48, 64)[::2, ::2]
    prepared = prepare(strided, SPEC)
    assert np.array_equal(prepared, strided)
    assert prepared.flags.c_contiguous


def test_resizing_averages_when_it_makes_smaller():
    stripes = np.zeros((320, 320, 3), np.uint8)
    stripes[:, ::2] = 255
    prepared = prepare(stripes, replace(SPEC, size=(32, 32)))
    inner = prepared[:, 2:-2].astype(int)
    assert abs(inner - 127.5).max() < 3


def test_a_large_picture_reduced_in_steps_is_that_resized_in_one():
    from PIL import Image

    picture = smooth(1500, 2000)
    picture[::7] //= 2
    direct = np.asarray(Image.fromarray(picture).resize((32, 24), Image.Resampling.BICUBIC))
    assert abs(prepare(picture, SPEC).astype(int) - direct).max() <= 3


@given(
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.sampled_from(["pad", "crop", "squash"]),
    st.floats(0.3, 1.0),
)
@settings(max_examples=150, deadline=None)
def test_any_picture_gives_the_size_and_only_its_colours(shape, size, fit, crop_pct):
    spec = replace(SPEC, size=size, fit=fit, crop_pct=crop_pct, background=RED)
    prepared = prepare(plain(*shape), spec)
    assert prepared.shape == (*size, 3)
    assert (prepared == RED).all()


@pytest.mark.torch
@pytest.mark.parametrize("fit", ["crop", "squash", "pad"])
@pytest.mark.parametrize("shape", [(150, 225), (225, 150), (56, 56)])
def test_agrees_with_what_timm_evaluates_with(fit, shape):
    pytest.importorskip("torch")
    from timm.data import create_transform

    modes = {"crop": "center", "squash": "squash", "pad": "border"}
    spec = replace(SPEC, size=(56, 56), fit=fit, crop_pct=0.875 if fit == "crop" else 1.0)
    spec = replace(spec, background=tuple(round(255 * value) for value in spec.mean))
    transform = create_transform(
        (3, 56, 56),
        interpolation="bicubic",
        mean=spec.mean,
        std=spec.std,
        crop_pct=spec.crop_pct,
        crop_mode=modes[fit],
    )
    picture = smooth(*shape)
    from PIL import Image

    theirs = transform(Image.fromarray(picture)).numpy()
    ours = normalise(prepare(picture, spec)[None], spec)[0]
    levels = abs(ours - theirs) * 255 * np.array(spec.std)[:, None, None]
    assert levels.max() < 3
    assert levels.mean() < 0.8


def test_normalise_is_the_formula():
    inputs = np.random.default_rng(0).integers(0, 256, (3, 24, 32, 3), np.uint8)
    expected = (inputs / 255.0 - np.array(SPEC.mean)) / np.array(SPEC.std)
    result = normalise(inputs, SPEC)
    assert result.dtype == np.float32
    assert result.shape == (3, 3, 24, 32)
    np.testing.assert_allclose(result, expected.transpose(0, 3, 1, 2), atol=1e-5)


def test_normalise_leaves_its_input_and_takes_views():
    inputs = np.random.default_rng(0).integers(0, 256, (4, 10, 32, 3), np.uint8)
    before = inputs.copy()
    np.testing.assert_array_equal(normalise(inputs[::2], SPEC), normalise(inputs, SPEC)[::2])
    np.testing.assert_array_equal(inputs, before)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((4, 4), np.uint8), r"\(4, 4\) uint8"),
        (np.zeros((4, 4, 4), np.uint8), r"\(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), "not empty"),
        (np.zeros((4, 4, 3), np.float32), "float32"),
    ],
)
def test_what_is_no_picture_is_refused(picture, message):
    with pytest.raises(ValueError, match=message):
        prepare(picture, SPEC)


@pytest.mark.parametrize(
    "inputs",
    [np.zeros((4, 4, 3), np.uint8), np.zeros((1, 3, 4, 4), np.uint8), np.zeros((1, 4, 4, 3))],
)
def test_what_are_no_inputs_is_refused(inputs):
    with pytest.raises(ValueError, match=r"\(B, H, W, 3\) uint8"):
        normalise(inputs, SPEC)


def test_survives_json():
    spec = replace(SPEC, fit="crop", crop_pct=0.875, interpolation="lanczos", background=(1, 2, 3))
    assert Preprocessing.from_dict(json.loads(json.dumps(spec.to_dict()))) == spec


BAD = [
    ({"size": [0, 4]}, "size must be"),
    ({"size": [4]}, "size must be"),
    ({"size": [4, 100000]}, "size must be"),
    ({"size": 4}, "cannot be used"),
    ({"mean": [0.5, 0.5]}, "mean must be"),
    ({"mean": [0.5, 0.5, float("nan")]}, "mean must be"),
    ({"std": [0.5, 0.5, 0]}, "std must be"),
    ({"std": [0.5, 0.5, float("inf")]}, "std must be"),
    ({"fit": "stretch"}, "fit must be one of pad, crop, squash, got 'stretch'"),
    ({"crop_pct": 0}, "crop_pct must be"),
    ({"crop_pct": 1.5}, "crop_pct must be"),
    ({"crop_pct": "all"}, "cannot be used"),
    ({"interpolation": "magic"}, "interpolation must be one of nearest, bilinear"),
    ({"background": [0, 0, 256]}, "background must be"),
    ({"colour": 3}, "colour"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_a_bad_description_is_refused(change, message):
    with pytest.raises(ModelError, match=message):
        Preprocessing.from_dict({**SPEC.to_dict(), **change})


def test_a_description_without_a_size_is_refused():
    values = SPEC.to_dict()
    del values["size"]
    with pytest.raises(ModelError, match="size"):
        Preprocessing.from_dict(values)
