"""Shopify's product export: a CSV with a row for each variant and each further picture."""

from collections.abc import Generator, Iterable, Mapping, Sequence

from snapshelf.catalog.entry import Problem
from snapshelf.catalog.limits import MAX_ID, MAX_RECORD
from snapshelf.catalog.plain_text import quote
from snapshelf.catalog.price import parse_price
from snapshelf.catalog.readers.delimited import read_csv
from snapshelf.catalog.row import Header, Row, Value
from snapshelf.catalog.source import Source

__all__ = ["SHOPIFY_NAMES", "read_shopify"]

SHOPIFY_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("handle", "url_handle"),
    "title": ("title",),
    "description": ("body_html", "description"),
    "category": ("product_category", "type"),
    "brand": ("vendor",),
    "price": ("variant_price", "price"),
    "currency": (),
    "availability": ("availability",),
    "url": (),
    "image": (),
    "images": ("image_src", "product_image_url"),
}
"""For each field of a product the columns it is read from, older exports' names first."""

MAX_ROWS = 5_000
"""Rows of one product; Shopify itself allows 2,048 variants and 250 pictures."""

MAX_SIZE = 4 * MAX_RECORD
"""Characters of all rows of one product."""

OF_VARIANT = (
    "barcode",
    "compare-at price",
    "cost per item",
    "continue selling when out of stock",
    "image alt text",
    "image position",
    "inventory quantity",
    "inventory tracker",
    "option1 value",
    "option2 value",
    "option3 value",
    "sku",
)
"""Columns that tell of one variant or picture, besides those that begin with ``Variant``."""


def read_shopify(source: Source) -> Generator[Header | Row | Problem, None, None]:
    """Read a product export of Shopify, in its older or newer column names.

    The consecutive rows of one handle become one product: its price is that of the cheapest
    variant, its pictures are those of the product by their position, then the variants'. The
    variants' SKUs, prices and option values become attributes. A draft or archived product is
    a `Problem`.

    Args:
        source: The feed.

    Yields:
        The header, then the rows, each with the line of the product's first row.
    """
    table = read_csv(source)
    header = next(table)
    assert isinstance(header, Header), "a reader yields its header first"
    yield Header((*header.columns, "availability"), SHOPIFY_NAMES)
    layout = _Layout(header.columns)
    rows: list[Row] = []
    size = 0
    for row in table:
        if not isinstance(row, Row):
            assert isinstance(row, Problem), "a reader yields one header"
            yield row
            continue
        if rows and layout.handle(row) != layout.handle(rows[0]):
            yield layout.product(rows)
            rows = []
            size = 0
        is_full = size > MAX_SIZE or len(rows) >= MAX_ROWS
        size += sum(map(len, row.fields.values()))
        if not is_full:
            rows.append(row)
            if size > MAX_SIZE or len(rows) >= MAX_ROWS:
                yield Problem(
                    row.line,
                    "",
                    f"is the last row read of its product: more than {MAX_ROWS} rows or "
                    f"{MAX_SIZE} characters are left out",
                    layout.handle(row)[:MAX_ID],
                    fatal=False,
                )
    if rows:
        yield layout.product(rows)


class _Layout:
    """Where an export's columns are, whichever generation of names it has."""

    def __init__(self, columns: Sequence[str]) -> None:
        by_name = {column.lower(): column for column in columns}

        def find(*names: str) -> str:
            return next((by_name[name] for name in names if name in by_name), "")

        self._handle = find("handle", "url handle")
        self._status = find("status")
        self._image = find("image src", "product image url")
        self._position = find("image position")
        self._variant_image = find("variant image", "variant image url")
        self._price = find("variant price", "price")
        self._sku = find("variant sku", "sku")
        self._quantity = find("variant inventory qty", "inventory quantity")
        self._policy = find("variant inventory policy", "continue selling when out of stock")
        self._tracker = find("variant inventory tracker", "inventory tracker")
        self._options = [
            (number, find(f"option{number} name"), find(f"option{number} value"))
            for number in (1, 2, 3)
        ]

    def handle(self, row: Row) -> str:
        """The handle of the product that a row belongs to."""
        return _cell(row, self._handle)

    def product(self, rows: Sequence[Row]) -> Row | Problem:
        """One product of all its rows."""
        first = rows[0]
        status = _cell(first, self._status)
        if status.lower() not in ("", "active"):
            return Problem(
                first.line,
                self._status,
                f"is {quote(status)}: only active products are read",
                self.handle(first)[:MAX_ID],
            )
        fields: dict[str, Value] = {
            name: value
            for name, value in first.fields.items()
            if name.lower() not in OF_VARIANT and not name.lower().startswith("variant ")
        }
        fields[self._image] = self._images(rows)
        fields[self._price] = _lowest(self._cells(rows, self._price))
        fields["availability"] = self._availability(rows)
        fields["variant_skus"] = self._cells(rows, self._sku)
        fields["variant_prices"] = self._cells(rows, self._price)
        for number, name, value in self._options:
            fields[f"option{number}_name"] = fields.pop(name, "")
            fields[f"option{number}_values"] = self._cells(rows, value)
        fields.pop("", None)
        return Row(first.line, fields)

    def _images(self, rows: Sequence[Row]) -> list[str]:
        placed = [
            (_whole(_cell(row, self._position), default=len(rows)), _cell(row, self._image))
            for row in rows
            if _cell(row, self._image)
        ]
        placed.sort(key=lambda pair: pair[0])
        return list(
            dict.fromkeys([*(url for _, url in placed), *self._cells(rows, self._variant_image)])
        )

    def _availability(self, rows: Sequence[Row]) -> str:
        """Of the variants (the rows with a price or quantity), "" if the export does not say."""
        variants = [row for row in rows if _cell(row, self._price) or _cell(row, self._quantity)]
        if not self._quantity or not variants:
            return ""
        if any(
            (self._tracker and not _cell(row, self._tracker))
            or _whole(_cell(row, self._quantity), default=0) > 0
            for row in variants
        ):
            return "in_stock"
        on = ("continue", "true", "yes")
        if any(_cell(row, self._policy).lower() in on for row in variants):
            return "backorder"
        return "out_of_stock"

    @staticmethod
    def _cells(rows: Iterable[Row], column: str) -> list[str]:
        """The column's different values, without empty ones, in the rows' order."""
        return list(dict.fromkeys(cell for row in rows if (cell := _cell(row, column))))


def _cell(row: Row, column: str) -> str:
    value = row.fields.get(column, "")
    return value.strip() if isinstance(value, str) else value[0].strip()


def _lowest(prices: Sequence[str]) -> str:
    """The lowest price as it is written; the first that is none, so that it is reported."""
    lowest = ""
    for price in prices:
        try:
            if not lowest or parse_price(price).amount < parse_price(lowest).amount:
                lowest = price
        except ValueError:
            return price
    return lowest


def _whole(text: str, *, default: int) -> int:
    try:
        return int(text)
    except ValueError:
        return default
