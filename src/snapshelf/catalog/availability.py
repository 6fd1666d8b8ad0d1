"""Availability as shops write it, read into an `Availability`."""

from collections.abc import Mapping
from functools import lru_cache

from snapshelf.catalog.plain_text import quote
from snapshelf.catalog.product import Availability

__all__ = ["AVAILABILITY_WORDS", "parse_availability"]

AVAILABILITY_WORDS: Mapping[str, Availability] = {
    "instock": Availability.IN_STOCK,
    "available": Availability.IN_STOCK,
    "limitedavailability": Availability.IN_STOCK,
    "onlineonly": Availability.IN_STOCK,
    "instoreonly": Availability.IN_STOCK,
    "yes": Availability.IN_STOCK,
    "true": Availability.IN_STOCK,
    "outofstock": Availability.OUT_OF_STOCK,
    "soldout": Availability.OUT_OF_STOCK,
    "discontinued": Availability.OUT_OF_STOCK,
    "unavailable": Availability.OUT_OF_STOCK,
    "no": Availability.OUT_OF_STOCK,
    "false": Availability.OUT_OF_STOCK,
    "preorder": Availability.PREORDER,
    "presale": Availability.PREORDER,
    "backorder": Availability.BACKORDER,
}
"""Words of Google Merchant Center, schema.org and plain feeds, without spaces, hyphens and
underscores."""


@lru_cache(maxsize=1024)
def parse_availability(text: str) -> Availability:
    """Read an availability.

    Args:
        text: Such as ``in stock``, ``in_stock``, ``OutOfStock`` or
            ``https://schema.org/InStock``.

    Returns:
        What it means.

    Raises:
        ValueError: If it is none of the known words. The message is fit for `Problem.reason`.
    """
    word = text.strip().lower()
    for prefix in ("https://schema.org/", "http://schema.org/", "schema:"):
        word = word.removeprefix(prefix)
    word = word.replace("_", "").replace(" ", "").replace("-", "")
    found = AVAILABILITY_WORDS.get(word)
    if found is None:
        raise ValueError(
            f"is no availability: {quote(text)}; write in_stock, out_of_stock, preorder or "
            "backorder"
        )
    return found
