"""The garments of a label map, each with its box and its pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.training_item import AttributeValue
from snapshelf.locating.region import Box

__all__ = ["GarmentArea", "GarmentRules", "garment_areas"]


@dataclass(frozen=True, slots=True)
class GarmentRules:
    """When connected pixels of one label are one garment.

    Attributes:
        merged: The groups of which all parts are one garment: a pair of shoes, the halves of an
            open coat, trousers behind a bag. Of other groups each part is a garment.
        least_share: Of a map's pixels: a garment that covers less is dropped.
        least_part: Of the largest part's pixels: a smaller part of a merged garment is taken as
            an error of the map, and dropped, so that it does not blow up the box.
    """

    merged: frozenset[str] = frozenset(
        {"top", "outerwear", "bottom", "whole body", "footwear", "legwear", "underwear"}
    )
    least_share: float = 0.003
    least_part: float = 0.05

    def __post_init__(self) -> None:
        """Refuse shares that are none.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        for name in ("least_share", "least_part"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {value}")


@dataclass(frozen=True, slots=True, eq=False)
class GarmentArea:
    """One garment of a label map.

    Attributes:
        value: The garment's group and name.
        box: In pixels of the map; the smallest that holds all of `mask`.
        mask: (h, w) bool, as large as the box: the garment's pixels in it.
    """

    value: AttributeValue
    box: Box
    mask: NDArray[np.bool_]


def garment_areas(
    labels: NDArray[np.integer[Any]],
    values: Sequence[AttributeValue | None],
    rules: GarmentRules | None = None,
) -> tuple[GarmentArea, ...]:
    """Find the garments of a label map.

    Args:
        labels: (H, W) integers in [0, L), the label of each pixel.
        values: The garment of each of the L labels, None for what is no garment.
        rules: None for the default ones.

    Returns:
        By label, and of one label from top to bottom.
    """
    rules = rules or GarmentRules()
    least = max(1.0, rules.least_share * labels.size)
    areas: list[GarmentArea] = []
    for label in np.unique(labels).tolist():
        value = values[label]
        if value is None:
            continue
        parts = _garments(labels == label, rules, merged=value[0] in rules.merged)
        areas += [_area(value, part) for part in parts if np.count_nonzero(part) >= least]
    return tuple(areas)


def _garments(
    mask: NDArray[np.bool_], rules: GarmentRules, *, merged: bool
) -> Iterator[NDArray[np.bool_]]:
    """Part the pixels of one label into garments; pixels that touch at a corner are connected."""
    count, parts, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    sizes = facts[:, cv2.CC_STAT_AREA]
    if merged:
        kept = sizes >= rules.least_part * sizes[1:].max()
        kept[0] = False
        yield kept[parts]
    else:
        yield from (parts == part for part in range(1, count))


def _area(value: AttributeValue, mask: NDArray[np.bool_]) -> GarmentArea:
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    x0, x1 = int(columns[0]), int(columns[-1]) + 1
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    return GarmentArea(value, (float(x0), float(y0), float(x1), float(y1)), mask[y0:y1, x0:x1])
