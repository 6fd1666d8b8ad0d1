"""How things are followed through a clip."""

from dataclasses import dataclass

from snapshelf.locating.shot_cuts import CUT

__all__ = ["TrackingSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingSettings:
    """How things are followed through a clip.

    Attributes:
        every: Frames from one key frame, in which things are located, to the next.
        cut: See `ShotCuts`.
        most: Regions of a key frame that are followed at most, the most confident ones.
        least_confidence: In [0, 1]. Regions of less are not followed.
        largest: In (0, 1]. Regions that cover a larger share of the picture are not followed: that
            is what locators say where they find nothing. 1 follows them.
        least_overlap: In [0, 1]. Of a course and a region that are one thing.
        least_likeness: Of what they look like, see `Appearance`.
        likeness_weight: In [0, 1], see `associate`.
        patience: Key frames after which a thing that is not found any more is given up.
        least_regions: A thing in fewer key frames is left out, unless its shot has no more.
        duplicate_overlap: In [0, 1], see `without_duplicates`.
        longest: Frames of a shot after which its trajectories so far are given, and go on as new
            pieces of the same numbers; so memory does not grow with the shot.

    Raises:
        ValueError: If a setting is out of range.
    """

    every: int = 5
    cut: float = CUT
    most: int = 20
    least_confidence: float = 0.1
    largest: float = 0.9
    least_overlap: float = 0.3
    least_likeness: float = 0.5
    likeness_weight: float = 0.5
    patience: int = 3
    least_regions: int = 2
    duplicate_overlap: float = 0.6
    longest: int = 3000

    def __post_init__(self) -> None:
        for name in ("every", "most", "least_regions", "longest"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.patience < 0:
            raise ValueError(f"patience must be at least 0, got {self.patience}")
        for name in (
            "least_confidence",
            "least_overlap",
            "likeness_weight",
            "duplicate_overlap",
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)}")
        for name in ("cut", "largest"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {getattr(self, name)}")
