"""`LevelWeights`: how much the levels of a picture's description count."""

import math
from dataclasses import dataclass

__all__ = ["LevelWeights"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelWeights:
    """How much each level counts; 0 leaves it out, and its patches are not computed.

    Attributes:
        whole: Of level 1, the whole picture, at least 0.
        region: Of level 2, the best region, at least 0.
        parts: Of level 3, the parts, at least 0.
        conv5: Whether levels 1 and 2 have the pyramid of the last feature map beside FC1.
    """

    whole: float = 1.0
    region: float = 1.0
    parts: float = 1.0
    conv5: bool = True

    def __post_init__(self) -> None:
        """Refuse weights that leave nothing.

        Raises:
            ValueError: Names the weight, what was expected and what came.
        """
        for name in ("whole", "region", "parts"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be finite and at least 0, got {getattr(self, name)}")
        if self.whole == self.region == self.parts == 0:
            raise ValueError("one of whole, region and parts must be above 0, got 0 for each")
