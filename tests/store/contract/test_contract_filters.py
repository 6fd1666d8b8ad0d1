"""What filters select, in every store."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reference_store import DIMENSION, passes, picture, record

from snapshelf.catalog import Availability, Price, Product
from snapshelf.errors import FilterError
from snapshelf.store import Condition, Filter, VectorStore, parse_filter
from snapshelf.store.filters import MOST_VALUES, category_key, only_category

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


def test_any_filter_selects_what_plain_python_selects(store: VectorStore) -> None:
    vector = np.eye(DIMENSION, dtype=np.float32)[0]
    ordinary = [p for p in PRODUCTS if "\x1f" not in "".join(p.category)]
    store.upsert([record(p, picture("x", vector)) for p in ordinary], run=1)

    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(conditions, min_size=1, max_size=3).map(tuple).map(Filter))
    def compare(where: Filter) -> None:
        assert selected(store, where) == {p.id for p in ordinary if passes(p, where)}

    compare()
