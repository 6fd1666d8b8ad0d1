"""How large and how long a clip may be before it is refused or cut off."""

from dataclasses import dataclass, fields

__all__ = ["VideoLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoLimits:
    """Bounds on a clip. Those that its header tells are checked before anything is decoded.

    Attributes:
        max_bytes: Largest file, in bytes (2 GiB).
        max_seconds: Longest clip; an hour. A frame at this time is beyond it.
        cut_longer: Whether no more than the first `max_seconds` of a longer clip are wanted. They
            are read without a warning, since the rest was not asked for. Else a longer clip is
            refused, and one whose header does not tell is read so far, with a warning.
        max_pixels: Largest width times height of a frame as stored (8K).
        max_frames: Frames that are decoded at most, an hour of 60 each second; then reading stops,
            with a warning.
        longest: Pixels. Frames with a longer side are scaled down to it.

    Raises:
        ValueError: If a bound is not above 0.
    """

    max_bytes: int = 2 * 1024**3
    max_seconds: float = 3600.0
    cut_longer: bool = False
    max_pixels: int = 7680 * 4320
    max_frames: int = 216_000
    longest: int = 1280

    def __post_init__(self) -> None:
        for bound in fields(self):
            value = getattr(self, bound.name)
            if bound.name != "cut_longer" and not value > 0:
                raise ValueError(f"{bound.name} must be above 0, got {value}")
