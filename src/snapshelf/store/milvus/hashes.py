"""Numbers that stand for texts in Milvus's fields: no text is ever part of an expression."""

import hashlib
from collections.abc import Sequence

__all__ = ["LEVELS", "attribute_number", "category_numbers", "own_number", "text_number"]

LEVELS = 1_000
"""Levels of a category that a filter can tell apart; the field of a row holds only so many."""


def text_number(kind: str, *texts: str) -> int:
    """Give a number that stands for texts, in [-2^63 + 1, 2^63 - 1].

    Two texts of a shelf have one number with a chance of 2^-64: for 10^6 different texts that any
    two of them do, less than 10^-7.

    Args:
        kind: What the texts are, so that equal texts in two roles have different numbers.
        *texts: Folded already where case does not count.
    """
    # The length before each text, so that no two lists of texts run together.
    parts = (f"{len(text)}:{text}" for text in (kind, *texts))
    data = "".join(parts).encode("utf-8", "surrogatepass")
    number = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big", signed=True)
    return max(number, -(2**63) + 1)  # Milvus cannot read the smallest number in an expression


def own_number(field: str, value: str) -> int:
    """Give the number of ``id``, ``brand``, ``currency`` or ``availability`` of a product."""
    return text_number(field, value if field == "id" else value.casefold())


def attribute_number(name: str, value: str | None = None) -> int:
    """Give the number of an attribute with a value, or of having one with this name at all."""
    folded = name.casefold()
    if value is None:
        return text_number("attribute", folded)
    return text_number("attribute", folded, value.casefold())


def category_numbers(key: str) -> list[int]:
    """Give the numbers of a category's ancestors and of itself, and of being just this one.

    Args:
        key: Its `category_key`.

    Returns:
        One for each prefix of whole names, at most `LEVELS`, and last that of the whole key.
    """
    ends = [place + 1 for place, character in enumerate(key) if character == "\x1f"]
    within = [text_number("category", key[:end]) for end in ends[:LEVELS]]
    return [*within, text_number("category only", key)]


def numbers_text(numbers: Sequence[int]) -> str:
    """Write numbers as a list of an expression."""
    return f"[{', '.join(map(str, numbers))}]"
