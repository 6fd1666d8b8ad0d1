"""Filters over products: ``category=shoes,price<80,color=red|blue``."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from snapshelf.catalog.product import Availability
from snapshelf.errors import FilterError

__all__ = [
    "OWN_FIELDS",
    "Condition",
    "Filter",
    "category_key",
    "category_path",
    "only_category",
    "parse_filter",
]

OWN_FIELDS = frozenset({"id", "category", "brand", "price", "currency", "availability"})
"""The fields of a filter that are a product's own; every other name is an attribute."""

OPERATORS = ("<=", ">=", "!=", "=", "<", ">")

MOST_VALUES = 200
"""Values in a filter; a database takes only so many in one statement."""

_CONDITION = re.compile(r'(?:\s*"((?:[^"\\]|\\.)*)"\s*|([^<>=!,"|]+))(<=|>=|!=|=|<|>)', re.DOTALL)
_VALUE = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,|"]*))\s*', re.DOTALL)
_PRICE = re.compile(r"^(-?[0-9]+(?:\.[0-9]+)?)(?:\s+([A-Za-z]{3}))?$")
_EXAMPLE = "write conditions such as category=shoes,price<80,brand=Acme|Zenith"


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison.

    Attributes:
        field: ``id``, ``category``, ``brand``, ``price``, ``currency``, ``availability`` or the
            name of an attribute, in lower case.
        operator: One of ``= != < <= > >=``; the four orders are for the price only. And ``==``,
            which users do not write, see `only_category`.
        values: Any of these may hold (none of these for ``!=``); case does not count, but in
            an ID. A category is a path prefix, its parts joined by ">"; for ``==`` it is the
            `category_key` of the whole path.
        currency: For a price: only prices in this currency, "" for any.
    """

    field: str
    operator: str
    values: tuple[str, ...]
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions that must all hold."""

    conditions: tuple[Condition, ...]


def category_key(path: tuple[str, ...]) -> str:
    """Fold a category path into a text whose prefixes are the keys of its ancestors.

    Args:
        path: Names from the widest to the narrowest category.

    Returns:
        Lower-case names, each followed by the separator U+001F.

    Example:
        >>> category_key(("Apparel", "Shoes")).startswith(category_key(("apparel",)))
        True
    """
    return "".join(f"{' '.join(name.split()).casefold()}\x1f" for name in path)


def category_path(text: str) -> tuple[str, ...]:
    """Split a category as users write it (``Apparel > Shoes``) into its names."""
    return tuple(name.strip() for name in text.split(">") if name.strip())


def only_category(key: str, where: Filter | None = None) -> Filter:
    """Make a filter of one category, without those below it.

    Args:
        key: Its `category_key`; "" for the products without a category.
        where: What must hold besides.

    Example:
        >>> only_category(category_key(("Bags",)), parse_filter("price<80")).conditions[1].operator
        '=='
    """
    conditions = () if where is None else where.conditions
    return Filter((*conditions, Condition("category", "==", (key,))))


def parse_filter(text: str) -> Filter:
    r"""Read a filter as users write it.

    Args:
        text: Conditions joined by commas. Alternatives are joined by ``|``; a value with a
            comma or a bar, or an attribute's name with a sign, stands in double quotes, in
            which ``\"`` and ``\\`` are a quote and a backslash. At most `MOST_VALUES` values.

    Raises:
        FilterError: If the text is no filter; the message shows where and how to write it.

    Example:
        >>> parse_filter("brand=Acme|Zenith, price<80").conditions[1]
        Condition(field='price', operator='<', values=('80',), currency='')
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise FilterError("filter: holds half of a surrogate pair, which is no character")
    conditions = []
    position = 0
    while True:
        head = _CONDITION.match(text, position)
        field = "" if head is None else _unquoted(head.group(1), head.group(2)).casefold()
        if head is None or not field:
            rest = text[position : position + 40]
            raise FilterError(f"filter: expected a condition at {rest!r}; {_EXAMPLE}")
        values, position = _values(text, head.end())
        conditions.append(_condition(field, head.group(3), values))
        if sum(len(condition.values) for condition in conditions) > MOST_VALUES:
            raise FilterError(f"filter: has more than {MOST_VALUES} values; ask in several parts")
        if position >= len(text):
            return Filter(tuple(conditions))
        if text[position] != ",":
            rest = text[position : position + 40]
            raise FilterError(f"filter: expected a comma before {rest!r}; {_EXAMPLE}")
        position += 1


def _values(text: str, position: int) -> tuple[tuple[str, ...], int]:
    values = []
    while True:
        match = _VALUE.match(text, position)
        assert match is not None  # every part of the pattern may be empty
        value = _unquoted(*match.groups())
        if not value:
            before = text[max(0, position - 40) : position]
            raise FilterError(f"filter: a value is missing after {before!r}; {_EXAMPLE}")
        values.append(value)
        position = match.end()
        if position >= len(text) or text[position] != "|":
            return tuple(values), position
        position += 1


def _unquoted(quoted: str | None, bare: str) -> str:
    """Give what a quoted or a bare word says; one of the two is None."""
    return bare.strip() if quoted is None else re.sub(r"(?s)\\(.)", r"\1", quoted)


def _condition(field: str, operator: str, values: tuple[str, ...]) -> Condition:
    if operator not in ("=", "!=") and (field != "price" or len(values) > 1):
        raise FilterError(
            f"filter: {field}{operator}{'|'.join(values)} cannot be compared by order; "
            "<, <=, > and >= are for one price"
        )
    if field == "price":
        return _price_condition(operator, values)
    if field == "category" and not all(category_key(category_path(v)) for v in values):
        raise FilterError("filter: a category needs a name, such as category=Apparel > Shoes")
    if field == "availability":
        known = {a.value for a in Availability}
        values = tuple(re.sub(r"[\s_-]+", "_", v.casefold()) for v in values)
        if unknown := [v for v in values if v not in known]:
            raise FilterError(
                f"filter: availability {unknown[0]!r} is not known; choose from "
                f"{', '.join(sorted(known))}"
            )
    return Condition(field, operator, values)


def _price_condition(operator: str, values: tuple[str, ...]) -> Condition:
    amounts, currencies = [], set()
    for value in values:
        match = _PRICE.match(value)
        if match is None:
            raise FilterError(
                f"filter: price {value!r} is no number; write price<80 or price<79.90 EUR"
            )
        try:
            amounts.append(str(Decimal(match.group(1))))
        except InvalidOperation:  # pragma: no cover - the pattern admits numbers only
            raise FilterError(f"filter: price {value!r} is no number") from None
        currencies.add((match.group(2) or "").upper())
    if len(currencies) > 1:
        raise FilterError("filter: prices of one condition must all be in one currency")
    return Condition("price", operator, tuple(amounts), currencies.pop())
