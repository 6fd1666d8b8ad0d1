"""`Shelf`: a catalogue indexed with one system, to be searched."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from snapshelf.catalog.catalog import Catalog
from snapshelf.catalog.entry import Problem
from snapshelf.errors import ShelfError
from snapshelf.features.encoder import Domain
from snapshelf.locating.region import Box, Point
from snapshelf.media.clip_or_picture import is_clip
from snapshelf.media.decode import decode_picture
from snapshelf.media.limits import Limits
from snapshelf.media.picture import RGB
from snapshelf.media.picture_file import read_picture_file
from snapshelf.media.source import PictureSource, UrlReader
from snapshelf.shelf.clip_settings import ClipSettings
from snapshelf.shelf.feeding import note_feed
from snapshelf.shelf.query import answer_query, prepare_query
from snapshelf.shelf.result import SearchResult
from snapshelf.shelf.system_check import check_system, system_properties
from snapshelf.shelf.update import update_shelf
from snapshelf.shelf.update_report import UpdateReport
from snapshelf.store.embedded import EmbeddedStore
from snapshelf.store.filters import Filter, parse_filter
from snapshelf.store.records import Counts
from snapshelf.store.vector_store import VectorStore
from snapshelf.systems.system import System

if TYPE_CHECKING:
    from snapshelf.media.video import Video

__all__ = ["Shelf", "system_for"]


DEFAULT_SYSTEM = "standard"


class Shelf:
    """A catalogue indexed with one system.

    Use `build` or `open`. Searches see the latest commit, also while another process updates
    the shelf; any number of threads may search at a time.

    Args:
        store: Holds the products and embeddings.
        system: The system that they were embedded with.

    Attributes:
        updated: What `build` did, None for a shelf that was only opened.
        path: The shelf's folder, None where the store was made by hand.

    Raises:
        SystemMismatchError: If the store was made for another system.
    """

    def __init__(self, store: VectorStore, system: System) -> None:
        check_system(store, system)
        self.store = store
        self.system = system
        self.updated: UpdateReport | None = None
        self.path: Path | None = None

    @classmethod
    def build(
        cls,
        catalog: Catalog,
        path: Path | str,
        system: System,
        *,
        fetcher: UrlReader | None = None,
        limits: Limits = Limits(),  # noqa: B008
        recheck: bool = False,
        on_problem: Callable[[Problem], None] | None = None,
        on_progress: Callable[[UpdateReport], None] | None = None,
    ) -> Self:
        """Create a shelf, or bring one up to date: what is unchanged costs next to nothing.

        Args:
            catalog: The products.
            path: The shelf's folder; made if missing.
            system: Must be the one that the shelf was made with, if there is one.
            fetcher: Reads pictures from URLs; without one they are reported as problems.
            limits: Bounds of a picture.
            recheck: Read every picture again, also where nothing tells that it has changed.
            on_problem: Called for every row and picture that is skipped.
            on_progress: Called after each commit with the counts so far.

        Returns:
            The shelf, open for searching; its `updated` tells what was done.

        Raises:
            ShelfError: If the shelf cannot be written.
            ShelfLockedError: If another process is writing to it.
            SystemMismatchError: If it was made with another system.
        """
        path = Path(path)
        if not EmbeddedStore.exists(path):
            EmbeddedStore.create(
                path,
                dimension=system.encoder.dimension,
                properties=system_properties(system),
                distance=system.distance,
            )
        store = EmbeddedStore(path, write=True)
        try:
            check_system(store, system, write=True)
            note_feed(store, catalog)
            report = update_shelf(
                catalog,
                store,
                system,
                PictureSource(catalog.root, limits=limits, fetcher=fetcher),
                feed=str(catalog.path),
                on_problem=on_problem or _ignore,
                on_progress=on_progress,
                limits=limits,
                recheck=recheck,
            )
        finally:
            store.close()
        shelf = cls.open(path, system)
        shelf.updated = report
        return shelf

    @classmethod
    def open(cls, path: Path | str, system: System | None = None) -> Self:
        """Open a shelf for searching.

        Args:
            path: The shelf's folder.
            system: None to load the one that the shelf names.

        Raises:
            ShelfError: If there is no shelf, or it is damaged.
            ModelError: If its system cannot be loaded.
            SystemMismatchError: If it was made with another system, or with other weights.
        """
        store = EmbeddedStore(Path(path))
        try:
            shelf = cls(store, system or System.load(_system_name(store)))
        except BaseException:
            store.close()
            raise
        shelf.path = Path(path)
        return shelf

    def search(
        self,
        picture: "Path | bytes | RGB | Video",
        *,
        top: int = 20,
        by_category: int | None = None,
        filter: Filter | str | None = None,  # noqa: A002 - the word of the command line
        box: Box | None = None,
        point: Point | None = None,
        limits: Limits = Limits(),  # noqa: B008
        clip: ClipSettings = ClipSettings(),  # noqa: B008
        on_progress: Callable[[float, float | None], None] | None = None,
    ) -> SearchResult:
        """Find the products in a picture or a clip.

        Args:
            picture: A file or a file's bytes, of a picture or of a clip, see `is_clip`; (H, W, 3)
                uint8 RGB pixels in [0, 255]; or a `Video`.
            top: Largest number of matches for each item, at least 1.
            by_category: Largest number of matches of each category, at least 1, to be given
                beside the ranking over all; None for none. A category is an item's if one of its
                most similar products is of it, of `top` or 100, whichever is more.
            filter: Only products that pass it, such as ``"category=shoes,price<80"``.
            box: The one item, ``(x0, y0, x1, y1)`` in pixels of the decoded picture; None to have
                the system locate the items.
            point: ``(x, y)`` in pixels, on the one item: of what the system looks at, it is the
                likeliest that holds the point. None as for `box`; not both.
            limits: Bounds of a picture.
            clip: How a clip is searched, and its bounds; those of a `Video` are its own.
            on_progress: For a clip, called with the seconds of it that are done and those in all,
                None where it does not say how long it is. What it raises ends the search.

        Returns:
            For each item its matches, most similar first. Where the system has a re-ranker, that
            is by its similarities; it looks at as many products as without `by_category`, and
            those of a category that are not among them come after those that are. The items of a
            clip tell when they are seen, see `Item`.

        Raises:
            PictureError: If the picture cannot be read.
            VideoError: If nothing of the clip can be read, or it is beyond a bound.
            FilterError: If the filter cannot be understood.
            TypeError: If the picture is none of these.
            ValueError: If pixels have another shape or type, `top` or `by_category` is below
                1, the box or the point do not lie in the picture, or one is given for a clip.

        Example:
            >>> shelf = Shelf.open("my-shelf")  # doctest: +SKIP
            >>> shelf.search(Path("street.jpg")).items[0].matches[0].product.id  # doctest: +SKIP
            'SKU-0042'
            >>> shelf.search(Path("clip.mp4")).items[0].item.seconds  # doctest: +SKIP
            (0.4, 3.1)
        """
        if top < 1:
            raise ValueError(f"top must be at least 1, got {top}")
        if by_category is not None and by_category < 1:
            raise ValueError(f"by_category must be at least 1 or None, got {by_category}")
        where = parse_filter(filter) if isinstance(filter, str) else filter
        start = time.perf_counter()
        name = picture.name if isinstance(picture, Path) else ""
        video = _as_video(picture, clip)
        if video is not None:
            from snapshelf.shelf.video_query import search_video

            if box is not None or point is not None:
                raise ValueError("a box or a point chooses an item of a picture, not of a clip")
            return search_video(
                self.store,
                self.system,
                video,
                clip,
                top=top,
                by_category=by_category,
                where=where,
                name=name,
                on_progress=on_progress,
            )
        if isinstance(picture, Path):
            picture = read_picture_file(picture, limits)
        pixels = decode_picture(picture, limits) if isinstance(picture, bytes) else picture
        pixels = _checked(pixels)
        decoded = time.perf_counter()
        if box is not None and point is not None:
            raise ValueError("box and point are two ways to choose an item: give one of them")
        query = prepare_query(
            self.system,
            pixels,
            boxes=() if box is None else (box,),
            points=() if point is None else (point,),
        )
        embeddings = self.system.encoder.encode(query.inputs, Domain.STREET)
        encoded = time.perf_counter()
        items, seconds = answer_query(
            self.store,
            self.system,
            query,
            embeddings,
            top=top,
            by_category=by_category,
            where=where,
        )
        return SearchResult(
            query=name,
            size=(pixels.shape[1], pixels.shape[0]),
            items=items,
            seconds={"decode": decoded - start, "encode": encoded - decoded, **seconds},
        )

    def count(self, filter: Filter | str | None = None) -> Counts:  # noqa: A002
        """Count what the shelf holds, or what of it passes a filter."""
        return self.store.count(parse_filter(filter) if isinstance(filter, str) else filter)

    def close(self) -> None:
        """Release the shelf's files."""
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _as_video(picture: object, clip: ClipSettings) -> "Video | None":
    """Open a query that is a clip; None for any other. PyAV is imported for clips alone."""
    if isinstance(picture, np.ndarray):
        return None
    if isinstance(picture, (Path, bytes)):
        if not is_clip(picture):
            return None
        from snapshelf.media.video import Video

        return Video(picture, clip.limits)
    from snapshelf.media.video import Video

    return picture if isinstance(picture, Video) else None


def _checked(picture: object) -> RGB:
    if not isinstance(picture, np.ndarray):
        raise TypeError(
            "picture must be a Path, bytes, an array of pixels or a Video, got "
            f"{type(picture).__name__}"
        )
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3 or not picture.size:
        raise ValueError(
            f"picture must be (H, W, 3) uint8 and not empty, got {picture.shape} {picture.dtype}"
        )
    return picture


def _system_name(store: VectorStore) -> str:
    name = store.properties.get("system")
    if name is None:
        raise ShelfError("the shelf is damaged: it does not tell its system; index it again")
    return name


def _ignore(problem: Problem) -> None:
    """Leave a problem untold: the caller did not ask for it."""


def system_for(path: Path, name_or_dir: str | None) -> System:
    """Load the system to index with: the one asked for, else the shelf's, else the default.

    Args:
        path: The shelf's folder, which need not exist.
        name_or_dir: What the user asked for, None for nothing.

    Raises:
        ModelError: If it cannot be loaded.
    """
    if name_or_dir is None and EmbeddedStore.exists(path):
        store = EmbeddedStore(path)
        try:
            name_or_dir = store.properties.get("system")
        finally:
            store.close()
    return System.load(name_or_dir or DEFAULT_SYSTEM)
