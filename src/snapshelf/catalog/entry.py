"""What reading a feed yields: an `Entry` for each good row, a `Problem` for each bad one."""

from dataclasses import dataclass

from snapshelf.catalog.product import Product

__all__ = ["Entry", "Problem"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A product and where in the feed it stands.

    Attributes:
        product: The product.
        line: Line of the feed's file (row number for Parquet, 0 for folders), from 1.
    """

    product: Product
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of a feed that was skipped, and why.

    Attributes:
        line: Line of the feed's file (row number for Parquet, 0 for folders), from 1.
        field: The field that is wrong, by the feed's own name for it.
        reason: What is wrong and what was expected, one sentence without a full stop.
        product_id: The product it is about, "" where that is unknown.
        fatal: Whether the whole product was skipped (False: only a part, such as one picture).
    """

    line: int
    field: str
    reason: str
    product_id: str = ""
    fatal: bool = True
