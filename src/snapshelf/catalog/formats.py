"""The feed formats by name. Adding one means writing a `Reader` and naming it here."""

from snapshelf.catalog.readers.delimited import read_csv, read_google_tsv
from snapshelf.catalog.readers.folders import read_folders, read_pictures
from snapshelf.catalog.readers.google_xml import read_google_xml
from snapshelf.catalog.readers.json_lines import read_json_lines
from snapshelf.catalog.readers.parquet import read_parquet
from snapshelf.catalog.readers.shopify import read_shopify
from snapshelf.catalog.row import Reader

__all__ = ["FORMATS"]

FORMATS: dict[str, Reader] = {
    "google-tsv": read_google_tsv,
    "google-xml": read_google_xml,
    "shopify": read_shopify,
    "csv": read_csv,
    "jsonl": read_json_lines,
    "parquet": read_parquet,
    "folders": read_folders,
    "pictures": read_pictures,
}
"""From a format's name to its reader."""
