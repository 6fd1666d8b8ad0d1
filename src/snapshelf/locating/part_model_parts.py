"""`PartModelParts`: the parts of an item are where a deformable part model finds them."""

from dataclasses import dataclass
from math import isqrt

from snapshelf.locating.grid_parts import GridParts
from snapshelf.locating.part_model import PartModel
from snapshelf.locating.part_model_detection import detect_parts
from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB

__all__ = ["PartModelParts"]


@dataclass(frozen=True, slots=True, eq=False)
class PartModelParts:
    """A `PartLocator` that gives the parts of a picture's best detection.

    Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
    Section III-B, describe each part patch of the deformable part model's detection. Where nothing
    is detected the paper tells of no parts; here they are then the cells of a grid, as many.

    Attributes:
        model: Every component has the same number of parts, at least 1.
        threshold: A detection with a lower score is none; with the model's margin at -1, less than
            this is background.
    """

    model: PartModel
    threshold: float = -1.0

    def __post_init__(self) -> None:
        """Refuse a model that gives now so many parts, now so many.

        Raises:
            ValueError: Names what was expected and what came.
        """
        counts = [len(component.parts) for component in self.model.components]
        if min(counts) < 1 or min(counts) < max(counts):
            raise ValueError(
                "every component of the part model must have the same number of parts, at least "
                f"1, got {', '.join(map(str, counts))}"
            )

    @property
    def count(self) -> int:
        """How many parts there are."""
        return len(self.model.components[0].parts)

    @property
    def fingerprint(self) -> str:
        """The model's, the threshold, and the grid's for where nothing is detected."""
        return f"{self.model.fingerprint}-{self.threshold}, else {self._grid.fingerprint}"

    def __call__(self, picture: RGB) -> tuple[Box, ...]:
        """Find the parts, in the order of the component's.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].

        Returns:
            `count` boxes within the picture. One that the model places outside has no area.

        Raises:
            ValueError: If the picture is empty, of another shape or not uint8.
        """
        found = detect_parts(self.model, picture, threshold=self.threshold, most=1)
        return found[0].parts if found else self._grid(picture)

    @property
    def _grid(self) -> GridParts:
        """The grid of so many cells that is the closest to a square, rather tall than wide."""
        columns = max(n for n in range(1, isqrt(self.count) + 1) if self.count % n == 0)
        return GridParts(self.count // columns, columns)
