"""A shelf's own feed, remembered; and feeds that bring it up to date while it is served."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from snapshelf.catalog.catalog import Catalog
from snapshelf.catalog.entry import Entry, Problem
from snapshelf.errors import FeedError, ShelfLockedError
from snapshelf.media.limits import Limits
from snapshelf.media.source import UrlReader
from snapshelf.shelf.changing import picture_source
from snapshelf.shelf.system_check import check_system
from snapshelf.shelf.update import update_shelf
from snapshelf.shelf.update_report import UpdateReport
from snapshelf.store.opening import Place, open_store
from snapshelf.store.vector_store import VectorStore
from snapshelf.systems.system import System

__all__ = ["feed_shelf", "note_feed", "own_feed", "own_feed_path"]

FEED = "feed"
"""Property of a shelf: its feed, and how that is read."""

LOCKED_S = 30.0
"""How long a change of single products may keep a feed waiting."""

GIVEN_UP = "indexing was given up"


def note_feed(store: VectorStore, catalog: Catalog) -> None:
    """Remember the feed that a shelf is made from.

    Args:
        store: Opened for writing.
        catalog: The feed.
    """
    store.note("root", str(catalog.root.resolve()))
    told = {
        "path": str(catalog.path.resolve()),
        "format": catalog.format,
        "columns": dict(catalog.columns),
        "encoding": catalog.encoding,
        "currency": catalog.currency,
    }
    store.note(FEED, json.dumps(told))


def own_feed(store: VectorStore) -> Catalog:
    """Open the feed that a shelf was made from.

    Args:
        store: The shelf's.

    Raises:
        FeedError: If it does not know one, or that cannot be read any more.
    """
    try:
        told = json.loads(store.properties[FEED])
        return Catalog.open(
            told["path"],
            format=told["format"],
            columns=told["columns"],
            encoding=told["encoding"],
            currency=told["currency"],
        )
    except (KeyError, TypeError, ValueError):
        raise FeedError(
            "the shelf does not know the feed that it was made from; send the feed, or run "
            "`snapshelf index` once more"
        ) from None


def own_feed_path(store: VectorStore) -> Path | None:
    """Tell where the feed lies that a shelf was made from; None if it does not know."""
    try:
        return Path(json.loads(store.properties[FEED])["path"])
    except (KeyError, TypeError, ValueError):
        return None


def feed_shelf(
    path: Place,
    system: System,
    catalog: Catalog,
    *,
    feed: str,
    whole: bool = True,
    recheck: bool = False,
    fetcher: UrlReader | None = None,
    limits: Limits = Limits(),  # noqa: B008
    on_problem: Callable[[Problem], None],
    on_progress: Callable[[UpdateReport], None],
    is_given_up: Callable[[], bool],
) -> UpdateReport:
    """Bring a shelf up to date with a feed; pictures are those of the shelf's own feed's folder.

    Searches go on, and see each commit. Nothing is taken back when it is given up or killed: what
    is stored by then stays, and the same feed goes on from there.

    Args:
        path: The shelf's folder.
        system: The one that it was made with.
        catalog: The feed, wherever its file lies: it cannot name pictures beside itself.
        feed: Names it in the store's list of runs.
        whole: Whether it has all that is sold, so that what it lacks is removed.
        recheck: Read every picture again, also where nothing tells that it has changed.
        fetcher: Reads pictures from URLs; without one they are problems.
        limits: Bounds of a picture.
        on_problem: Called for everything that is skipped.
        on_progress: Called after each commit with the counts so far.
        is_given_up: Asked before each row; once it says so, what is under way is stored, nothing
            is removed, and the report tells that it was stopped.

    Returns:
        What was done; it is on disk.

    Raises:
        ShelfError: If the shelf cannot be written.
        ShelfLockedError: If another process is writing to it, for longer than a change of single
            products takes.
        SystemMismatchError: If it was made with another system.
    """

    def entries() -> Iterator[Entry | Problem]:
        for each in catalog:
            if is_given_up():
                raise FeedError(GIVEN_UP)
            yield each

    store = _open(path, is_given_up)
    try:
        check_system(store, system, write=True)
        source = picture_source(store.properties.get("root"), path, limits=limits, fetcher=fetcher)
        return update_shelf(
            entries(),
            store,
            system,
            source,
            feed=feed,
            on_problem=on_problem,
            on_progress=on_progress,
            limits=limits,
            recheck=recheck,
            whole=whole,
        )
    finally:
        store.close()


def _open(path: Place, is_given_up: Callable[[], bool]) -> VectorStore:
    ends = time.monotonic() + LOCKED_S
    while True:
        try:
            return open_store(path, write=True)
        except ShelfLockedError:
            if is_given_up() or time.monotonic() > ends:
                raise
        time.sleep(0.1)
