"""What makes a detector, besides its weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.locating.edge_boxes import EdgeBoxesSettings
from snapshelf.locating.region_settings import RegionSettings

__all__ = ["DetectorSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings:
    """How a Faster or a Fast R-CNN is built.

    Attributes:
        regions: The backbone, how large it sees a picture, and the rows and columns that a box's
            features are pooled to.
        classes: The names of what is detected, at least one, each once.
        channels: Of the feature map that boxes are proposed on and pooled from.
        hidden: Units of the two layers that look at a box.
        anchors: Sides in pixels, as the backbone sees them, of the boxes that proposals start
            from; each in the shapes 1:2, 1:1 and 2:1. Only Faster R-CNN has them.
        edge_boxes: How EdgeBoxes proposes boxes for a Fast R-CNN. None: the network proposes its
            boxes itself, which makes it a Faster R-CNN.
    """

    regions: RegionSettings
    classes: tuple[str, ...]
    channels: int = 256
    hidden: int = 512
    anchors: tuple[int, ...] = (32, 64, 128, 256, 512)
    edge_boxes: EdgeBoxesSettings | None = None

    def __post_init__(self) -> None:
        """Refuse settings of no detector.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if not self.classes or len(set(self.classes)) < len(self.classes) or "" in self.classes:
            raise ValueError(f"classes must be names, at least one, each once, got {self.classes}")
        for name in ("channels", "hidden"):
            if not 1 <= getattr(self, name) <= 65_536:
                raise ValueError(f"{name} must be in [1, 65536], got {getattr(self, name)}")
        if not self.anchors or not all(1 <= side <= 8192 for side in self.anchors):
            raise ValueError(f"anchors must be in [1, 8192] pixels, got {self.anchors}")

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        values = {
            "regions": self.regions.to_dict(),
            "classes": list(self.classes),
            "channels": self.channels,
            "hidden": self.hidden,
            "anchors": list(self.anchors),
        }
        # Left out where there is none, so that the fingerprints of older detectors stay.
        return (
            values if self.edge_boxes is None else values | {"edge_boxes": asdict(self.edge_boxes)}
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "DetectorSettings":
        """Read back what `to_dict` gave.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        try:
            given = values.get("edge_boxes")
            return cls(
                **{
                    **values,
                    "edge_boxes": None if given is None else EdgeBoxesSettings(**given),
                    "regions": RegionSettings.from_dict(values["regions"]),
                    "classes": tuple(str(name) for name in values["classes"]),
                    "anchors": tuple(int(side) for side in values["anchors"]),
                }
            )
        except KeyError as error:
            raise ModelError(f"the setting {error} of a detector is missing") from error
        except (AttributeError, TypeError, ValueError) as error:
            raise ModelError(f"no detector can be made of these settings: {error}") from error
