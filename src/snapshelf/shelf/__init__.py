"""A catalogue indexed with one system: building it, keeping it up to date, searching it."""

from snapshelf.shelf.duplicates import (
    Duplicate,
    DuplicateGroup,
    check_pictures,
    find_duplicates,
)
from snapshelf.shelf.result import FoundItem, Item, Match, SearchResult
from snapshelf.shelf.shelf import Shelf
from snapshelf.shelf.update_report import UpdateReport

__all__ = [
    "Duplicate",
    "DuplicateGroup",
    "FoundItem",
    "Item",
    "Match",
    "SearchResult",
    "Shelf",
    "UpdateReport",
    "check_pictures",
    "find_duplicates",
]
