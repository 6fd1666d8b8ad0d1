"""How far a view departs from its source: a probability and a range for each effect."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np

__all__ = ["DomainShift", "Effect"]


def _check_share(name: str, value: Any) -> None:
    if not _is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name} must be a number in [0, 1], got {value!r}")


def _check_range(name: str, value: Any, *, above_zero: bool = False) -> None:
    lowest = "above 0" if above_zero else "from 0"
    if (
        not isinstance(value, tuple)
        or len(value) != 2
        or not all(_is_number(end) for end in value)
        or not 0 <= value[0] <= value[1] <= 1
        or (above_zero and value[0] == 0)
    ):
        raise ValueError(f"{name} must be (lowest, highest) {lowest} to 1, got {value!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@dataclass(frozen=True, slots=True)
class Effect:
    """How often an effect happens, and how strong it then is.

    Attributes:
        probability: In [0, 1].
        strength: Lowest and highest, in [0, 1]; uniform between them.
    """

    probability: float
    strength: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        """Refuse what is no probability or no range.

        Raises:
            ValueError: Names the attribute, what was expected and what came.
        """
        _check_share("probability", self.probability)
        _check_range("strength", self.strength)

    def draw(self, rng: np.random.Generator) -> float:
        """Give a strength, or 0 where the effect doesn't happen."""
        return float(rng.uniform(*self.strength)) if rng.random() < self.probability else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainShift:
    """Settings of `street_view` and `shop_view`.

    Attributes:
        scale: Of a cut-out item, in (0, 1]: how much of the view its longer side takes; the
            square of it is uniform, so few items are tiny.
        photo_area: In (0, 1]: the share of a street photo's area that a view of it shows.
        flip: Probability of a mirrored view. Mirrored text is never seen in a shop: take 0
            for items that only differ in what is printed on them.
        rotation: Of the item, up to 40 degrees; of a photo, a quarter of that.
        perspective: Shifts of the corners, up to an eighth of the sides; of a photo, half that.
        bend: A thin-plate warp, as of cloth and bags.
        cut_off: The view's border hides up to 0.3 of the item; not of one that takes less than
            0.4 of the view.
        procedural: Probability of drawn clutter though there are background photos.
        neighbours: Probability of more of the same, or of other items, beside and behind it.
        others: Probability that a neighbour is another item, where there are any.
        hand: A hand holds the item and hides a little of it; likewise.
        occluder: Another item, or a price rail, hides up to 0.4 of it; likewise.
        shading: Light from one side on the item alone.
        drop_shadow: The item's shadow on the background.
        exposure: Gain, gamma, contrast and colour of the light.
        side_light: The light falls off to one side.
        cast_shadow: The shadow of something out of sight.
        streaks: Highlights of lamps.
        glass: Another picture reflected.
        shelf_glare: A bright line along a shelf's edge.
        motion_blur: The camera moved.
        focus_blur: The lens was out of focus.
        jpeg: Compression.
        shop_scale: As `scale`, of the picture in a shop view; uniform.
        shop_rotation: Up to 8 degrees.
        shop_exposure: As `exposure`, in a shop view, at a quarter of its range.
        cut_photos: Probability that a shop view of a photo shows the item alone, on white, if
            its matte tells the item from the background.
        pad_photos: Probability that a street view of a photo keeps the photo's shape, on white,
            as preprocessing pads a query; otherwise the part shown has the view's shape.
    """

    scale: tuple[float, float] = (0.2, 1.0)
    photo_area: tuple[float, float] = (0.35, 1.0)
    flip: float = 0.5
    rotation: Effect = Effect(0.8)
    perspective: Effect = Effect(0.8)
    bend: Effect = Effect(0.5)
    cut_off: Effect = Effect(0.15)
    procedural: float = 0.15
    neighbours: float = 0.35
    others: float = 0.5
    hand: Effect = Effect(0.3)
    occluder: Effect = Effect(0.25, (0.2, 1.0))
    shading: Effect = Effect(0.6)
    drop_shadow: Effect = Effect(0.7, (0.3, 1.0))
    exposure: Effect = Effect(0.95, (0.2, 1.0))
    side_light: Effect = Effect(0.4)
    cast_shadow: Effect = Effect(0.3)
    streaks: Effect = Effect(0.12)
    glass: Effect = Effect(0.1)
    shelf_glare: Effect = Effect(0.08)
    motion_blur: Effect = Effect(0.2)
    focus_blur: Effect = Effect(0.35)
    jpeg: Effect = Effect(0.6)
    shop_scale: tuple[float, float] = (0.8, 1.0)
    shop_rotation: Effect = Effect(0.3)
    shop_exposure: Effect = Effect(0.8)
    cut_photos: float = 0.4
    pad_photos: float = 0.3

    def __post_init__(self) -> None:
        """Refuse what is no probability, no range or no effect.

        Raises:
            ValueError: Names the attribute, what was expected and what came.
        """
        for name in ("scale", "photo_area", "shop_scale"):
            _check_range(name, getattr(self, name), above_zero=True)
        for name in ("flip", "procedural", "neighbours", "others", "cut_photos", "pad_photos"):
            _check_share(name, getattr(self, name))
        for name in _EFFECTS:
            if not isinstance(getattr(self, name), Effect):
                raise ValueError(f"{name} must be an Effect, got {getattr(self, name)!r}")

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON and TOML can hold."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gives; what is left out keeps its default.

        Args:
            values: Attribute names to values. An effect is a mapping of ``probability`` and
                ``strength``, either of which may be left out; sequences may be lists.

        Raises:
            ValueError: If a name is unknown, or a value cannot be used.
        """
        defaults = cls()
        known = [field.name for field in fields(cls)]
        attributes: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}, expected one of {', '.join(known)}")
            attributes[name] = tuple(value) if isinstance(value, list) else value
            if name in _EFFECTS:
                attributes[name] = _effect(name, value, getattr(defaults, name))
        return cls(**attributes)

    @classmethod
    def none(cls) -> Self:
        """Give settings under which nothing happens: all of the item, or of the photo, is shown."""
        values: dict[str, Any] = {
            **{name: Effect(0.0) for name in _EFFECTS},
            "scale": (1.0, 1.0),
            "photo_area": (1.0, 1.0),
            "shop_scale": (1.0, 1.0),
            "flip": 0.0,
            "procedural": 0.0,
            "neighbours": 0.0,
            "cut_photos": 0.0,
            "pad_photos": 1.0,
        }
        return cls(**values)


_EFFECTS = tuple(field.name for field in fields(DomainShift) if field.type is Effect)


def _effect(name: str, value: Any, default: Effect) -> Effect:
    if isinstance(value, Effect):
        return value
    if not isinstance(value, Mapping) or not value.keys() <= {"probability", "strength"}:
        raise ValueError(f"{name} must hold probability and strength, got {value!r}")
    strength = value.get("strength", default.strength)
    if isinstance(strength, list):
        strength = tuple(strength)
    try:
        return Effect(value.get("probability", default.probability), strength)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return value
