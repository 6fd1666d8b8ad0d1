"""What makes `RegionFeatures`: a backbone, and how it is looked through."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.features.preprocessing import Preprocessing

__all__ = ["RegionSettings"]

STRIDE = 32
"""Pixels: scaled pictures are whole multiples of this on each side, as most backbones halve five
times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSettings:
    """How boxes of a picture become features.

    Attributes:
        backbone: A name that `create_backbone` takes. It must take inputs of any size; a
            transformer does with the option ``dynamic_img_size``.
        options: Its keyword arguments, as JSON can hold them.
        preprocessing: That its weights were trained for; size and fit are not looked at.
        longest: Pixels that the longer side of every picture is scaled to; either side is then
            rounded to a whole multiple of 32.
        bins: A box's features are pooled to so many rows and columns.
    """

    backbone: str
    options: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: Preprocessing
    longest: int = 640
    bins: int = 3

    def __post_init__(self) -> None:
        """Refuse settings that nothing can be seen with.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if not STRIDE <= self.longest <= 4096:
            raise ValueError(f"longest must be in [{STRIDE}, 4096] pixels, got {self.longest}")
        if not 1 <= self.bins <= 14:
            raise ValueError(f"bins must be in [1, 14], got {self.bins}")

    def scaled_size(self, size: tuple[int, ...]) -> tuple[int, int]:
        """Give the (height, width) that a picture is scaled to.

        Args:
            size: (height, width) of the picture, or its shape.
        """
        steps = self.longest / STRIDE / max(size[:2])
        height, width = (max(1, round(side * steps)) * STRIDE for side in size[:2])
        return height, width

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return {
            "backbone": self.backbone,
            "options": dict(self.options),
            "preprocessing": self.preprocessing.to_dict(),
            "longest": self.longest,
            "bins": self.bins,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "RegionSettings":
        """Read back what `to_dict` gave.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        names = {each.name for each in fields(cls)}
        if values.keys() != names:
            raise ModelError(
                f"a region network needs the settings {', '.join(sorted(names))}, "
                f"got {', '.join(sorted(values)) or 'none'}"
            )
        kinds = {"backbone": str, "options": dict, "preprocessing": dict, "longest": int}
        for name, kind in {**kinds, "bins": int}.items():
            if not isinstance(values[name], kind):
                raise ModelError(
                    f"{name} of a region network must be of type {kind.__name__}, "
                    f"got {str(values[name])[:80]!r}"
                )
        preprocessing = Preprocessing.from_dict(values["preprocessing"])
        try:
            return cls(**{**values, "preprocessing": preprocessing})
        except ValueError as error:
            raise ModelError(f"no region network can be made: {error}") from error
