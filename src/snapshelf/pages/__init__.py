"""Self-contained HTML pages: no script, no third party, nothing to fetch."""

from snapshelf.pages.duplicates_page import duplicates_page
from snapshelf.pages.render import data_uri, render
from snapshelf.pages.search_page import search_page

__all__ = ["data_uri", "duplicates_page", "render", "search_page"]
