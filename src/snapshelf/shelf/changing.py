"""Changing single products of a shelf, between the runs that bring it up to date with a feed."""

from collections.abc import Callable, Sequence
from pathlib import Path

from snapshelf.catalog.entry import Entry, Problem
from snapshelf.media.limits import Limits
from snapshelf.media.source import PictureSource, UrlReader
from snapshelf.shelf.system_check import check_system
from snapshelf.shelf.update import update_shelf
from snapshelf.shelf.update_report import UpdateReport
from snapshelf.store.opening import Place, open_store
from snapshelf.systems.system import System

__all__ = ["picture_source", "put_products", "remove_products"]

NO_ROOT = "pictures"
"""Stands for the feed's folder of a shelf that no feed was indexed into; it does not exist."""


def picture_source(
    properties_root: str | None,
    path: Place,
    *,
    limits: Limits = Limits(),  # noqa: B008
    fetcher: UrlReader | None = None,
) -> PictureSource:
    """Give what reads the pictures of a shelf's products.

    Args:
        properties_root: The property ``root`` of its store: the feed's folder.
        path: The shelf's folder or address.
        limits: Bounds of a picture.
        fetcher: Reads URLs; without one they are refused.
    """
    nowhere = (path if isinstance(path, Path) else Path.cwd()) / NO_ROOT
    root = Path(properties_root) if properties_root else nowhere
    return PictureSource(root, limits=limits, fetcher=fetcher)


def put_products(
    path: Place,
    system: System,
    entries: Sequence[Entry],
    *,
    feed: str,
    fetcher: UrlReader | None = None,
    limits: Limits = Limits(),  # noqa: B008
    on_problem: Callable[[Problem], None],
) -> UpdateReport:
    """Store products, new ones and changed ones; all others stay.

    A feed remains the truth: the next run over it removes what it does not have.

    Args:
        path: The shelf's folder or address.
        system: The one that it was made with.
        entries: The products, each ID once.
        feed: Names the change in the store's list of runs.
        fetcher: Reads pictures from URLs; without one they are problems.
        limits: Bounds of a picture.
        on_problem: Called for each product that is not stored, and each of its pictures that is
            left out.

    Returns:
        What was done; it is on disk.

    Raises:
        ShelfError: If the shelf cannot be written.
        ShelfLockedError: If another process is writing to it.
        SystemMismatchError: If it was made with another system.
    """
    store = open_store(path, write=True)
    try:
        check_system(store, system, write=True)
        source = picture_source(store.properties.get("root"), path, limits=limits, fetcher=fetcher)
        return update_shelf(
            entries,
            store,
            system,
            source,
            feed=feed,
            on_problem=on_problem,
            limits=limits,
            whole=False,
        )
    finally:
        store.close()


def remove_products(path: Place, product_ids: Sequence[str]) -> set[str]:
    """Remove products.

    Args:
        path: The shelf's folder or address.
        product_ids: Which.

    Returns:
        Those that were there.

    Raises:
        ShelfError: If the shelf cannot be written.
        ShelfLockedError: If another process is writing to it.
    """
    store = open_store(path, write=True)
    try:
        there = set(store.known(product_ids))
        store.delete(sorted(there))
    finally:
        store.close()
    return there
