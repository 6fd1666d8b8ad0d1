"""The settings of the systems `fisher` and `vlad`."""

from dataclasses import dataclass, field
from typing import Literal

from snapshelf.features.classical.dense_sift import DenseSift
from snapshelf.features.classical.hessian_sift import HessianSift
from snapshelf.features.classical.sift import DESCRIPTOR_LENGTH
from snapshelf.features.preprocessing import Preprocessing

__all__ = ["CodebookSettings", "FisherSettings", "VladSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodebookSettings:
    """What both systems have in common.

    Attributes:
        components: Visual words, at least 1. The paper has 64 for the Fisher vector, and names
            no number for VLAD.
        dimension: Principal components kept of a descriptor, in [1, 128].
        size: Side in pixels of the square that a picture is brought to, in [16, 2048].
        fit: How, as `Preprocessing` says.
        pictures: Most training pictures that the codebook is learned of, at least 1; half of
            them from each side where it has as many.
        per_picture: Most descriptors drawn from each, at least 1.
        seed: Of the choice of pictures and descriptors and of the clustering, at least 0.
    """

    components: int = 64
    dimension: int = 64
    size: int = 208
    fit: Literal["pad", "crop", "squash"] = "pad"
    pictures: int = 600
    per_picture: int = 150
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        for name in ("components", "pictures", "per_picture"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 1 <= self.dimension <= DESCRIPTOR_LENGTH:
            raise ValueError(f"dimension must be in [1, {DESCRIPTOR_LENGTH}], got {self.dimension}")
        if not 16 <= self.size <= 2048:
            raise ValueError(f"size must be in [16, 2048], got {self.size}")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed must be in [0, 2 ** 31), got {self.seed}")

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures become inputs; nothing is normalised."""
        return Preprocessing(
            size=(self.size, self.size), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0), fit=self.fit
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FisherSettings(CodebookSettings):
    """Settings of `fisher`: those of `CodebookSettings`, and the grid of descriptors.

    Attributes:
        features: Where descriptors are taken.
    """

    features: DenseSift = field(default_factory=DenseSift)


@dataclass(frozen=True, slots=True, kw_only=True)
class VladSettings(CodebookSettings):
    """Settings of `vlad`: those of `CodebookSettings`, the detector, and the aggregation.

    Attributes:
        features: Where descriptors are taken.
        intra_normalise: Whether each word's residuals are normalised by themselves (see `vlad`).
    """

    features: HessianSift = field(default_factory=HessianSift)
    intra_normalise: bool = False
