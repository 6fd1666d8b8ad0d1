"""Prices as shops write them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshelf.catalog import Price
from snapshelf.catalog.currency import CURRENCY_CODES, currency_code
from snapshelf.catalog.price import parse_price


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("19.99 EUR", "19.99", "EUR"),
        ("EUR 19.99", "19.99", "EUR"),
        ("19.99EUR", "19.99", "EUR"),
        ("19.99 eur", "19.99", "EUR"),
        ("€19,99", "19.99", "EUR"),
        ("1.299,00 €", "1299.00", "EUR"),
        ("1.299.000 €", "1299000", "EUR"),
        ("$1,299.00", "1299.00", "USD"),
        ("US$1,299.00", "1299.00", "USD"),
        ("$19.99 CAD", "19.99", "CAD"),
        ("R$ 19,90", "19.90", "BRL"),
        ("£5", "5", "GBP"),
        ("¥1,299", "1299", "JPY"),
        ("₹1,29,900", "129900", "INR"),
        ("19.99", "19.99", ""),
        ("0", "0", ""),
        (".99", "0.99", ""),
        ("1,299", "1299", ""),
        ("1,29", "1.29", ""),
        ("0,125", "0.125", ""),
        ("1.299", "1.299", ""),
        ("1 299,00 kr", "1299.00", ""),
        ("1\u00a0299,00\u00a0kr.", "1299.00", ""),
        ("1\u202f299,00 €", "1299.00", "EUR"),
        ("CHF 1'299.00", "1299.00", "CHF"),
        ("1\u2019299.00 CHF", "1299.00", "CHF"),
        ("19,- €", "19", "EUR"),
        ("CHF 19.–", "19", "CHF"),
        ("129,00 zł", "129.00", "PLN"),
        ("12 345 678,90 Kč", "12345678.90", "CZK"),
    ],
)
def test_price_formats(text: str, amount: str, currency: str) -> None:
    price = parse_price(text)
    assert (str(price.amount), price.currency) == (str(Decimal(amount)), currency)


def test_default_currency_fills_in_only_where_the_text_says_nothing() -> None:
    assert parse_price("5", "SEK") == Price(Decimal(5), "SEK")
    assert parse_price("5 kr", "SEK") == Price(Decimal(5), "SEK")
    assert parse_price("5 EUR", "SEK") == Price(Decimal(5), "EUR")


@pytest.mark.parametrize(
    "text",
    [
        *("free", "from 5", "5 EUR / kg", "5-6", "19.99 ABC", "19.99 pcs", "EUR 5 USD", "€€5"),
        *("NaN", "inf", "1e3", "0x10", "٣", "EUR", "$", "+5", "1" * 60),
        *("1,2,3", "1.2.3", "12,34,56", "1 2", "1 29", "1.299,00,00", "1,0000.00", "1.299,0.0"),
    ],
)
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(ValueError, match=r"^is no price: '.*'; write an amount and a currency"):
        parse_price(text)


@pytest.mark.parametrize(
    "text", ["-5", "--5--", "-5.00 EUR", "EUR -5", "€-5", "\u22125", "- 5", "-.5"]
)
def test_negative_prices(text: str) -> None:
    with pytest.raises(ValueError, match="is a negative price"):
        parse_price(text)


def test_a_long_text_is_shortened_in_the_message() -> None:
    with pytest.raises(ValueError, match="is no price") as caught:
        parse_price("x" * 100_000)
    assert len(str(caught.value)) < 150


def _group(digits: str, separator: str) -> str:
    """Slow reference: a separator before every third digit from the right."""
    parts = []
    while len(digits) > 3:
        parts.append(digits[-3:])
        digits = digits[:-3]
    return separator.join([digits, *reversed(parts)])


@given(
    units=st.integers(0, 10**12),
    cents=st.integers(0, 99),
    style=st.sampled_from([("", "."), (",", "."), (".", ","), (" ", ","), ("'", "."), ("", ",")]),
    currency=st.sampled_from(sorted(CURRENCY_CODES)),
    place=st.sampled_from(["{0} {1}", "{1} {0}", "{0}{1}", "{1}{0}", " {0}  {1} "]),
)
def test_every_style_gives_the_amount_back(
    units: int, cents: int, style: tuple[str, str], currency: str, place: str
) -> None:
    separator, point = style
    text = place.format(f"{_group(str(units), separator)}{point}{cents:02}", currency)
    assert parse_price(text) == Price(Decimal(f"{units}.{cents:02}"), currency)


@given(st.text(max_size=50))
def test_any_text_is_a_price_or_a_value_error(text: str) -> None:
    try:
        price = parse_price(text)
    except ValueError as error:
        assert str(error).startswith(("is no price", "is a negative price"))  # noqa: PT017
    else:
        assert price.amount.is_finite()
        assert price.amount >= 0


@pytest.mark.parametrize("text", ["", "euro", "ABC", "E"])
def test_unknown_currencies(text: str) -> None:
    with pytest.raises(ValueError, match="a currency must be a code of ISO 4217"):
        currency_code(text)
