"""`PartModel`: a deformable part model, a mixture of a few views of one kind of object.

Felzenszwalb, Girshick, McAllester, Ramanan: Object Detection with Discriminatively Trained
Part-Based Models, PAMI 2010, Section 3. Each component has a root filter, which covers the whole
object, and parts at twice its resolution, which may move from their anchors at a cost.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.locating.distance_transform import Deformation
from snapshelf.locating.feature_pyramid import PyramidSettings
from snapshelf.locating.hog import FEATURES

__all__ = ["Component", "Part", "PartModel"]

Filter = NDArray[np.float32]
"""(h, w, 32) float32: a weight for each value of each cell."""


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a component.

    Attributes:
        filter: (h, w, 32) float32.
        anchor: (row, column) of its first cell, relative to the root's, in cells of parts.
        deformation: What a displacement from the anchor costs.
    """

    filter: Filter
    anchor: tuple[int, int]
    deformation: Deformation

    def __post_init__(self) -> None:
        """Refuse a part that cannot be placed.

        Raises:
            ValueError: Names what was expected and what came.
        """
        _check_filter(self.filter)
        if not np.isfinite(self.deformation).all() or min(self.deformation[2:]) <= 0:
            raise ValueError(
                "a deformation must be four finite numbers, the last two positive, "
                f"got {self.deformation}"
            )


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """One view of the object.

    Attributes:
        root: (h, w, 32) float32, the root filter.
        bias: Added to its score, so that components can be compared.
        parts: They may lie anywhere in the root's box.
    """

    root: Filter
    bias: float
    parts: tuple[Part, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a component whose parts lie outside of it.

        Raises:
            ValueError: Names what was expected and what came.
        """
        _check_filter(self.root)
        if not np.isfinite(self.bias):
            raise ValueError(f"bias must be finite, got {self.bias}")
        for part in self.parts:
            for first, length, most in zip(
                part.anchor, part.filter.shape, self.root.shape[:2], strict=False
            ):
                if first < 0 or first + length > 2 * most:
                    raise ValueError(
                        f"parts must lie in the root of {self.root.shape[:2]} cells, got "
                        f"{part.filter.shape[:2]} finer cells at {part.anchor}"
                    )

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) of the root filter in cells."""
        return self.root.shape[0], self.root.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class PartModel:
    """A trained deformable part model; it is data, and `detect_parts` is what uses it.

    Attributes:
        components: At least one.
        pyramid: What the filters are made for.
    """

    components: tuple[Component, ...]
    pyramid: PyramidSettings = field(default_factory=PyramidSettings)

    def __post_init__(self) -> None:
        """Refuse a model without components.

        Raises:
            ValueError: If there is none.
        """
        if not self.components:
            raise ValueError("components must be at least one, got none")

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides what is detected."""
        digest = hashlib.blake2b(digest_size=16)
        digest.update(json.dumps(self.settings(), sort_keys=True).encode())
        for name, tensor in sorted(self.tensors().items()):
            digest.update(f"{name}{tensor.shape}".encode() + tensor.tobytes())
        return digest.hexdigest()

    def settings(self) -> dict[str, Any]:
        """Give all but the filters, as JSON can hold it."""
        return {
            "pyramid": asdict(self.pyramid),
            "components": [
                {
                    "bias": float(component.bias),
                    "parts": [
                        {
                            "anchor": list(part.anchor),
                            "deformation": [float(weight) for weight in part.deformation],
                        }
                        for part in component.parts
                    ],
                }
                for component in self.components
            ],
        }

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        """Give the filters: ``0/root`` of component 0, ``0/part/2`` of its part 2."""
        tensors = {}
        for number, component in enumerate(self.components):
            tensors[f"{number}/root"] = component.root
            for place, part in enumerate(component.parts):
                tensors[f"{number}/part/{place}"] = part.filter
        return tensors

    @classmethod
    def of(
        cls, settings: Mapping[str, Any], tensors: Mapping[str, NDArray[np.float32]]
    ) -> "PartModel":
        """Make a model of what `settings` and `tensors` gave.

        Raises:
            KeyError: If a setting or a filter is missing.
            TypeError: If a setting is of another type.
            ValueError: If they make no model.
        """
        components = []
        for number, values in enumerate(settings["components"]):
            parts = [
                Part(
                    tensors[f"{number}/part/{place}"],
                    (int(part["anchor"][0]), int(part["anchor"][1])),
                    _deformation(part["deformation"]),
                )
                for place, part in enumerate(values["parts"])
            ]
            components.append(
                Component(tensors[f"{number}/root"], float(values["bias"]), tuple(parts))
            )
        return cls(tuple(components), PyramidSettings(**settings["pyramid"]))


def _deformation(values: Any) -> Deformation:
    across, along, across2, along2 = (float(value) for value in values)
    return across, along, across2, along2


def _check_filter(weights: Filter) -> None:
    if weights.ndim != 3 or weights.shape[2] != FEATURES or not weights.size:
        raise ValueError(f"a filter must be (h, w, {FEATURES}), got {weights.shape}")
    if weights.dtype != np.float32 or not np.isfinite(weights).all():
        raise ValueError("a filter must be finite float32 numbers")
