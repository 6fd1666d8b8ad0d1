"""Keeping the view of the latest version, and what filters select in it."""

import sqlite3
import threading
from collections import OrderedDict
from pathlib import Path

from snapshelf.matching.distances import Distance
from snapshelf.store.database import read_meta
from snapshelf.store.filters import Filter
from snapshelf.store.index_file import IndexFile, open_index
from snapshelf.store.reading import matching_products
from snapshelf.store.view import Selection, View, select
from snapshelf.store.view_loading import first_view, next_view

__all__ = ["ViewCache"]

SELECTIONS_KEPT = 64


class ViewCache:
    """The latest view of a shelf and the selections of recent filters; safe to share by threads.

    Args:
        folder: Where the shelf's derived indexes lie.
        shelf_id: The shelf that an index must belong to.
        dimension: Length D of an embedding.
        distance: How embeddings are compared.
    """

    def __init__(self, folder: Path, *, shelf_id: str, dimension: int, distance: Distance) -> None:
        self._folder = folder
        self._shelf_id = shelf_id
        self._dimension = dimension
        self._distance: Distance = distance
        self._view: View | None = None
        self._view_lock = threading.Lock()
        self._selections: OrderedDict[tuple[int, int, Filter | None], Selection] = OrderedDict()
        self._selections_lock = threading.Lock()

    def at(self, db: sqlite3.Connection, version: int) -> View | None:
        """Give the view of a version.

        Args:
            db: Inside a transaction that sees `version`.
            version: The shelf's version.

        Returns:
            The view, or None if another thread is past that version already: begin anew.
        """
        view = self._view
        if view is not None and view.version == version:
            return view
        with self._view_lock:
            view = self._view
            if view is not None and view.version > version:
                return None
            if view is None or view.version < version:
                built = int(read_meta(db, "index_version"))
                if view is not None and view.index_version == built:
                    view = next_view(db, self._dimension, version, view)
                else:
                    view = first_view(
                        db, self._dimension, self._distance, version, self.open_index(built)
                    )
                self._view = view
            return view

    def open_index(self, version: int) -> IndexFile | None:
        """Open the derived index of a version, None if there is none that is whole."""
        if version == 0:
            return None
        return open_index(
            self._folder,
            version=version,
            shelf_id=self._shelf_id,
            dimension=self._dimension,
            distance=self._distance,
        )

    def selection(self, db: sqlite3.Connection, view: View, where: Filter | None) -> Selection:
        """Give what a filter selects in a view.

        Args:
            db: Inside a transaction that sees the view's version.
            view: As `at` gave it.
            where: The filter, None for all products.

        Raises:
            FilterError: If the filter names an attribute that no product has.
        """
        # One version can be seen over two derived indexes, before and after a new one is built.
        key = (view.version, view.index_version, where)
        with self._selections_lock:
            selection = self._selections.get(key)
            if selection is not None:
                self._selections.move_to_end(key)
                return selection
        selection = select(view, None if where is None else matching_products(db, where))
        with self._selections_lock:
            self._selections[key] = selection
            while len(self._selections) > SELECTIONS_KEPT:
                self._selections.popitem(last=False)
        return selection
