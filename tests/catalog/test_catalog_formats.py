"""Each format read from a file as shops write it."""

import gzip
import json
import os
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from snapshelf.catalog import (
    COMMON_NAMES,
    FORMATS,
    Availability,
    Catalog,
    Entry,
    Header,
    Price,
    Problem,
    Product,
    Row,
    Source,
)
from snapshelf.errors import FeedError

GOOGLE_TSV = (
    "ID\tTitle\tdescription\tlink\tImage Link\tg:additional_image_link\tavailability\tprice\t"
    "sale_price\tbrand\tgoogle_product_category\tproduct_type\titem_group_id\tcolor\n"
    'B-1\t"Boot ""Größe"" 👢"\t"Line one\nline <b>two</b>"\thttps://shop.example/b1\t'
    "https://cdn.example/w_9,h_9/1.jpg\thttps://cdn.example/2.jpg,https://cdn.example/3.jpg\t"
    "in stock\t15.00 USD\t12.00 USD\tAcme\tApparel > Shoes\t\tG7\tred\n"
    "B-2\tHat\t\tjavascript:alert(1)\thats/2.jpg\t\thttps://schema.org/OutOfStock\t\t\t\t187\t"
    "Hats > Felt\t\t\n"
)
BOOT = Product(
    id="B-1",
    title='Boot "Größe" 👢',
    description="Line one line two",
    category=("Apparel", "Shoes"),
    brand="Acme",
    price=Price(Decimal("15.00"), "USD"),
    availability=Availability.IN_STOCK,
    url="https://shop.example/b1",
    images=(
        "https://cdn.example/w_9,h_9/1.jpg",
        "https://cdn.example/2.jpg",
        "https://cdn.example/3.jpg",
    ),
    attributes={"sale_price": "12.00 USD", "item_group_id": "G7", "color": "red"},
)


def test_google_tsv(write_feed: Callable[..., Path]) -> None:
    catalog = Catalog.open(write_feed("feed.txt", GOOGLE_TSV))
    assert catalog.format == "google-tsv"
    boot, hat = catalog
    assert boot == Entry(BOOT, 2)
    assert hat == Entry(
        Product(
            id="B-2",
            title="Hat",
            category=("Hats", "Felt"),
            availability=Availability.OUT_OF_STOCK,
            images=("hats/2.jpg",),
            attributes={"link": "javascript:alert(1)", "google_product_category": "187"},
        ),
        4,
    )
    assert list(catalog) == [boot, hat], "a catalogue can be iterated again"


RSS = """<?xml version="1.0" encoding="{encoding}"?>
<?xml-stylesheet href="x.css"?><!-- made by hand -->
<rss xmlns:g="http://base.google.com/ns/1.0" xmlns:m="http://search.yahoo.com/mrss/" version="2.0">
<channel><title>The shop</title><link>https://shop.example</link>
<item>
  <title>not this</title><g:title>Boot "Größe" {emoji}</g:title><g:id> B-1 </g:id>
  <description><![CDATA[Line one<br>line <b>two</b>]]></description>
  <link>https://shop.example/b1</link><m:title>nor this</m:title>
  <g:image_link>https://cdn.example/w_9,h_9/1.jpg</g:image_link>
  <g:additional_image_link>https://cdn.example/2.jpg</g:additional_image_link>
  <g:additional_image_link>https://cdn.example/3.jpg</g:additional_image_link>
  <g:availability>in_stock</g:availability><g:price>15.00 USD</g:price>
  <g:sale_price>12.00 USD</g:sale_price><g:brand>Acme</g:brand>
  <g:google_product_category>Apparel &gt; Shoes</g:google_product_category>
  <g:item_group_id>G7</g:item_group_id><g:color>red</g:color>
</item>
<item><id>H</id><g:image_link>h.jpg</g:image_link>
  <g:shipping><g:country>US</g:country><g:price>5.00 USD</g:price></g:shipping>
  <g:shipping><g:country>CA</g:country><g:price>9.00 USD</g:price></g:shipping>
  <g:product_type>Hats &gt; Felt</g:product_type><g:product_type>Sale</g:product_type>
</item>
</channel></rss>
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252"])
def test_google_rss(encoding: str, read_feed: Any) -> None:
    emoji = "👢" if encoding.startswith("utf") else ""
    products, problems = read_feed(
        "feed", RSS.format(encoding=encoding, emoji=emoji).encode(encoding)
    )
    assert problems == []
    assert products[0].title == f'Boot "Größe" {emoji}'.strip()
    assert products[0].attributes == BOOT.attributes
    assert {**_values(products[0]), "title": BOOT.title} == _values(BOOT)
    assert products[1] == Product(
        id="H",
        category=("Hats", "Felt"),
        images=("h.jpg",),
        attributes={"shipping.country": "US, CA", "shipping.price": "5.00 USD, 9.00 USD"},
    )


def _values(product: Product) -> dict[str, Any]:
    return {name: getattr(product, name) for name in Product.__slots__}


def test_google_atom(write_feed: Callable[..., Path]) -> None:
    feed = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
    <title>Shop</title><id>tag:shop</id>
    <entry><id>tag:shop,1</id><g:id>1</g:id><title>Boot</title><summary>Warm</summary>
      <link rel="self" href="https://shop.example/api/1"/>
      <link href="https://shop.example/1"/><g:image_link>1.jpg</g:image_link></entry></feed>"""
    catalog = Catalog.open(write_feed("feed.xml", feed))
    assert catalog.format == "google-xml"
    (entry,) = catalog
    assert isinstance(entry, Entry)
    assert entry.line == 3
    assert _values(entry.product) == _values(
        Product(
            id="1",
            title="Boot",
            description="Warm",
            url="https://shop.example/1",
            images=("1.jpg",),
        )
    )


def test_broken_xml_gives_what_stands_before_the_break(write_feed: Callable[..., Path]) -> None:
    items = "".join(
        f"<item><g:id>{n}</g:id><g:image_link>{n}.jpg</g:image_link></item>\n" for n in range(5000)
    )
    head = '<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n'
    catalog = Catalog.open(write_feed("feed.xml", head + items + "<item><g:id>9</g:broken>"))
    found = []
    with pytest.raises(FeedError, match=r"not well-formed XML in line 5002, column 1\d: mismatch"):
        found.extend(catalog)
    assert [(entry.product.id, entry.line) for entry in found if isinstance(entry, Entry)] == [
        (str(n), n + 2) for n in range(5000)
    ]


def test_bad_bytes_and_control_characters_in_xml_cost_one_item(read_feed: Any) -> None:
    feed = (
        b"<rss><channel><item><id>1</id><title>\xff</title><image_link>1.jpg</image_link></item>\n"
        b"<item><id>2</id><title>a\x08b</title><image_link>2.jpg</image_link></item></channel></rss>"
    )
    products, problems = read_feed("f.xml", feed)
    assert [(product.id, product.title) for product in products] == [("2", "a b")]
    assert [(problem.line, problem.field, problem.product_id) for problem in problems] == [
        (1, "title", "1")
    ]


SHOPIFY = """Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,\
Option1 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,\
Variant Inventory Policy,Variant Price,Variant Compare At Price,Image Src,Image Position,\
Image Alt Text,Variant Image,SEO Title,Status
boot,Boot 👢,"<p>Warm,</p>
<p>""soft""</p>",Acme,Apparel > Shoes,Boots,"winter, sale",true,Size,40,B40,shopify,0,deny,99.00,,\
https://c.example/2.jpg?v=1,2,front,https://c.example/v40.jpg,Boots,active
boot,,,,,,,,,41,B41,shopify,3,deny,89.00,120.00,https://c.example/1.jpg,1,,https://c.example/1.jpg,,
boot,,,,,,,,,,,,,,,,https://c.example/3.jpg,3,,,,
hat,Hat,,Acme,,Hats > Felt,,true,Title,Default Title,H,shopify,0,continue,10.00,,h.jpg,1,,,,active
sock,Sock,,Acme,,,,true,Title,Default Title,S,shopify,0,deny,3.00,,s.jpg,1,,,,
gift,Gift,,Acme,,,,true,Title,Default Title,G,,0,deny,3.00,,g.jpg,1,,,,
old,Old,,Acme,,,,true,Title,Default Title,O,,0,deny,3.00,,o.jpg,1,,,,archived
hat,Hat again,,Acme,,,,true,Title,Default Title,H2,,0,deny,1.00,,h2.jpg,1,,,,active
"""


def test_shopify(write_feed: Callable[..., Path]) -> None:
    catalog = Catalog.open(write_feed("products_export.csv", SHOPIFY), currency="EUR")
    assert catalog.format == "shopify"
    boot, hat, sock, gift, old, again = catalog
    assert boot == Entry(
        Product(
            id="boot",
            title="Boot 👢",
            description='Warm, "soft"',
            category=("Apparel", "Shoes"),
            brand="Acme",
            price=Price(Decimal("89.00"), "EUR"),
            availability=Availability.IN_STOCK,
            images=(
                "https://c.example/1.jpg",
                "https://c.example/2.jpg?v=1",
                "https://c.example/3.jpg",
                "https://c.example/v40.jpg",
            ),
            attributes={
                "Type": "Boots",
                "Tags": "winter, sale",
                "Published": "true",
                "SEO Title": "Boots",
                "Status": "active",
                "variant_skus": "B40, B41",
                "variant_prices": "99.00, 89.00",
                "option1_name": "Size",
                "option1_values": "40, 41",
            },
        ),
        2,
    )
    assert isinstance(hat, Entry)
    assert isinstance(sock, Entry)
    assert isinstance(gift, Entry)
    assert (hat.line, hat.product.category) == (6, ("Hats", "Felt"))
    assert hat.product.availability is Availability.BACKORDER
    assert sock.product.availability is Availability.OUT_OF_STOCK
    assert gift.product.availability is Availability.IN_STOCK, "its stock is not tracked"
    assert old == Problem(9, "Status", "is 'archived': only active products are read", "old")
    assert again == Problem(
        10, "Handle", "is the ID of another product: it stood first in line 6", "hat"
    )


def test_shopify_with_the_newer_column_names(write_feed: Callable[..., Path]) -> None:
    feed = (
        "Title,URL handle,Description,Vendor,Product category,Type,Tags,Status,SKU,Option1 name,"
        "Option1 value,Price,Inventory tracker,Inventory quantity,"
        "Continue selling when out of stock,Product image URL,Image position,Variant image URL\n"
        "Boot,boot,<p>Warm</p>,Acme,Apparel > Shoes,Boots,x,Active,B40,Size,40,99,shopify,0,FALSE,"
        "https://c.example/2.jpg,2,\n"
        ",boot,,,,,,,B41,,41,89,shopify,0,TRUE,https://c.example/1.jpg,1,\n"
        "Hat,hat,,,,,,Draft,H,,,5,,,,h.jpg,1,\n"
    )
    catalog = Catalog.open(write_feed("export.csv", feed))
    assert catalog.format == "shopify"
    boot, hat = catalog
    assert isinstance(boot, Entry)
    product = boot.product
    assert (product.id, product.description, product.brand) == ("boot", "Warm", "Acme")
    assert product.price == Price(Decimal(89))
    assert product.availability is Availability.BACKORDER
    assert product.images == ("https://c.example/1.jpg", "https://c.example/2.jpg")
    assert product.attributes["variant_skus"] == "B40, B41"
    assert isinstance(hat, Problem)
    assert hat.reason == "is 'Draft': only active products are read"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv_dialects(delimiter: str, end: str, codec: str, read_feed: Any) -> None:
    lines = ["SKU*Product Name*Photo*photo_2*Color", '1*"a""*b"*ä.jpg*2.jpg*red', "", "2*c*d.jpg**"]
    text = end.join(lines).replace("*", delimiter)
    products, problems = read_feed("feed.csv", text.encode(codec))
    assert problems == []
    assert products == [
        Product(
            id="1",
            title=f'a"{delimiter}b'.replace("\t", " "),
            images=("ä.jpg", "2.jpg"),
            attributes={"Color": "red"},
        ),
        Product(id="2", title="c", images=("d.jpg",)),
    ]


def test_columns_by_mapping(read_feed: Any) -> None:
    feed = 'nr,sku,bild,betrag,währung,stock_status\n1,x,a.jpg,"5,50",SEK,lots\n'
    products, problems = read_feed(
        "f.csv",
        feed,
        columns={
            "id": "nr",
            "image": "bild",
            "price": "betrag",
            "currency": "währung",
            "availability": "",
        },
    )
    assert problems == []
    assert products == [
        Product(
            id="1",
            price=Price(Decimal("5.50"), "SEK"),
            images=("a.jpg",),
            attributes={"sku": "x", "stock_status": "lots"},
        )
    ]


def test_repeated_and_unnamed_columns(read_feed: Any) -> None:
    feed = "id,image,image,,note,\n1,a.jpg,b.jpg,x,n,\n2,,c.jpg,,\n"
    products, problems = read_feed("f.csv", feed)
    assert problems == []
    assert [product.images for product in products] == [("a.jpg", "b.jpg"), ("c.jpg",)]
    assert products[0].attributes == {"note": "n"}


def test_json_lines(read_feed: Any) -> None:
    rows = [
        {
            "id": 7,
            "title": "Boot  👢",
            "price": {"amount": 19.9, "currency": "EUR"},
            "category": ["Apparel", "Shoes"],
            "images": ["a,b.jpg", {"src": "c.jpg"}],
            "in_sale": True,
            "sizes": [40, 41],
            "extra": {"a": 1},
            "none": None,
        },
        {"id": "8", "image": "d.jpg", "price": 5},
    ]
    text = "\n".join(json.dumps(row) for row in rows)
    products, problems = read_feed("feed", text.replace("19.9", "19.90"), currency="SEK")
    assert problems == []
    assert products == [
        Product(
            id="7",
            title="Boot 👢",
            category=("Apparel", "Shoes"),
            price=Price(Decimal("19.90"), "EUR"),
            images=("a,b.jpg", "c.jpg"),
            attributes={"in_sale": "true", "sizes": "40, 41", "extra": '{"a": "1"}'},
        ),
        Product(id="8", price=Price(Decimal(5), "SEK"), images=("d.jpg",)),
    ]
    assert str(products[0].price) == "19.90 EUR"


def test_parquet(tmp_path: Path) -> None:
    import datetime

    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 3000
    table = pa.table(
        {
            "product_id": pa.array(range(count), pa.int64()),
            "name": [f"Boot {n}" for n in range(count)],
            "images": [[f"{n}.jpg", f"{n},b.jpg"] for n in range(count)],
            "price": pa.array([19.99] * count, pa.float32()),
            "pixels": [b"\xff\xd8"] * count,
            "made": pa.array([datetime.date(2024, 5, 1)] * count),
            "seen": pa.array([1_700_000_000_123_456_789] * count, pa.timestamp("ns")),
        }
    )
    pq.write_table(table, tmp_path / "feed.parquet", row_group_size=1000)
    catalog = Catalog.open(tmp_path / "feed.parquet")
    assert catalog.format == "parquet"
    entries = list(catalog)
    assert len(entries) == count
    assert entries[2999] == Entry(
        Product(
            id="2999",
            title="Boot 2999",
            price=Price(Decimal("19.99")),
            images=("2999.jpg", "2999,b.jpg"),
            attributes={"made": "2024-05-01", "seen": "2023-11-14 22:13:20.123456789"},
        ),
        3000,
    )


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_a_folder_for_each_product(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    _touch(root, "shoes/boots/B_1/2.JPG", "shoes/boots/B_1/1.jpg", "shoes/boots/B_1/notes.txt")
    _touch(root, "hat/1.webp", ".trash/x/1.jpg", "hat/.hidden.jpg", "empty/readme.md")
    catalog = Catalog.open(root)
    assert (catalog.format, catalog.root) == ("folders", root)
    assert list(catalog) == [
        Entry(Product(id="hat", title="hat", images=("hat/1.webp",)), 0),
        Entry(
            Product(
                id="B_1",
                title="B 1",
                category=("shoes", "boots"),
                images=("shoes/boots/B_1/1.jpg", "shoes/boots/B_1/2.JPG"),
            ),
            0,
        ),
    ]


def test_a_picture_for_each_product(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    _touch(root, "b.jpg", "a.png", "shoes/boots/c.jpg", "shoes/b.jpg")
    catalog = Catalog.open(root)
    assert catalog.format == "pictures"
    assert list(catalog) == [
        Entry(Product(id="a", title="a", images=("a.png",)), 0),
        Entry(Product(id="b", title="b", images=("b.jpg",)), 0),
        Problem(0, "id", "is the ID of another product: it was there before", "b"),
        Entry(
            Product(id="c", title="c", category=("shoes", "boots"), images=("shoes/boots/c.jpg",)),
            0,
        ),
    ]
    assert list(Catalog.open(root, format="folders"))[:2] == [
        Problem(
            0,
            name,
            "lies in no product's folder: read the feed as format 'pictures', or move it",
        )
        for name in ("a.png", "b.jpg")
    ]


def test_links_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    _touch(tmp_path, "secret.jpg", "others/x.jpg")
    _touch(root, "hat/1.jpg")
    os.symlink(tmp_path / "secret.jpg", root / "hat/2.jpg")
    os.symlink("1.jpg", root / "hat/3.jpg")
    os.symlink("4.jpg", root / "hat/4.jpg")
    os.symlink("missing.jpg", root / "hat/5.jpg")
    os.symlink(tmp_path / "others", root / "others")
    os.symlink(root, root / "hat/again")
    found = list(Catalog.open(root))
    problems = [item for item in found if isinstance(item, Problem)]
    assert [(problem.field, problem.reason.partition(":")[0]) for problem in problems] == [
        ("others", "is a link to a folder"),
        ("hat/2.jpg", "is a link that leads out of the feed's folder"),
        ("hat/4.jpg", "is a link that leads nowhere"),
        ("hat/5.jpg", "is a link that leads nowhere"),
        ("hat/again", "is a link to a folder"),
    ]
    assert not any(problem.fatal for problem in problems)
    (entry,) = (item for item in found if isinstance(item, Entry))
    assert entry.product.images == ("hat/1.jpg", "hat/3.jpg")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("f.csv.gz", "id,image\n1,a.jpg\n"),
        ("f.gz", "id\ttitle\timage_link\n1\tt\ta.jpg\n"),
        ("f", '{"id": 1, "image": "a.jpg"}'),
        ("g", "<rss><item><id>1</id><image_link>a.jpg</image_link></item></rss>"),
        ("h", "Handle,Title,Variant Price,Image Src\n1,t,5,a.jpg\n"),
    ],
)
def test_packed_feeds(name: str, content: str, read_feed: Any) -> None:
    products, problems = read_feed(name, gzip.compress(content.encode()))
    assert [(product.id, product.images) for product in products] == [("1", ("a.jpg",))]
    assert problems == []


def test_a_format_can_be_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_pairs(source: Source) -> Any:
        yield Header(("id", "image"))
        with source.open_text() as text:
            for line, pair in enumerate(text, 1):
                product_id, _, image = pair.strip().partition("=")
                yield Row(line, {"id": product_id, "image": image})

    monkeypatch.setitem(FORMATS, "pairs", read_pairs)
    (tmp_path / "feed").write_text("1=a.jpg\n1=b.jpg\n")
    found = list(Catalog.open(tmp_path / "feed", format="pairs"))
    assert found[0] == Entry(Product(id="1", images=("a.jpg",)), 1)
    assert isinstance(found[1], Problem)


def test_long_texts_are_cut(read_feed: Any) -> None:
    feed = f"id,title,description,image,note\n1,{'t' * 2000},{'d' * 20000},a.jpg,{'n' * 2000}\n"
    (product,), problems = read_feed("f.csv", feed)
    assert problems == []
    assert len(product.title) == 1000
    assert len(product.description) == 10_000
    assert len(product.attributes["note"]) == 1000


def test_the_python_blocks_of_the_page_on_feeds_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[2] / "docs/feeds.md").read_text()
    monkeypatch.chdir(tmp_path)
    Path("feed.csv").write_text("id,image\n1,a.jpg\n")
    Path("artikel.csv").write_bytes(
        "Artikelnummer;Bild;Preis\n7;größe.jpg;1.299,00\n".encode("cp1252")
    )
    Path("feed.txt").write_text("8=b.jpg\n")
    known = dict(FORMATS)
    names: dict[str, Any] = {}
    try:
        for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
            exec(block, names)
        pairs = list(Catalog.open("feed.txt", format="pairs"))
    finally:
        FORMATS.clear()
        FORMATS.update(known)
    assert names["report"].products == 1
    assert [entry.product.price for entry in names["catalog"]] == [Price(Decimal(1299), "EUR")]
    assert pairs == [Entry(Product(id="8", images=("b.jpg",)), 1)]


def test_the_page_on_feeds_names_every_format_and_column() -> None:
    page = (Path(__file__).parents[2] / "docs/feeds.md").read_text()
    assert set(re.findall(r"^\| `([a-z-]+)` \| [^|]* \| [^|]* \|$", page, re.MULTILINE)) >= set(
        FORMATS
    )
    for field, columns in COMMON_NAMES.items():
        (row,) = re.findall(rf"^\| `{field}`[^|]*\|([^|]*)\|.*\|.*\|$", page, re.MULTILINE)
        assert tuple(re.findall(r"`([a-z_]+)`", row))[: len(columns)] == columns
