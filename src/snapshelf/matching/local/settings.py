"""The numbers of finding, matching and verifying key points."""

from dataclasses import dataclass

from snapshelf.matching.local.verification import MODELS, Model

__all__ = ["LocalSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """How a query's and a candidate's key points are found, matched and verified.

    Attributes:
        query_side: The query is scaled until its longer side has so many pixels, at least 16.
        shop_side: The same of a gallery picture.
        query_most: Key points of a query at most, in [1, 65535].
        shop_most: Key points kept of a gallery picture at most, in [1, 65535]; each takes 132 bytes
            of the shelf.
        contrast: SIFT's contrast threshold, at least 0.
        ratio: In (0, 1]: the nearest descriptor must be nearer than this times the second.
        mutual: Whether matched key points must be the nearest of each other.
        model: What kind of mapping matches must agree on.
        threshold: Above 0: how far from where it is mapped to an inlier lies at most, as a part of
            the candidate's longer side.
        query_first: The strongest key points of a query, in [1, 65535], that decide which
            candidates are looked at closely.
        shop_first: The same of a gallery picture.
        verified: Candidates that are looked at closely, at least 0: those with the most matches
            among the strongest key points. The others keep the embeddings' similarity.
    """

    query_side: int = 512
    shop_side: int = 512
    query_most: int = 600
    shop_most: int = 400
    contrast: float = 0.03
    ratio: float = 0.8
    mutual: bool = True
    model: Model = "homography"
    threshold: float = 0.02
    query_first: int = 200
    shop_first: int = 100
    verified: int = 30

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        for name, least, most in (
            ("query_side", 16, 4096),
            ("shop_side", 16, 4096),
            ("query_most", 1, 65535),
            ("shop_most", 1, 65535),
            ("query_first", 1, 65535),
            ("shop_first", 1, 65535),
            ("verified", 0, 65535),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise ValueError(f"{name} must be in [{least}, {most}], got {value}")
        if self.contrast < 0:
            raise ValueError(f"contrast must be at least 0, got {self.contrast}")
        if not 0 < self.ratio <= 1:
            raise ValueError(f"ratio must be in (0, 1], got {self.ratio}")
        if self.model not in MODELS:
            raise ValueError(f"model must be one of {', '.join(MODELS)}, got {self.model!r}")
        if not 0 < self.threshold < 1:
            raise ValueError(f"threshold must be in (0, 1), got {self.threshold}")
