"""What is written in any format is read back, and no bytes bring the reader down."""

import csv
import io
import json
import tempfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from snapshelf.catalog import FORMATS, Availability, Catalog, Entry, Price, Problem, Product
from snapshelf.errors import FeedError

LETTERS = st.characters(
    exclude_categories=("Cc", "Cs", "Co", "Cn", "Zl", "Zp"), exclude_characters="\ufeff"
)
TEXTS = st.text(LETTERS, max_size=40).map(lambda text: " ".join(text.split()))
WORDS = st.text(LETTERS, min_size=1, max_size=20).map(lambda text: " ".join(text.split()))
FULL_WORDS = WORDS.filter(bool)
LEVELS = FULL_WORDS.filter(lambda text: ">" not in text)
IMAGES = st.builds("{}/{}.jpg".format, st.sampled_from(["a", "ä b", "👢"]), st.integers(0, 999))
URLS = st.builds("https://shop.example/{}".format, st.integers(0))

PRODUCTS = st.lists(
    st.builds(
        Product,
        id=FULL_WORDS,
        title=TEXTS,
        description=TEXTS.filter(lambda text: "<" not in text and "&" not in text),
        category=st.lists(LEVELS, max_size=3).map(tuple),
        brand=TEXTS,
        price=st.none()
        | st.builds(
            Price,
            st.decimals(0, 10**9, places=2, allow_nan=False, allow_infinity=False),
            st.sampled_from(["", "EUR", "USD", "JPY"]),
        ),
        availability=st.none() | st.sampled_from(Availability),
        url=st.just("") | URLS,
        images=st.lists(IMAGES | URLS, min_size=1, max_size=4, unique=True).map(tuple),
        attributes=st.dictionaries(st.just("color"), FULL_WORDS),
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda product: product.id,
)

COLUMNS = ("id", "title", "description", "product_type", "brand", "price", "availability", "link")
COLUMNS = (*COLUMNS, "image_link", "additional_image_link", "color")


def _fields(product: Product) -> dict[str, Any]:
    return {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "product_type": " > ".join(product.category),
        "brand": product.brand,
        "price": str(product.price) if product.price else "",
        "availability": product.availability or "",
        "link": product.url,
        "image_link": product.images[0],
        "additional_image_link": list(product.images[1:]),
        "color": product.attributes.get("color", ""),
    }


def _table(products: list[Product], delimiter: str, end: str, quoting: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(COLUMNS)
    for product in products:
        fields = _fields(product)
        fields["additional_image_link"] = "|".join(fields["additional_image_link"])
        writer.writerow([fields[column] for column in COLUMNS])
    return text.getvalue().encode()


def _json_lines(products: list[Product]) -> bytes:
    return "\n".join(
        json.dumps({**_fields(product), "product_type": list(product.category)})
        for product in products
    ).encode()


def _xml(products: list[Product]) -> bytes:
    items = []
    for product in products:
        fields = _fields(product)
        elements = [
            f"<g:{name}>{escape(text)}</g:{name}>"
            for name, value in fields.items()
            for text in (value if isinstance(value, list) else [value])
            if text
        ]
        items.append(f"<item>{''.join(elements)}</item>")
    head = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>'
    return f"{head}{''.join(items)}</channel></rss>".encode()


def _read(content: bytes, **options: Any) -> list[Entry | Problem]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed"
        path.write_bytes(content)
        return list(Catalog.open(path, **options))


def _same(found: list[Entry | Problem], products: list[Product]) -> None:
    read = [item.product if isinstance(item, Entry) else item for item in found]
    assert read == products


@settings(deadline=None, max_examples=60)
@given(
    PRODUCTS,
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_tables(products: list[Product], delimiter: str, end: str, quoting: int) -> None:
    _same(_read(_table(products, delimiter, end, quoting)), products)


@settings(deadline=None, max_examples=60)
@given(PRODUCTS)
def test_json_lines(products: list[Product]) -> None:
    _same(_read(_json_lines(products)), products)


@settings(deadline=None, max_examples=60)
@given(PRODUCTS)
def test_xml(products: list[Product]) -> None:
    _same(_read(_xml(products), format="google-xml"), products)


@settings(deadline=None, max_examples=30)
@given(PRODUCTS, st.data())
def test_line_numbers_of_rows_with_line_ends(products: list[Product], data: st.DataObject) -> None:
    ends = ["\n" * data.draw(st.integers(0, 3)) for _ in products]
    broken = [
        replace(product, description=f"a{end}b")
        for product, end in zip(products, ends, strict=True)
    ]
    found = _read(_table(broken, ",", "\n", csv.QUOTE_ALL))
    line = 2
    for item, end in zip(found, ends, strict=True):
        assert item.line == line
        line += 1 + len(end)


SEEDS = [
    b"id,image\n1,a.jpg\n",
    b"id\ttitle\timage_link\n1\tt\ta.jpg\n",
    b"Handle,Title,Variant Price,Image Src\nh,t,5,a.jpg\n",
    b'{"id": 1, "image": "a.jpg"}\n',
    b"<rss><item><id>1</id><image_link>a</image_link></item></rss>",
    b"\xff\xfei\x00d\x00,\x00i\x00m\x00g\x00\n\x00",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    b"PAR1",
]


@pytest.mark.parametrize("name", [None, *(name for name in FORMATS if name != "parquet")])
@settings(
    deadline=5000, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    start=st.sampled_from([b"", *SEEDS]),
    middle=st.binary(max_size=80) | st.text(alphabet="\"',;\t\n\r<>&{}[]:ab1\x00é", max_size=80),
    end=st.sampled_from([b"", *SEEDS]),
)
@example(start=b"id,image\n", middle='"' * 50, end=b"")
@example(start=b"\xff\xfe", middle=b"\x00\xd8i", end=b"\n")
def test_any_bytes_give_products_problems_or_a_feed_error(
    name: str | None, start: bytes, middle: bytes | str, end: bytes
) -> None:
    content = start + (middle if isinstance(middle, bytes) else middle.encode()) + end
    try:
        found = _read(content, format=name)
    except FeedError as error:
        assert str(error)  # noqa: PT017
        return
    for item in found:
        assert item.line >= 0
        json.dumps(item.reason if isinstance(item, Problem) else item.product.title)
        text = repr(item)
        text.encode()


@settings(deadline=5000, max_examples=60)
@given(st.data())
def test_a_damaged_parquet_file_gives_a_feed_error_or_its_rows(data: st.DataObject) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table({"id": ["1", "2"], "image": ["a.jpg", "b.jpg"]}), sink)
    content = bytearray(sink.getvalue())
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        _read(bytes(content), format="parquet")
    except FeedError as error:
        assert "is no Parquet file that can be read" in str(error) or "feed" in str(error)  # noqa: PT017


def test_prices_keep_their_decimals() -> None:
    (entry,) = _read(b"id,image,price\n1,a.jpg,5.10 EUR\n")
    assert isinstance(entry, Entry)
    assert entry.product.price == Price(Decimal("5.10"), "EUR")
    assert str(entry.product.price) == "5.10 EUR"
