"""The options of commands that read clips."""

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from snapshelf.shelf import ClipSettings

__all__ = ["clip_settings"]


def clip_settings(rate: float | None, max_seconds: float | None) -> "ClipSettings":
    """Give the settings that options ask for.

    Args:
        rate: Frames looked at each second at most, None for the default.
        max_seconds: Of each clip; None to read clips of an hour and refuse longer ones.

    Raises:
        typer.BadParameter: If one of them is not above 0.
    """
    from snapshelf.media.video_limits import VideoLimits
    from snapshelf.shelf import ClipSettings

    for option, value in (("--rate", rate), ("--max-seconds", max_seconds)):
        if value is not None and not 0 < value < float("inf"):
            raise typer.BadParameter(f"must be above 0, got {value}", param_hint=option)
    settings = ClipSettings() if rate is None else ClipSettings(rate=rate)
    if max_seconds is None:
        return settings
    return replace(settings, limits=VideoLimits(max_seconds=max_seconds, cut_longer=True))
