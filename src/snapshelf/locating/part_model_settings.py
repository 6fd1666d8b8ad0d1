"""How a deformable part model is trained."""

from dataclasses import dataclass, field

from snapshelf.locating.feature_pyramid import PyramidSettings

__all__ = ["PartModelSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartModelSettings:
    """Settings of `train_part_model`.

    The PAMI paper has six parts and says nothing of the trade-off; a few hundred boxes suit the
    defaults.

    Attributes:
        components: Views of the object, each with a root of its own aspect ratio.
        root_cells: About how many cells a root filter has.
        parts: Parts of a component; 0 for root filters only.
        part_size: (rows, columns) of a part filter, in cells of half the size.
        trade_off: C of the support vector machine, over the sum of all examples.
        overlap: A placed root is taken for an object if its IoU with the object's box is at
            least this.
        apart: It is taken for a negative example if its IoU with every box is below this.
        negatives: Hard negatives that are kept for a component.
        negatives_of_picture: New ones that a picture adds to a component in a round, at most.
        fit_after: Pictures after which the weights are fitted, from a phase's second round on.
        root_rounds: Rounds over the pictures with root filters only.
        part_rounds: Rounds with parts.
        pyramid: How pictures are described.
        seed: Of the random negatives that the first roots are trained with.
    """

    components: int = 5
    root_cells: int = 48
    parts: int = 6
    part_size: tuple[int, int] = (6, 6)
    trade_off: float = 0.005
    overlap: float = 0.6
    apart: float = 0.3
    negatives: int = 3000
    negatives_of_picture: int = 20
    fit_after: int = 25
    root_rounds: int = 2
    part_rounds: int = 3
    pyramid: PyramidSettings = field(default_factory=PyramidSettings)
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse settings that train nothing.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        for name, least in (
            ("components", 1),
            ("root_cells", 9),
            ("parts", 0),
            ("negatives", 1),
            ("negatives_of_picture", 1),
            ("fit_after", 1),
            ("root_rounds", 0),
            ("part_rounds", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if min(self.part_size) < 1:
            raise ValueError(f"part_size must be at least 1 x 1 cells, got {self.part_size}")
        if not self.trade_off > 0:
            raise ValueError(f"trade_off must be positive, got {self.trade_off}")
        if not 0 < self.apart <= self.overlap < 1:
            raise ValueError(
                "apart and overlap must be in (0, 1), apart not larger, "
                f"got {self.apart} and {self.overlap}"
            )
