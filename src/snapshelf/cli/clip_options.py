"""The options of commands that read clips."""

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from snapshelf.shelf import ClipSettings

__all__ = ["clip_settings"]


def clip_settings(
    rate: float | None, max_seconds: float | None, locator: str | None
) -> "ClipSettings":
    """Give the settings that options ask for.

    Args:
        rate: Frames looked at each second at most, None for the default.
        max_seconds: Of each clip; None to read clips of an hour and refuse longer ones.
        locator: Name or folder of what locates in frames; None for the system's own.

    Raises:
        ModelError: If there is no such locator.
        typer.BadParameter: If one of them is not above 0.
    """
    from snapshelf.locating.clip_locators import clip_locator
    from snapshelf.media.video_limits import VideoLimits
    from snapshelf.shelf import ClipSettings

    for option, value in (("--rate", rate), ("--max-seconds", max_seconds)):
        if value is not None and not 0 < value < float("inf"):
            raise typer.BadParameter(f"must be above 0, got {value}", param_hint=option)
    settings = ClipSettings() if rate is None else ClipSettings(rate=rate)
    if max_seconds is not None:
        settings = replace(settings, limits=VideoLimits(max_seconds=max_seconds, cut_longer=True))
    return settings if locator is None else replace(settings, locator=clip_locator(locator))
