"""The `ClipLocator` contract: the frames of a clip to a locator for that clip."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from snapshelf.locating.locator import Locator
from snapshelf.media.video_frame import VideoFrame

__all__ = ["ClipLocator"]


@runtime_checkable
class ClipLocator(Protocol):
    """Looks at a whole clip before anything is located in it, such as for its background."""

    @property
    def rate(self) -> float:
        """How many frames of a second it looks at, at most."""
        ...

    def of_clip(self, frames: Iterable[VideoFrame]) -> Locator:
        """Give what locates in the frames of one clip.

        Args:
            frames: Of the clip, in order, `rate` of each second; read once and not held, so that
                memory does not grow with the clip's length.
        """
        ...
