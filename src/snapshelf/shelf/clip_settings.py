"""How a clip is searched."""

from dataclasses import dataclass, field

from snapshelf.locating.tracking_settings import TrackingSettings
from snapshelf.locating.trajectory_windows import STEPS
from snapshelf.media.video_limits import VideoLimits

__all__ = ["ALIKE", "ClipSettings"]

ALIKE = 0.9
"""Cosine of mean embeddings from which two trajectories are one item; docs/video.md measures it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSettings:
    """How a clip is searched.

    Attributes:
        rate: Frames looked at each second, at most. Below 5 give a higher `TrackingSettings.cut`.
        steps: Of a trajectory, embedded at most, at least 2; taken evenly.
        alike: In [-1, 1]. Trajectories at different times are one item if the cosine of their mean
            embeddings is at least this; above 1 none are.
        most: Items of a clip at most, at least 1: those that are seen longest and surest. So
            memory stays bounded.
        limits: Bounds of the clip's file.
        tracking: How things are followed.

    Raises:
        ValueError: If a setting is out of range.
    """

    rate: float = 10.0
    steps: int = STEPS
    alike: float = ALIKE
    most: int = 100
    limits: VideoLimits = field(default_factory=VideoLimits)
    tracking: TrackingSettings = field(default_factory=TrackingSettings)

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise ValueError(f"rate must be above 0, got {self.rate}")
        if self.steps < 2:
            raise ValueError(f"steps must be at least 2, got {self.steps}")
        if not self.alike >= -1:
            raise ValueError(f"alike must be at least -1, got {self.alike}")
        if self.most < 1:
            raise ValueError(f"most must be at least 1, got {self.most}")
