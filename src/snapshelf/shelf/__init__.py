"""A catalogue indexed with one system: building it, keeping it up to date, searching it."""

from snapshelf.shelf.category_groups import group_by_category
from snapshelf.shelf.clip_settings import ClipSettings
from snapshelf.shelf.duplicates import (
    Duplicate,
    DuplicateGroup,
    check_pictures,
    find_duplicates,
)
from snapshelf.shelf.result import (
    BestFrame,
    CategoryGroup,
    ClipFacts,
    FoundItem,
    Item,
    Match,
    SearchResult,
)
from snapshelf.shelf.shelf import Shelf
from snapshelf.shelf.update_report import UpdateReport

__all__ = [
    "BestFrame",
    "CategoryGroup",
    "ClipFacts",
    "ClipSettings",
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
    "group_by_category",
]
