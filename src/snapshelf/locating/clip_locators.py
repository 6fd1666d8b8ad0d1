"""Locators for clips by name or folder, for systems that take whole pictures."""

from collections.abc import Callable
from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.locating.clip_locator import ClipLocator
from snapshelf.locating.locator import Locator

__all__ = ["CLIP_LOCATORS", "clip_locator"]


def clip_locator(name_or_dir: str) -> Locator | ClipLocator:
    """Give what locates in a clip's frames.

    Args:
        name_or_dir: One of `CLIP_LOCATORS`, or a folder as `locator_from_folder` takes it.

    Raises:
        ModelError: If it is neither, or the folder's locator cannot be loaded.
    """
    if name_or_dir in CLIP_LOCATORS:
        return CLIP_LOCATORS[name_or_dir]()
    if not Path(name_or_dir).is_dir():
        raise ModelError(
            f"there is no locator {name_or_dir!r}: choose from {', '.join(CLIP_LOCATORS)}, which "
            "need no training, or give the folder of one that was trained, as recipes/locating.py "
            "and recipes/detector.py in snapshelf's source repository do"
        )
    from snapshelf.locating.locator_folder import locator_from_folder

    return locator_from_folder(Path(name_or_dir))


def _proposals() -> Locator:
    """The three best EdgeBoxes of a frame, which need no training and know no things."""
    from snapshelf.locating.edge_boxes import EdgeBoxes, EdgeBoxesSettings
    from snapshelf.locating.ranked_proposals import RankedProposals

    # Of a frame of 600 pixels; smaller parts of things are no items, and are proposed by dozens.
    return RankedProposals(EdgeBoxes(EdgeBoxesSettings(least_side=80.0)), most=3, overlap=0.3)


def _whole() -> Locator:
    from snapshelf.locating.whole_picture import WholePicture

    return WholePicture()


def _still() -> ClipLocator:
    """What stands before the background of a clip whose camera stands still."""
    from snapshelf.locating.still_camera import StillCamera

    return StillCamera()


CLIP_LOCATORS: dict[str, Callable[[], Locator | ClipLocator]] = {
    "still": _still,
    "proposals": _proposals,
    "whole": _whole,
}
