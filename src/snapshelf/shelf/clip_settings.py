"""How a clip is searched."""

from dataclasses import dataclass, field

from snapshelf.locating.clip_locator import ClipLocator
from snapshelf.locating.locator import Locator
from snapshelf.locating.tracking_settings import TrackingSettings
from snapshelf.locating.trajectory_windows import STEPS
from snapshelf.media.video_limits import VideoLimits

__all__ = ["ALIKE", "ALIKE_FOUND", "ClipSettings"]

ALIKE = 0.93
"""Cosine of mean embeddings from which two trajectories are one item; docs/video.md measures it."""

ALIKE_FOUND = 0.88
"""The same of two to which the same product of the shelf is the nearest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSettings:
    """How a clip is searched.

    Attributes:
        rate: Frames looked at each second, at most. Below 5 give a higher `TrackingSettings.cut`.
        locator: Looks at the clip's frames in place of the system's, which may take whole pictures
            only, as photos of one thing need and clips seldom do; a `ClipLocator` looks through
            the clip first. None for the system's.
        steps: Of a trajectory, embedded at most, at least 2; taken evenly.
        whole_steps: The same of 2 s of a shot in which nothing smaller than the picture is located.
        alike: In [-1, 1]. Trajectories at different times are one item if the cosine of their mean
            embeddings is at least this; above 1 none are.
        alike_found: The same for items to which the same product of the shelf is the nearest.
        most: Items of a clip at most, at least 1: those that are seen longest and surest. So
            memory stays bounded.
        limits: Bounds of the clip's file.
        tracking: How things are followed.

    Raises:
        ValueError: If a setting is out of range.
    """

    rate: float = 10.0
    locator: Locator | ClipLocator | None = None
    steps: int = STEPS
    whole_steps: int = 8
    alike: float = ALIKE
    alike_found: float = ALIKE_FOUND
    most: int = 100
    limits: VideoLimits = field(default_factory=VideoLimits)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise ValueError(f"rate must be above 0, got {self.rate}")
        for name in ("steps", "whole_steps"):
            if getattr(self, name) < 2:
                raise ValueError(f"{name} must be at least 2, got {getattr(self, name)}")
        for name in ("alike", "alike_found"):
            if not getattr(self, name) >= -1:
                raise ValueError(f"{name} must be at least -1, got {getattr(self, name)}")
        if self.most < 1:
            raise ValueError(f"most must be at least 1, got {self.most}")
