"""A filter as a condition over the embedded store's tables."""

from snapshelf.store.filters import Condition, Filter, category_key, category_path

__all__ = ["filter_sql"]

_COLUMNS = {
    "id": "product.id",
    "brand": "product.brand_key",
    "currency": "product.currency_key",
    "availability": "product.availability",
}


def filter_sql(where: Filter) -> tuple[str, list[str | float]]:
    """Translate a filter into an SQL condition on the table ``product``.

    Args:
        where: The filter.

    Returns:
        The condition with placeholders only (no value is ever part of the SQL text), and the
        values for them.
    """
    parts, values = [], []
    for condition in where.conditions:
        sql, given = _condition_sql(condition)
        parts.append(f"NOT ({sql})" if condition.operator == "!=" else f"({sql})")
        values.extend(given)
    return " AND ".join(parts), values


def _condition_sql(condition: Condition) -> tuple[str, list[str | float]]:
    """Translate one condition, ``!=`` being read as ``=`` (the caller negates it)."""
    if condition.field == "category":
        return _category_sql(condition)
    if condition.field == "price":
        return _price_sql(condition)
    marks = ", ".join("?" * len(condition.values))
    if condition.field == "id":
        return f"product.id IN ({marks})", list(condition.values)
    folded: list[str | float] = [value.casefold() for value in condition.values]
    if column := _COLUMNS.get(condition.field):
        return f"{column} IN ({marks})", folded
    return (
        "product.number IN (SELECT attribute.product FROM attribute "
        f"WHERE attribute.name = ? AND attribute.value IN ({marks}))",
        [condition.field, *folded],
    )


def _category_sql(condition: Condition) -> tuple[str, list[str | float]]:
    if condition.operator == "==":
        marks = ", ".join("?" * len(condition.values))
        return f"product.category_key IN ({marks})", list(condition.values)
    parts, values = [], list[str | float]()
    for value in condition.values:
        key = category_key(category_path(value))
        parts.append("(product.category_key >= ? AND product.category_key < ?)")
        # A key ends in U+001F, so its descendants lie before the same key ending in U+0020.
        values += [key, key[:-1] + "\x20"]
    return " OR ".join(parts), values


def _price_sql(condition: Condition) -> tuple[str, list[str | float]]:
    operator = "=" if condition.operator == "!=" else condition.operator
    parts = [f"product.price {operator} ?" for _ in condition.values]
    values: list[str | float] = [float(value) for value in condition.values]
    sql = f"product.price IS NOT NULL AND ({' OR '.join(parts)})"
    if condition.currency:
        sql += " AND product.currency_key = ?"
        values.append(condition.currency.casefold())
    return sql, values
