"""Values of JSON and Parquet as the texts that a row's fields are made of."""

import json
from collections.abc import Mapping

from snapshelf.catalog.row import Value

__all__ = ["flatten"]

AMOUNTS = ("amount", "value")
CURRENCIES = ("currency", "currency_code", "currencyCode")
ADDRESSES = ("url", "src", "href", "path")


def flatten(value: object) -> Value:
    """Turn a nested value into a text or a list of texts.

    Args:
        value: What JSON or Parquet holds. An object with an amount and a currency becomes a
            price, one with an address (``url``, ``src``, ``href`` or ``path``) that address, and
            any other its JSON text.

    Returns:
        The text, "" for nothing; a list for a list.

    Example:
        >>> flatten({"amount": "19.90", "currency": "EUR"})
        '19.90 EUR'
    """
    if isinstance(value, list | tuple):
        return [text for item in value if (text := _one(item))]
    return _one(value)


def _one(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _object(value: Mapping[str, object]) -> str:
    for name in AMOUNTS:
        if isinstance(value.get(name), str | int | float):
            currency = next((value[name] for name in CURRENCIES if value.get(name)), "")
            return f"{value[name]} {currency}".rstrip()
    for name in ADDRESSES:
        address = value.get(name)
        if isinstance(address, str):
            return address
    return json.dumps(value, ensure_ascii=False, default=str)
