"""Pictures of products made small, and those of other hosts fetched for the service's pages.

A page may show pictures of this service only; a shop's pictures often lie elsewhere.
"""

import asyncio
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from snapshelf.media.decode import decode_picture
from snapshelf.media.encode import encode_jpeg
from snapshelf.media.source import UrlReader
from snapshelf.service.problems import ProblemError
from snapshelf.service.settings import Settings
from snapshelf.shelf.changing import picture_source
from snapshelf.shelf.shelf import Shelf

__all__ = ["SmallPicture", "SmallPictures"]

FETCHING_THREADS = 8
MOST_WAITING = 200
KEPT_BYTES = 32 * 1024 * 1024
KEPT_S = 600.0


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A picture made small.

    Attributes:
        jpeg: Its file, which holds nothing but the pixels.
        size: (width, height) in pixels of the picture that it was made from.
    """

    jpeg: bytes
    size: tuple[int, int]


class SmallPictures:
    """Reads pictures of a shelf and makes them small; keeps those that were fetched for a while.

    For the event loop's thread only. What lies elsewhere is fetched in threads of its own, so that
    no search waits for another host.

    Args:
        shelf: Its pictures are read.
        settings: Bounds.
        fetcher: Fetches pictures that lie elsewhere.
        pool: Threads for work on pictures.
    """

    def __init__(
        self, shelf: Shelf, settings: Settings, fetcher: UrlReader, pool: ThreadPoolExecutor
    ) -> None:
        assert shelf.place is not None
        root = shelf.store.properties.get("root")
        limits = settings.limits
        self._limits = limits
        self._files = picture_source(root, shelf.place, limits=limits)
        self._web = picture_source(root, shelf.place, limits=limits, fetcher=fetcher)
        self._pool = pool
        self._fetching = ThreadPoolExecutor(
            FETCHING_THREADS, thread_name_prefix="snapshelf-fetching"
        )
        self._waiting = 0
        self._kept: OrderedDict[tuple[str, int], tuple[float, SmallPicture]] = OrderedDict()
        self._kept_bytes = 0

    async def read(self, source: str, longest_side: int) -> SmallPicture:
        """Read a picture of the feed's folder.

        Args:
            source: As the feed names it, no URL.
            longest_side: In pixels.

        Raises:
            PictureError: If it cannot be read.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._pool, lambda: self._small(self._files.read(source), longest_side)
        )

    async def fetch(self, url: str, longest_side: int) -> SmallPicture:
        """Fetch a picture that lies elsewhere.

        Args:
            url: As the feed names it.
            longest_side: In pixels.

        Raises:
            PictureError: If it cannot be had.
            ProblemError: If too many are being fetched.
        """
        place = (url, longest_side)
        kept = self._kept.get(place)
        if kept is not None and time.monotonic() < kept[0]:
            self._kept.move_to_end(place)
            return kept[1]
        if self._waiting >= MOST_WAITING:
            raise ProblemError(
                "busy", "too many pictures are being fetched; try again", retry_after_s=2
            )
        self._waiting += 1
        try:
            data = await asyncio.get_running_loop().run_in_executor(
                self._fetching, self._web.read, url
            )
            small = await asyncio.get_running_loop().run_in_executor(
                self._pool, self._small, data, longest_side
            )
        finally:
            self._waiting -= 1
        self._keep(place, small)
        return small

    def close(self) -> None:
        """Wait for what is being fetched."""
        self._fetching.shutdown(cancel_futures=True)

    def _keep(self, place: tuple[str, int], small: SmallPicture) -> None:
        before = self._kept.pop(place, None)
        self._kept_bytes += len(small.jpeg) - (0 if before is None else len(before[1].jpeg))
        self._kept[place] = (time.monotonic() + KEPT_S, small)
        while self._kept_bytes > KEPT_BYTES:
            _, (_, oldest) = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest.jpeg)

    def _small(self, data: bytes, longest_side: int) -> SmallPicture:
        picture = decode_picture(data, self._limits)
        height, width = picture.shape[:2]
        return SmallPicture(encode_jpeg(picture, longest_side=longest_side), (width, height))
