"""A shop's catalogue: its products, read from the feed that the shop has."""

from snapshelf.catalog.catalog import Catalog
from snapshelf.catalog.columns import COMMON_NAMES, PRODUCT_FIELDS
from snapshelf.catalog.entry import Entry, Problem
from snapshelf.catalog.formats import FORMATS
from snapshelf.catalog.product import Availability, Price, Product
from snapshelf.catalog.report import IngestionReport
from snapshelf.catalog.row import Header, Reader, Row
from snapshelf.catalog.source import Source

__all__ = [
    "COMMON_NAMES",
    "FORMATS",
    "PRODUCT_FIELDS",
    "Availability",
    "Catalog",
    "Entry",
    "Header",
    "IngestionReport",
    "Price",
    "Problem",
    "Product",
    "Reader",
    "Row",
    "Source",
]
