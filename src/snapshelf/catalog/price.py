"""Prices as shops write them, read into a `Price`."""

import re
from decimal import Decimal
from functools import lru_cache

from snapshelf.catalog.currency import CURRENCY_CODES, currency_code
from snapshelf.catalog.plain_text import quote
from snapshelf.catalog.product import Price

__all__ = ["parse_price"]

LONGEST = 40

USUAL = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(?: ([A-Z]{3}))?")
WRITTEN = re.compile(
    r"(?P<before>(?:[^\d\s.,'+-]{1,4}\.?)?)\s?"
    r"(?P<amount>[0-9.](?:[0-9.,' ]*[0-9])?)"
    r"(?:[.,][-\u2013\u2014]{1,2})?\s?"
    r"(?P<after>(?:[^\d\s.,'+-]{1,4}\.?)?)"
)
NEGATIVE = re.compile(r"[^\d\s]{0,4}\s?[-\u2212]\s?[0-9.]")

POINT = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+")
POINT_GROUPED = re.compile(r"[0-9]{1,3}([, '])[0-9]{3}(?:\1[0-9]{3})*\.[0-9]+")
COMMA_GROUPED = re.compile(r"[0-9]{1,3}([. '])[0-9]{3}(?:\1[0-9]{3})*,[0-9]+")
WHOLE_GROUPED = re.compile(r"[1-9][0-9]{0,2}([,. '])[0-9]{3}(?:\1[0-9]{3})*")
LAKH_GROUPED = re.compile(r"[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")
COMMA = re.compile(r"[0-9]+,[0-9]+")
SEPARATORS = re.compile("[ ',.]")


@lru_cache(maxsize=8192)
def parse_price(text: str, currency: str = "") -> Price:
    """Read a price.

    The amount may be written ``1299.00``, ``1,299.00``, ``1.299,00``, ``1 299,00``,
    ``1'299.00``, ``1,29,900`` or ``19,-``; a currency's code or sign may stand before or behind
    it. A single point is always the decimal point (``1.299`` is a little more than one). A
    single comma followed by exactly three digits divides thousands (``1,299`` is 1299, but
    ``0,125`` an eighth), and is a decimal comma otherwise (``1,29``).

    Args:
        text: What the feed says.
        currency: ISO 4217 code for a price without a currency, "" for unknown.

    Returns:
        The price, its amount with as many decimals as the text has.

    Raises:
        ValueError: If it is negative, or no price. The message is fit for `Problem.reason`.

    Example:
        >>> parse_price("1.299,00 €")
        Price(amount=Decimal('1299.00'), currency='EUR')
    """
    usual = USUAL.fullmatch(text)
    if usual and (usual[2] is None or usual[2] in CURRENCY_CODES):
        return Price(Decimal(usual[1]), usual[2] or currency)
    spaced = " ".join(text.split()).replace("\u2019", "'")
    if len(spaced) > LONGEST:
        raise _no_price(text)
    if NEGATIVE.match(spaced):
        raise ValueError(f"is a negative price: {quote(text)}")
    written = WRITTEN.fullmatch(spaced)
    if written is None:
        raise _no_price(text)
    amount = _parse_amount(written["amount"])
    if amount is None:
        raise _no_price(text)
    return Price(amount, _parse_currency(written["before"], written["after"], text) or currency)


def _parse_amount(text: str) -> Decimal | None:
    if POINT.fullmatch(text):
        return Decimal(text)
    if POINT_GROUPED.fullmatch(text) or LAKH_GROUPED.fullmatch(text):
        return Decimal(re.sub("[ ',]", "", text))
    if COMMA_GROUPED.fullmatch(text):
        return Decimal(re.sub("[ '.]", "", text).replace(",", "."))
    if WHOLE_GROUPED.fullmatch(text):
        return Decimal(SEPARATORS.sub("", text))
    if COMMA.fullmatch(text):
        return Decimal(text.replace(",", "."))
    return None


def _parse_currency(before: str, after: str, text: str) -> str:
    """One code of what stands before and behind the amount; a written code beats a sign."""
    try:
        codes = [currency_code(part) for part in (before, after) if part]
    except ValueError:
        raise _no_price(text) from None
    written = [part.upper() for part in (before, after) if part.upper() in CURRENCY_CODES]
    chosen = set(written or codes)
    if len(chosen) > 1:
        raise _no_price(text)
    return chosen.pop() if chosen else ""


def _no_price(text: str) -> ValueError:
    return ValueError(
        f"is no price: {quote(text)}; write an amount and a currency, such as 19.99 EUR"
    )
