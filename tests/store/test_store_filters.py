"""Filters: how they are written, and what they select."""

import time
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_store import DIMENSION, passes, picture, record

from snapshelf.catalog import Availability, Price, Product
from snapshelf.errors import FilterError
from snapshelf.store import Condition, EmbeddedStore, Filter, VectorStore, parse_filter
from snapshelf.store.filters import MOST_VALUES, category_key, category_path, only_category

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


# --- what filters select ------------------------------------------------------------------

PRODUCTS = [
    Product(id="bare", images=("x",)),
    Product(
        id="boots",
        category=("Shoes", "Boots"),
        brand="Straße",
        price=Price(Decimal("79.99"), "EUR"),
        availability=Availability.IN_STOCK,
        images=("x",),
        attributes={"Colour": "Deep Red", "a=b,c|d": "odd", "größe": "44"},
    ),
    Product(
        id="Shoes",
        category=("Shoes",),
        brand="ACME",
        price=Price(Decimal(80), "USD"),
        images=("x",),
        attributes={"COLOUR": "blue", 'quote"d': "100%"},
    ),
    Product(
        id="both",
        category=("Shoes & Boots",),
        brand="Acme",
        price=Price(Decimal(80)),
        images=("x",),
        attributes={"colour": "ΣΊΣΥΦΟΣ"},
    ),
    Product(id="bags", category=("Bags", "Shoes"), brand="a_me", images=("x",)),
    Product(id="shoesies", category=("Shoesies", "Boots"), images=("x",)),
    Product(id="'; DROP TABLE product; --", category=("Shoes\x1fBoots",), images=("x",)),
]

SELECTED = {
    "category=shoes": {"boots", "Shoes"},
    "category=SHOES > boots": {"boots"},
    "category=Boots": set(),
    "category=shoe": set(),
    "category=shoes & boots|bags": {"both", "bags"},
    "category=Shoes > Boots > Winter": set(),
    "category!=shoes": {
        "bare",
        "both",
        "bags",
        "shoesies",
        "'; DROP TABLE product; --",
    },
    "brand=acme": {"Shoes", "both"},
    "brand=A_ME|a%": {"bags"},
    "brand=STRASSE": {"boots"},
    "brand!=acme,category=shoes": {"boots"},
    "price<80": {"boots"},
    "price<=80": {"boots", "Shoes", "both"},
    "price<=80 usd": {"Shoes"},
    "price<1000 EUR": {"boots"},
    "price>80": set(),
    "price=79.99|80": {"boots", "Shoes", "both"},
    "price=79.990": {"boots"},
    "price!=80": {"bare", "boots", "bags", "shoesies", "'; DROP TABLE product; --"},
    "price!=80 USD,price>0": {"boots", "both"},
    "price>=0,price<" + "9" * 400: {"boots", "Shoes", "both"},
    "currency=eur|usd": {"boots", "Shoes"},
    "availability=in stock": {"boots"},
    "availability!=in stock,category=shoes": {"Shoes"},
    "colour=deep red|BLUE": {"boots", "Shoes"},
    "colour=red": set(),
    "colour=σίσυφος": {"both"},
    "colour!=blue,brand=acme": {"both"},
    "GRÖSSE=44": {"boots"},
    '"a=b,c|d"=ODD': {"boots"},
    r'"quote\"d"=100%': {"Shoes"},
    "id=Shoes|boots": {"Shoes", "boots"},
    "id=shoes": set(),
    "id='; DROP TABLE product; --": {"'; DROP TABLE product; --"},
    "brand=x' OR '1'='1": set(),
    "brand=x' OR 1=1 --|\"') OR 1=1 --\"": set(),
    'category="x\') OR (1=1"': set(),
}


@pytest.fixture
def stocked(store: VectorStore) -> VectorStore:
    vector = np.eye(DIMENSION, dtype=np.float32)[0]
    store.upsert([record(p, picture("x", vector)) for p in PRODUCTS], run=1)
    return store


def selected(store: VectorStore, where: Filter) -> set[str]:
    vector = np.eye(DIMENSION, dtype=np.float32)[:1]
    found = {hit.product_id for hit in store.search(vector, 100, where)[0]}
    assert store.count(where).products == len(found)
    return found


def test_filters_select_what_they_say(stocked: VectorStore) -> None:
    for text, expected in SELECTED.items():
        assert selected(stocked, parse_filter(text)) == expected, text
    assert len(stocked.products([p.id for p in PRODUCTS])) == len(PRODUCTS)


@pytest.mark.parametrize(
    "path", [(), ("shoes",), ("SHOES", " Boots"), ("Bags",), ("Bags", "Shoes"), ("'", "%")]
)
def test_one_category_is_selected_without_those_below_it(
    stocked: VectorStore, path: tuple[str, ...]
) -> None:
    names = [name.strip().casefold() for name in path]
    ordinary = {p.id for p in PRODUCTS if "\x1f" not in "".join(p.category)}
    own = {p.id for p in PRODUCTS if [name.casefold() for name in p.category] == names}
    assert selected(stocked, only_category(category_key(path))) & ordinary == own
    cheap = parse_filter("price<80")
    expected = {p.id for p in PRODUCTS if p.id in own and passes(p, cheap)}
    assert selected(stocked, only_category(category_key(path), cheap)) & ordinary == expected


@pytest.mark.parametrize(
    "name", ["number", "rowid", "product.id", "1=1", "x' OR '1'='1", "attribute", "*", "\x00"]
)
def test_a_name_is_never_sql(stocked: VectorStore, name: str) -> None:
    where = Filter((Condition(name, "=", ("1",)),))
    with pytest.raises(FilterError, match="no product has an attribute"):
        stocked.search(np.eye(DIMENSION, dtype=np.float32)[:1], 5, where)


@pytest.mark.parametrize(
    "text",
    [
        "id=" + "|".join(f"p{n}" for n in range(MOST_VALUES)),
        "category=" + "|".join(f"p{n}>q" for n in range(MOST_VALUES)),
        "category!=" + "|".join(f"p{n}>q" for n in range(MOST_VALUES)),
        "price=" + "|".join(f"{n}" for n in range(MOST_VALUES)),
        ",".join(f"price!={n} EUR" for n in range(MOST_VALUES)),
        ",".join(f"category!=p{n}" for n in range(MOST_VALUES)),
        ",".join(f"colour!=p{n}" for n in range(MOST_VALUES)),
    ],
    ids=["id", "category", "not category", "price", "prices", "categories", "attributes"],
)
def test_the_largest_filters_work(stocked: VectorStore, text: str) -> None:
    where = parse_filter(text)
    assert selected(stocked, where) == {p.id for p in PRODUCTS if passes(p, where)}


conditions = st.one_of(
    st.builds(
        Condition,
        st.sampled_from(["brand", "currency", "colour", "größe".casefold(), "id"]),
        st.sampled_from(["=", "!="]),
        st.lists(
            st.sampled_from(["acme", "Straße", "eur", "blue", "deep red", "Shoes", "'", "%"]),
            min_size=1,
            max_size=3,
        ).map(tuple),
    ),
    st.builds(
        Condition,
        st.just("category"),
        st.sampled_from(["=", "!="]),
        st.lists(
            st.sampled_from(["shoes", "Shoes>boots", "bags", "SHOES & BOOTS", "shoesies"]),
            min_size=1,
            max_size=2,
        ).map(tuple),
    ),
    st.builds(
        Condition,
        st.just("price"),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.sampled_from(["79.99", "80", "80.00", "0", "1000"]).map(lambda v: (v,)),
        st.sampled_from(["", "EUR", "USD"]),
    ),
)


def test_any_filter_selects_what_plain_python_selects(make_store) -> None:
    opened: EmbeddedStore = make_store()
    vector = np.eye(DIMENSION, dtype=np.float32)[0]
    ordinary = [p for p in PRODUCTS if "\x1f" not in "".join(p.category)]
    opened.upsert([record(p, picture("x", vector)) for p in ordinary], run=1)

    @given(st.lists(conditions, min_size=1, max_size=3).map(tuple).map(Filter))
    def compare(where: Filter) -> None:
        assert selected(opened, where) == {p.id for p in ordinary if passes(p, where)}

    compare()
