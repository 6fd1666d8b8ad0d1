"""A row's fields understood: the one place where every format's rows become products."""

from collections.abc import Callable, Container, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from snapshelf.catalog.availability import parse_availability
from snapshelf.catalog.columns import PRODUCT_FIELDS, Columns
from snapshelf.catalog.currency import currency_code
from snapshelf.catalog.entry import Problem
from snapshelf.catalog.image_reference import check_image, split_images
from snapshelf.catalog.limits import MAX_ATTRIBUTES, MAX_FIELD, MAX_ID, MAX_IMAGES
from snapshelf.catalog.plain_text import CONTROL, plain_text, quote, strip_html
from snapshelf.catalog.price import parse_price
from snapshelf.catalog.product import Availability, Product
from snapshelf.catalog.row import Row, Value
from snapshelf.catalog.source import UNREADABLE

__all__ = ["ProductBuilder", "parse_category"]

T = TypeVar("T")

Fields = Mapping[str, Value]
Found = tuple[str, Value]
"""The column that a field of a product is read from, "" if none, and what stands there."""

NOTHING: Found = ("", "")
SINGLE_FIELDS = tuple(field for field in PRODUCT_FIELDS if field != "images")


class ProductBuilder:
    """Builds products from rows of one feed.

    Args:
        columns: Which column is which field of a product.
        currency: ISO 4217 code for prices without a currency, "" for unknown.
        encoding: The feed's encoding, for messages.
    """

    def __init__(self, columns: Columns, *, currency: str, encoding: str) -> None:
        self._columns = columns
        self._single = [(field, columns[field]) for field in SINGLE_FIELDS if columns[field]]
        self._currency = currency
        self._encoding = encoding

    def build(self, row: Row) -> tuple[Product | None, Sequence[Problem]]:
        """Understand one row.

        Args:
            row: What the reader gives.

        Returns:
            The product, or None if the row is bad; and what is wrong, which for a product is
            about single pictures or its availability.
        """
        product_id = ""
        found = self._find(row.fields)
        try:
            product_id = self._id(found["id"])
            self._check_readable(row.fields)
            images, problems = self._images(row, found["image"][0], product_id)
            availability = self._availability(row, found["availability"], product_id, problems)
            product = self._product(row.fields, found, product_id, images, availability)
        except _BadFieldError as bad:
            return None, (Problem(row.line, _name(bad.field)[:100], bad.reason, _name(product_id)),)
        return product, problems

    def _check_readable(self, fields: Fields) -> None:
        texts = [value if isinstance(value, str) else "".join(value) for value in fields.values()]
        if all(map(str.isprintable, texts)) and max(map(len, texts), default=0) <= MAX_FIELD:
            return
        for name, text in zip(fields, texts, strict=True):
            if len(text) > MAX_FIELD:
                raise _BadFieldError(name, f"is longer than {MAX_FIELD} characters")
            bad = UNREADABLE.search(text)
            if bad is not None:
                encoding = self._encoding.upper().removesuffix("-SIG")
                raise _BadFieldError(
                    name,
                    f"is not valid {encoding}: {_readable(text, bad.start())}; "
                    "save the feed as UTF-8 or name its encoding",
                )

    def _id(self, found: Found) -> str:
        column = self._columns["id"][0]
        product_id = _text(found[1]).strip()
        if not product_id:
            raise _BadFieldError(column, "is empty: every product needs an ID")
        if len(product_id) > MAX_ID:
            raise _BadFieldError(column, f"is longer than {MAX_ID} characters: {quote(product_id)}")
        if not product_id.isprintable() and CONTROL.search(product_id):
            raise _BadFieldError(column, f"holds a control character: {quote(product_id)}")
        return product_id

    def _images(
        self, row: Row, main: str, product_id: str
    ) -> tuple[tuple[str, ...], list[Problem]]:
        images: dict[str, None] = {}
        problems: list[Problem] = []

        def leave_out(column: str, reason: str) -> None:
            problems.append(Problem(row.line, _name(column)[:100], reason, product_id, fatal=False))

        for column in (main, *self._columns["images"]):
            value = row.fields.get(column, "")
            for text in split_images(value) if isinstance(value, str) else value:
                if len(images) + len(problems) >= MAX_IMAGES:
                    leave_out(
                        column, f"names more than {MAX_IMAGES} pictures: the rest is left out"
                    )
                    return tuple(images), problems
                try:
                    images[check_image(text.strip())] = None
                except ValueError as error:
                    leave_out(column, str(error))
        if not images and problems:
            raise _BadFieldError(problems[0].field, problems[0].reason)
        if not images:
            column = (*self._columns["image"], *self._columns["images"])[0]
            raise _BadFieldError(column, "is empty: every product needs at least one picture")
        return tuple(images), problems

    @staticmethod
    def _availability(
        row: Row, found: Found, product_id: str, problems: list[Problem]
    ) -> Availability | None:
        """Read the availability; one that is not understood costs only itself."""
        try:
            return _parsed(found, parse_availability)
        except _BadFieldError as bad:
            column = _name(bad.field)[:100]
            problems.append(Problem(row.line, column, bad.reason, product_id, fatal=False))
            return None

    def _product(
        self,
        fields: Fields,
        found: Mapping[str, Found],
        product_id: str,
        images: tuple[str, ...],
        availability: Availability | None,
    ) -> Product:
        currency = _parsed(found["currency"], currency_code) or self._currency
        url = _text(found["url"][1]).strip()
        is_web = url[:8].lower().startswith(("http://", "https://")) and url.isprintable()
        read = {column for column, _ in found.values()}.union(self._columns["images"])
        if not is_web:
            read.discard(found["url"][0])
        return Product(
            id=product_id,
            title=plain_text(_text(found["title"][1])),
            description=strip_html(_text(found["description"][1])),
            category=parse_category(found["category"][1]),
            brand=plain_text(_text(found["brand"][1])),
            price=_parsed(found["price"], lambda text: parse_price(text, currency)),
            availability=availability,
            url=url if is_web else "",
            images=images,
            attributes=_attributes(fields, read),
        )

    def _find(self, fields: Fields) -> dict[str, Found]:
        """For each field the first of its columns that is not empty, and what stands there."""
        found = dict.fromkeys(SINGLE_FIELDS, NOTHING)
        for field, columns in self._single:
            for column in columns:
                value = fields.get(column)
                if value and (isinstance(value, list) or not value.isspace()):
                    found[field] = (column, value)
                    break
        return found


class _BadFieldError(Exception):
    """A field that makes its whole row bad."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def parse_category(value: Value) -> tuple[str, ...]:
    """Read a category's path.

    Args:
        value: Levels divided by ``>``, or a list: of levels, or of whole paths, of which the
            first counts.

    Returns:
        The levels from the widest, without empty ones.
    """
    if not isinstance(value, str) and any(">" in level for level in value):
        value = value[0]
    return _path_of(tuple(value.split(">")) if isinstance(value, str) else tuple(value))


# A feed repeats its categories, words of availability and column names row after row.
@lru_cache(maxsize=4096)
def _path_of(levels: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(level for text in levels if (level := plain_text(text)))


@lru_cache(maxsize=4096)
def _name(column: str) -> str:
    return UNREADABLE.sub("\ufffd", plain_text(column))


def _attributes(fields: Fields, read: Container[str]) -> dict[str, str]:
    """Every column that no field of the product was read from."""
    attributes: dict[str, str] = {}
    for column, value in fields.items():
        if not value or column in read:
            continue
        text = plain_text(_text(value))
        if text and column and len(attributes) < MAX_ATTRIBUTES:
            attributes[_name(column)] = text
    return attributes


def _parsed(found: Found, parse: Callable[[str], T]) -> T | None:
    """What a field means, None if it is empty; of several values the first counts."""
    column, value = found
    text = (value if isinstance(value, str) else value[0]).strip()
    try:
        return parse(text) if text else None
    except ValueError as error:
        raise _BadFieldError(column, str(error)) from None


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _readable(text: str, position: int) -> str:
    """What stands around an undecodable place, with that place marked."""
    return quote(UNREADABLE.sub("\ufffd", text[max(0, position - 20) : position + 20]))
