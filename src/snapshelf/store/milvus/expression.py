"""A filter as a Milvus expression."""

import math
import sys
from collections.abc import Sequence

from snapshelf.store.filters import Condition, Filter, category_key, category_path
from snapshelf.store.milvus.hashes import (
    attribute_number,
    category_numbers,
    numbers_text,
    own_number,
    text_number,
)

__all__ = ["NUMBER_FIELDS", "all_of", "department_of", "filter_expression", "finite"]

NUMBER_FIELDS = {
    "id": "identity",
    "brand": "brand",
    "currency": "currency",
    "availability": "availability",
}
"""The fields of rows that hold the numbers of texts that are a product's own fields."""


def filter_expression(where: Filter, *, partitioned: bool = False) -> str:
    """Translate a filter into an expression over rows of products or of embeddings.

    The same products pass as by `snapshelf.store.filter_sql`. Only numbers are ever part of it.

    Args:
        where: The filter.
        partitioned: Whether the rows are kept apart by the field ``department``, so that naming
            it spares Milvus the others.
    """
    parts = []
    for condition in where.conditions:
        text = _condition(condition)
        parts.append(f"not ({text})" if condition.operator == "!=" else f"({text})")
        if partitioned and condition.field == "category" and condition.operator != "!=":
            parts.append(f"department in {numbers_text(_departments(condition))}")
    return all_of(parts)


def all_of(parts: Sequence[str]) -> str:
    """Join expressions that must all hold; empty ones always do.

    In pairs of pairs: Milvus reads a chain as one bracket in another, and takes a hundred at most.

    Example:
        >>> all_of(["a == 1", "", "b == 2", "c == 3"])
        '(a == 1) and ((b == 2) and (c == 3))'
    """
    given = [part for part in parts if part]
    if len(given) <= 1:
        return "".join(given)
    middle = len(given) // 2
    return f"({all_of(given[:middle])}) and ({all_of(given[middle:])})"


def department_of(key: str) -> int:
    """Give the number of a category's widest name.

    Args:
        key: The category's `category_key`.
    """
    return text_number("department", key.partition("\x1f")[0] if key else "")


def finite(value: float) -> float:
    """Bring a number into the range that an expression can name; the order stays."""
    return max(-sys.float_info.max, min(sys.float_info.max, value)) if math.isinf(value) else value


def _condition(condition: Condition) -> str:
    """Translate one condition, ``!=`` being read as ``=`` (the caller negates it)."""
    if condition.field == "price":
        return _price(condition)
    if field := NUMBER_FIELDS.get(condition.field):
        numbers = [own_number(condition.field, value) for value in condition.values]
        return f"{field} in {numbers_text(numbers)}"
    if condition.field != "category":
        numbers = [attribute_number(condition.field, value) for value in condition.values]
    elif condition.operator == "==":
        numbers = [category_numbers(value)[-1] for value in condition.values]
    else:
        keys = (category_key(category_path(value)) for value in condition.values)
        numbers = [text_number("category", key) for key in keys]
    return f"array_contains_any(tokens, {numbers_text(numbers)})"


def _price(condition: Condition) -> str:
    operator = "==" if condition.operator in ("=", "!=") else condition.operator
    amounts = [repr(finite(float(value))) for value in condition.values]
    compared = f"price in [{', '.join(amounts)}]"
    if operator != "==":
        compared = f"price {operator} {amounts[0]}"
    text = f"priced == true and {compared}"
    if condition.currency:
        text += f" and currency in [{own_number('currency', condition.currency)}]"
    return text


def _departments(condition: Condition) -> list[int]:
    keys = (
        value if condition.operator == "==" else category_key(category_path(value))
        for value in condition.values
    )
    return [department_of(key) for key in keys]
