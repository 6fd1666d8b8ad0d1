"""The ranges of `RenderSettings`."""

import pytest

from snapshelf.datasets.clips import Filming, RenderSettings
from snapshelf.training.augmentation import Effect


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("frames", 0, "frames must be finite and at least 1, got 0"),
        ("frames", 5000, "frames must be at most 4096, got 5000"),
        ("rate", 0, "rate must be finite and above 0, got 0"),
        ("rate", float("nan"), "rate must be finite and above 0, got nan"),
        ("size", (4, 160), "size must be .H, W., each 8 to 2048, got .4, 160."),
        ("size", (160, 1 << 20), "size must be .H, W., each 8 to 2048"),
        ("size", (160,), "size must be .H, W., each 8 to 2048"),
        ("item_share", (0.0, 0.5), "item_share must be .lowest, highest. above 0 and up to 1"),
        ("item_share", (0.6, 0.5), "item_share must be"),
        ("photo_share", (0.6, 1.5), "photo_share must be"),
        ("most_enlarged", 0.5, "most_enlarged must be finite and at least 1, got 0.5"),
        ("cuts", (-1, 2), "cuts must be .lowest, highest. from 0, got .-1, 2."),
        ("cuts", (3, 2), "cuts must be .lowest, highest. from 0, got .3, 2."),
        ("shortest_shot", 0, "shortest_shot must be finite and at least 1, got 0"),
        ("most_occluders", 0, "most_occluders must be finite and at least 1, got 0"),
        ("tilt", 0.5, "tilt must be an Effect, got 0.5"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(name, value, expected):
    with pytest.raises(ValueError, match=expected):
        RenderSettings(**{name: value})


def test_the_ends_of_the_ranges_are_accepted():
    settings = RenderSettings(
        frames=1,
        size=(8, 2048),
        item_share=(1.0, 1.0),
        photo_share=(0.01, 1.0),
        most_enlarged=1.0,
        cuts=(0, 0),
        shortest_shot=1,
        flicker=Effect(0.0),
    )
    assert settings.frames == 1


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        Filming(seed=-1)
