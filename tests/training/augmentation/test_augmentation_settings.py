"""The settings: what is refused, and that they survive dictionaries, JSON and pickling."""

import json
import math
import pickle
from dataclasses import fields, replace

import numpy as np
import pytest

from snapshelf.training.augmentation import DomainShift, Effect

REFUSED = {
    "probability above 1": (lambda: Effect(1.1), r"probability must be .*\[0, 1\], got 1.1"),
    "probability below 0": (lambda: Effect(-0.1), "probability must be"),
    "probability not a number": (lambda: Effect(math.nan), "probability must be"),
    "probability a truth": (lambda: Effect(True), "probability must be"),
    "probability a text": (lambda: Effect("0.5"), "probability must be"),
    "strength upside down": (
        lambda: Effect(1, (0.8, 0.2)),
        r"strength must be \(lowest, highest\)",
    ),
    "strength too high": (lambda: Effect(1, (0.5, 1.5)), "strength must be"),
    "strength a number": (lambda: Effect(1, 0.5), "strength must be"),
    "strength of three": (lambda: Effect(1, (0, 0.5, 1)), "strength must be"),
    "strength infinite": (lambda: Effect(1, (0, math.inf)), "strength must be"),
    "scale 0": (lambda: DomainShift(scale=(0.0, 1.0)), r"scale must be .* above 0 to 1, got"),
    "scale above 1": (lambda: DomainShift(scale=(0.5, 1.2)), "scale must be"),
    "scale not a number": (lambda: DomainShift(scale=(math.nan, 1.0)), "scale must be"),
    "area 0": (lambda: DomainShift(photo_area=(0.0, 0.0)), "photo_area must be"),
    "shop scale a list": (lambda: DomainShift(shop_scale=[0.5, 1.0]), "shop_scale must be"),
    "flip": (lambda: DomainShift(flip=2), "flip must be"),
    "procedural": (lambda: DomainShift(procedural=-1), "procedural must be"),
    "neighbours": (lambda: DomainShift(neighbours=None), "neighbours must be"),
    "others": (lambda: DomainShift(others="often"), "others must be"),
    "cut photos": (lambda: DomainShift(cut_photos=1.01), "cut_photos must be"),
    "pad photos": (lambda: DomainShift(pad_photos=np.nan), "pad_photos must be"),
    "no effect": (lambda: DomainShift(jpeg=0.5), "jpeg must be an Effect, got 0.5"),
    "unknown": (lambda: DomainShift.from_dict({"blurr": 1}), "unknown setting 'blurr', .*flip"),
    "effect a number": (lambda: DomainShift.from_dict({"jpeg": 1}), "jpeg must hold probability"),
    "effect's key": (
        lambda: DomainShift.from_dict({"hand": {"chance": 1}}),
        "hand must hold probability and strength, got",
    ),
    "effect's value": (
        lambda: DomainShift.from_dict({"hand": {"strength": [2, 3]}}),
        "hand: strength must be",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    make, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        make()


def test_every_number_is_checked():
    """A new setting that nothing checks would fail here."""
    for field in fields(DomainShift):
        bad = (0.5, 7.0) if isinstance(field.default, tuple) else 7.0
        with pytest.raises(ValueError, match=f"^{field.name} must be"):
            replace(DomainShift(), **{field.name: bad})


@pytest.mark.parametrize("settings", [DomainShift(), DomainShift.none()])
def test_survive_json_and_pickling(settings):
    assert DomainShift.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_what_is_left_out_keeps_its_default():
    settings = DomainShift.from_dict(
        {"flip": 0, "scale": [0.5, 0.6], "occluder": {"probability": 0.9}, "jpeg": Effect(0.1)}
    )
    expected = replace(
        DomainShift(),
        flip=0,
        scale=(0.5, 0.6),
        occluder=Effect(0.9, DomainShift().occluder.strength),
        jpeg=Effect(0.1),
    )
    assert settings == expected
    assert DomainShift.from_dict({}) == DomainShift()


def test_an_effect_happens_as_often_as_its_probability_says():
    effect, rng = Effect(0.3, (0.2, 0.6)), np.random.default_rng(0)
    drawn = np.array([effect.draw(rng) for _ in range(4000)])
    happened = drawn[drawn > 0]
    # Four standard deviations of a share of 4000.
    assert abs(len(happened) / 4000 - 0.3) < 4 * math.sqrt(0.3 * 0.7 / 4000)
    assert 0.2 <= happened.min() < 0.22
    assert 0.58 < happened.max() <= 0.6
    assert abs(happened.mean() - 0.4) < 0.02


@pytest.mark.parametrize(("probability", "expected"), [(0.0, 0.0), (1.0, 0.7)])
def test_never_and_always(probability, expected):
    effect, rng = Effect(probability, (0.7, 0.7)), np.random.default_rng(0)
    assert {effect.draw(rng) for _ in range(200)} == {expected}
