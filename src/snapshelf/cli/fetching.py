"""The fetcher that commands read feed pictures with."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snapshelf.media import Fetcher

__all__ = ["cache_folder", "open_fetcher"]


def open_fetcher(
    *, allow_private: bool = False, recheck: bool = False, retries: int = 3
) -> "Fetcher":
    """Open a fetcher with the user's cache, to be closed by the caller.

    Args:
        allow_private: Fetch from private addresses too.
        recheck: Ask the server whether a cached picture has changed.
        retries: How often to try again after a failure that may pass.
    """
    from snapshelf.media import Fetcher

    return Fetcher(cache_folder(), allow_private=allow_private, recheck=recheck, retries=retries)


def cache_folder() -> Path:
    """Give the user's folder of pictures from the web."""
    from platformdirs import user_cache_path

    return user_cache_path("snapshelf", appauthor=False) / "pictures"
