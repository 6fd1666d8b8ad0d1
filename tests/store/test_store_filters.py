"""Filters: how they are written."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshelf.errors import FilterError
from snapshelf.store import Condition, Filter, parse_filter
from snapshelf.store.filters import category_key, category_path

GOOD = {
    "brand=Acme": [Condition("brand", "=", ("Acme",))],
    "  Brand =  Acme Shoes  ": [Condition("brand", "=", ("Acme Shoes",))],
    "brand!=Acme|Zenith": [Condition("brand", "!=", ("Acme", "Zenith"))],
    'brand="a,b"|"c|d" , id=7': [Condition("brand", "=", ("a,b", "c|d")), Condition("id", "=", ("7",))],  # noqa: E501
    r'title="say \"hi\" \\ \n"': [Condition("title", "=", ('say "hi" \\ n',))],
    'brand="two\nlines"': [Condition("brand", "=", ("two\nlines",))],
    "brand= a=b<c>d!": [Condition("brand", "=", ("a=b<c>d!",))],
    "category=Apparel > Shoes": [Condition("category", "=", ("Apparel > Shoes",))],
    "category!=shoes": [Condition("category", "!=", ("shoes",))],
    "price<80": [Condition("price", "<", ("80",))],
    "price <= 79.90 eur": [Condition("price", "<=", ("79.90",), "EUR")],
    "price>-1": [Condition("price", ">", ("-1",))],
    "price>=007": [Condition("price", ">=", ("7",))],
    "price=1|2|3 ": [Condition("price", "=", ("1", "2", "3"))],
    "price!=1 EUR|2 eur": [Condition("price", "!=", ("1", "2"), "EUR")],
    "availability=In Stock|pre-order": None,
    "availability=in-stock|OUT_OF_STOCK": [Condition("availability", "=", ("in_stock", "out_of_stock"))],  # noqa: E501
    "Größe=44": [Condition("grösse", "=", ("44",))],
    "größe (EU)=44": [Condition("grösse (eu)", "=", ("44",))],
    '"a=b,c|d" = red': [Condition("a=b,c|d", "=", ("red",))],
    r'"quote\"d"=x': [Condition('quote"d', "=", ("x",))],
    "'; DROP TABLE product; --=x": [Condition("'; drop table product; --", "=", ("x",))],
    "c:🥿=%": [Condition("c:🥿", "=", ("%",))],
}  # fmt: skip

BAD = {
    "": "expected a condition at ''",
    "   ": "expected a condition",
    "shoes": "expected a condition at 'shoes'",
    "=red": "expected a condition at '=red'",
    '""=red': "expected a condition",
    "brand=": "a value is missing after 'brand='",
    "brand=,price<3": "a value is missing",
    "brand=a|": "a value is missing after 'brand=a|'",
    "brand=|a": "a value is missing",
    "brand=''|\"\"": "a value is missing",
    'brand="a': "a value is missing",
    'brand="a"b': "expected a comma before 'b'",
    'brand=a"b"': "expected a comma before",
    "brand=a,": "expected a condition at ''",
    ",brand=a": "expected a condition at ',brand=a'",
    "brand=a,,id=b": "expected a condition at ',id=b'",
    "brand|id=a": "expected a condition at 'brand|id=a'",
    "brand<a": "brand<a cannot be compared by order",
    "category>=a": "cannot be compared by order",
    "size<44": "<, <=, > and >= are for one price",
    "price<1|2": "price<1|2 cannot be compared by order",
    "price=cheap": "price 'cheap' is no number; write price<80",
    "price=1e5": "price '1e5' is no number",
    "price=1,50": "expected a condition at '50'",
    "price=$5": "price '$5' is no number",
    "price=80 Euro": "price '80 Euro' is no number",
    "price=٣": "is no number",
    "price=NaN": "is no number",
    "price=.": "is no number",
    "price=1 EUR|2 USD": "must all be in one currency",
    "price=1|2 USD": "must all be in one currency",
    "category=>": "a category needs a name",
    'category=a|" > "': "a category needs a name",
    "availability=soon": "availability 'soon' is not known; choose from backorder, in_stock",
    "brand=\ud800": "half of a surrogate pair",
    "id=" + "|".join(map(str, range(201))): "more than 200 values",
    ",".join(f"id={n}" for n in range(201)): "more than 200 values",
}


@pytest.mark.parametrize("text", [text for text, expected in GOOD.items() if expected])
def test_good_filters_are_understood(text: str) -> None:
    assert parse_filter(text) == Filter(tuple(GOOD[text]))


@pytest.mark.parametrize("text", BAD)
def test_bad_filters_say_what_is_wrong(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert BAD[text] in str(caught.value)
    assert str(caught.value).startswith("filter: ")


def test_a_message_quotes_little_of_a_long_filter() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("brand=" + "x" * 50_000 + ",brand=")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("hostile", [" ", "a", "a ", '"', '\\"', "=", "|", "a=b|", "\t\n"])
def test_long_hostile_filters_are_refused_quickly(hostile: str) -> None:
    start = time.perf_counter()
    with pytest.raises(FilterError):
        parse_filter(hostile * 100_000 + "<")
    assert time.perf_counter() - start < 1


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    message = "filter: "
    try:
        parse_filter(text)
    except FilterError as error:
        message = str(error)
    assert message.startswith("filter: ")


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4))
def test_a_quoted_value_comes_through_as_it_is(values: list[str]) -> None:
    quoted = "|".join('"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values)
    (condition,) = parse_filter(f"brand={quoted}").conditions
    assert condition.values == tuple(values)


def test_a_category_is_a_prefix_of_names_not_of_letters() -> None:
    key = category_key(("Apparel", "Shoes"))
    assert key.startswith(category_key(("APPAREL",)))
    assert key.startswith(category_key(category_path(" apparel >  shoes ")))
    assert not category_key(("Shoes & Boots",)).startswith(category_key(("Shoes",)))
    assert not category_key(("Shoes",)).startswith(category_key(("Apparel",)))
