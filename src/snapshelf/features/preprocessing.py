"""The one preprocessing: a picture of any size to an encoder's input, wherever it is needed.

Training, indexing, searching and exported models all call `prepare` and `normalise` with the
same `Preprocessing`, so the same picture gives the same input on every path.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from snapshelf.errors import ModelError
from snapshelf.media.picture import RGB

__all__ = ["FITS", "INTERPOLATIONS", "Preprocessing", "normalise", "prepare"]

Fit = Literal["pad", "crop", "squash"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]

FITS: tuple[str, ...] = ("pad", "crop", "squash")
INTERPOLATIONS: Mapping[str, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}

REDUCING_GAP = 3.0
"""A picture more than this many times too large is first averaged down in whole steps.

At 3 the result differs by a few levels at most from resizing in one step, and a 12-megapixel
photo takes half the time.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preprocessing:
    """How a picture becomes an input.

    Attributes:
        size: (height, width) of the input in pixels.
        mean: Per RGB channel, in units of [0, 1], subtracted.
        std: Per RGB channel, in units of [0, 1], divided by; above 0.
        fit: How a picture of another shape is brought to `size`: ``pad`` keeps all of it and
            fills up with the background, ``crop`` keeps its middle, ``squash`` keeps all of it
            and gives up its aspect ratio.
        crop_pct: In (0, 1]. The picture is scaled to ``size / crop_pct`` and its middle kept.
        interpolation: The resizing filter; always antialiased when making smaller.
        background: RGB, [0, 255], of the padding.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fit: Fit = "pad"
    crop_pct: float = 1.0
    interpolation: Interpolation = "bicubic"
    background: tuple[int, int, int] = (255, 255, 255)

    def __post_init__(self) -> None:
        """Refuse what no picture can be brought to.

        Raises:
            ValueError: Names the attribute, what was expected and what came.
        """
        if len(self.size) != 2 or not all(1 <= side <= 8192 for side in self.size):
            raise ValueError(f"size must be (height, width) within [1, 8192], got {self.size}")
        if len(self.mean) != 3 or not np.isfinite(self.mean).all():
            raise ValueError(f"mean must be three finite numbers, got {self.mean}")
        if len(self.std) != 3 or not all(0 < value < float("inf") for value in self.std):
            raise ValueError(f"std must be three finite numbers above 0, got {self.std}")
        if self.fit not in FITS:
            raise ValueError(f"fit must be one of {', '.join(FITS)}, got {self.fit!r}")
        if not 0 < self.crop_pct <= 1:
            raise ValueError(f"crop_pct must be in (0, 1], got {self.crop_pct}")
        if self.interpolation not in INTERPOLATIONS:
            names = ", ".join(INTERPOLATIONS)
            raise ValueError(f"interpolation must be one of {names}, got {self.interpolation!r}")
        if len(self.background) != 3 or not all(0 <= value <= 255 for value in self.background):
            raise ValueError(f"background must be RGB in [0, 255], got {self.background}")

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read back what `to_dict` gave.

        Args:
            values: Attribute names to values; sequences may be lists.

        Raises:
            ModelError: If a name is unknown or missing, or a value cannot be used.
        """
        attributes: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        try:
            return cls(**attributes)
        except (TypeError, ValueError) as error:
            raise ModelError(f"the preprocessing of the model cannot be used: {error}") from error


def prepare(picture: RGB, spec: Preprocessing) -> NDArray[np.uint8]:
    """Bring a picture to the input size.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], of any size and shape from 1 x 1.
        spec: How.

    Returns:
        (height, width, 3) uint8, RGB, [0, 255], C-contiguous; the picture itself where it
        already fits.

    Raises:
        ValueError: If the picture is empty, of another shape or not uint8.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(
            f"picture must be (H, W, 3) uint8 and not empty, got {picture.shape} {picture.dtype}"
        )
    if picture.shape[:2] == spec.size and spec.crop_pct == 1.0:
        return np.ascontiguousarray(picture)
    height, width = spec.size
    scaled = _scaled_size((picture.shape[0], picture.shape[1]), spec)
    shown = (min(scaled[0], height), min(scaled[1], width))
    top, bottom = _middle(picture.shape[0], shown[0] / scaled[0])
    left, right = _middle(picture.shape[1], shown[1] / scaled[1])
    resized = Image.fromarray(np.ascontiguousarray(picture)).resize(
        (shown[1], shown[0]),
        INTERPOLATIONS[spec.interpolation],
        box=(left, top, right, bottom),
        reducing_gap=REDUCING_GAP,
    )
    if shown == spec.size:
        return np.array(resized)
    result = np.empty((height, width, 3), np.uint8)
    result[:] = spec.background
    y, x = (height - shown[0]) // 2, (width - shown[1]) // 2
    result[y : y + shown[0], x : x + shown[1]] = np.asarray(resized)
    return result


def normalise(inputs: NDArray[np.uint8], spec: Preprocessing) -> NDArray[np.float32]:
    """Turn prepared pictures into a backbone's numbers: ``(inputs / 255 - mean) / std``.

    Args:
        inputs: (B, H, W, 3) uint8, RGB, [0, 255].
        spec: Holds mean and std.

    Returns:
        (B, 3, H, W) float32, a view of channels-last memory.

    Raises:
        ValueError: If the inputs are of another shape or not uint8.
    """
    if inputs.dtype != np.uint8 or inputs.ndim != 4 or inputs.shape[3] != 3:
        raise ValueError(f"inputs must be (B, H, W, 3) uint8, got {inputs.shape} {inputs.dtype}")
    batch, height, width, _ = inputs.shape
    std = np.asarray(spec.std, np.float64)
    factor = np.tile((1 / (255 * std)).astype(np.float32), width)
    offset = np.tile((-np.asarray(spec.mean) / std).astype(np.float32), width)
    # Whole rows of pixels at a time: the channels alone would make an inner loop of three.
    rows = inputs.reshape(batch, height, width * 3) * factor
    rows += offset
    return rows.reshape(batch, height, width, 3).transpose(0, 3, 1, 2)


def _scaled_size(size: tuple[int, int], spec: Preprocessing) -> tuple[int, int]:
    """Give the (height, width) of the whole picture once scaled, before any cutting."""
    target = (spec.size[0] / spec.crop_pct, spec.size[1] / spec.crop_pct)
    ratios = (target[0] / size[0], target[1] / size[1])
    if spec.fit == "pad":
        ratios = (min(ratios), min(ratios))
    elif spec.fit == "crop":
        ratios = (max(ratios), max(ratios))
    return max(1, round(size[0] * ratios[0])), max(1, round(size[1] * ratios[1]))


def _middle(length: int, share: float) -> tuple[float, float]:
    """Give the start and end of the middle share, in (0, 1], of a side."""
    margin = length * (1 - share) / 2
    return margin, length - margin
