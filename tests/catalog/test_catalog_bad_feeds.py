"""Bad rows and bad feeds: each gives its own message with its place, and costs nothing else."""

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from snapshelf.catalog import Catalog, Entry, Problem
from snapshelf.catalog.limits import MAX_FIELD, MAX_RECORD
from snapshelf.errors import FeedError

CSV = "id,title,image,images,price,currency,availability,url"
LONG = "x" * (MAX_FIELD + 1)


def _csv(row: str | bytes) -> bytes:
    """A feed with a good row of two lines before and a good row behind the row."""
    middle = row if isinstance(row, bytes) else row.encode()
    before = CSV.encode() + b'\n"first","two\nlines",a.jpg,,,,,\n'
    return before + middle + b"\nlast,t,b.jpg,,,,,\n"


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (",t,a.jpg,,,,,", "id", "is empty: every product needs an ID"),
        ("  ,t,a.jpg,,,,,", "id", "is empty: every product needs an ID"),
        (f"{'i' * 257},t,a.jpg,,,,,", "id", "is longer than 256 characters: 'iii"),
        ("a\x00b,t,a.jpg,,,,,", "id", r"holds a control character: 'a\x00b'"),
        ('"a\tb",t,a.jpg,,,,,', "id", r"holds a control character: 'a\tb'"),
        ("first,t,a.jpg,,,,,", "id", "is the ID of another product: it stood first in line 2"),
        ("1,t,,,,,,", "image", "is empty: every product needs at least one picture"),
        ("1,t, , | ,,,,", "image", "is empty: every product needs at least one picture"),
        ("1,t,file:///etc/passwd,,,,,", "image", "is neither an http(s) URL nor a relative path"),
        ("1,t,/etc/passwd,,,,,", "image", "is an absolute path: '/etc/passwd'"),
        ("1,t,../../a.jpg,,,,,", "image", "leads out of the feed's folder: '../../a.jpg'"),
        ("1,t,,..\\a.jpg,,,,", "images", "holds a backslash: '..\\\\a.jpg'"),
        ("1,t,a\x00.jpg,,,,,", "image", "holds a control character"),
        ("1,t,//cdn.example/a.jpg,,,,,", "image", "has no scheme: '//cdn.example/a.jpg'"),
        ("1,t,a.jpg,,free,,,", "price", "is no price: 'free'; write an amount and a currency"),
        ("1,t,a.jpg,,-5.00,,,", "price", "is a negative price: '-5.00'"),
        ("1,t,a.jpg,,NaN,,,", "price", "is no price: 'NaN'"),
        ("1,t,a.jpg,,5 EUR USD,,,", "price", "is no price: '5 EUR USD'"),
        (
            f"1,t,a.jpg,,{'9' * 90},,,",
            "price",
            "is no price: '999999999999999999999999999999999999999…'",
        ),
        ("1,t,a.jpg,,5,EURO,,", "currency", "a currency must be a code of ISO 4217"),
        (
            b"1,Gr\xf6\xdfe,a.jpg,,,,,",
            "title",
            "is not valid UTF-8: 'Gr��e'; save the feed as UTF-8",
        ),
        (b"1,t,a.jpg,,,,,\xff", "url", "is not valid UTF-8: '�'"),
        (b"\xc3,t,a.jpg,,,,,", "id", "is not valid UTF-8: '�'"),
        ("1,t,a.jpg", "", "has 3 cells where the header has 8"),
        ("1,t,a.jpg,,,,,,extra", "", "has 9 cells where the header has 8"),
        ('1,"5" screen",a.jpg,,,,,', "", "has a quoted field that goes on after its closing quote"),
        (f"1,{LONG},a.jpg,,,,,", "", f"is longer than {MAX_FIELD} characters"),
        (f"1,{'x' * MAX_RECORD},a.jpg,,,,,", "", f"is longer than {MAX_RECORD} characters"),
        ('1,"not closed,a.jpg,,,,,', "", "has a quoted field that is not closed before the file"),
    ],
)
def test_a_bad_row_of_a_table(row: str | bytes, field: str, reason: str, read_feed: Any) -> None:
    products, problems = read_feed("f.csv", _csv(row))
    assert [product.id for product in products] == ["first", "last"]
    (problem,) = problems
    assert (problem.line, problem.field, problem.fatal) == (4, field, True)
    assert problem.reason.startswith(reason)
    assert len(problem.reason) < 250
    assert problem.reason.isprintable()


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        ("{", "", "is no JSON: Expecting property name"),
        ("nothing", "", "is no JSON: Expecting value in column 1 of 'nothing'"),
        ('{"id": 1} {"id": 2}', "", "is no JSON: Extra data"),
        ("[]", "", "is no JSON object: '[]'; write one product a line"),
        ('"text"', "", "is no JSON object"),
        ("null", "", "is no JSON object"),
        ("[" * 200_000, "", "is no product: its JSON is nested too deep"),
        ("{}", "id", "is empty"),
        ('{"id": null, "image": "a.jpg"}', "id", "is empty"),
        ('{"id": "1", "image": []}', "image", "is empty"),
        ('{"id": "1", "image": "a.jpg", "price": NaN}', "price", "is no price: 'NaN'"),
        ('{"id": "1", "image": "a.jpg", "price": -1}', "price", "is a negative price: '-1'"),
        ('{"id": "1", "image": "a.jpg", "title": "\\ud800"}', "title", "is not valid UTF-8: '�'"),
        ('{"id": "1", "image": "\\u0000.jpg"}', "image", "holds a control character"),
        (json.dumps({"id": "1", "title": LONG}), "title", f"is longer than {MAX_FIELD}"),
        (json.dumps({"id": "1", "image": "a.jpg", "x": LONG}), "x", f"is longer than {MAX_FIELD}"),
        ('{"x": "' + "x" * MAX_RECORD + '"}', "", f"is longer than {MAX_RECORD} characters"),
        (b'{"id": "1", "image": "a.jpg", "title": "\xe4"}', "title", "is not valid UTF-8"),
    ],
)
def test_a_bad_line_of_json(line: str | bytes, field: str, reason: str, read_feed: Any) -> None:
    good = b'{"id": "%b", "image": "a.jpg", "price": 1}'
    middle = line if isinstance(line, bytes) else line.encode()
    products, problems = read_feed(
        "f.jsonl", b"\n".join([good % b"first", b"", middle, good % b"last"])
    )
    assert [product.id for product in products] == ["first", "last"]
    (problem,) = problems
    assert (problem.line, problem.field) == (3, field)
    assert problem.reason.startswith(reason)
    assert problem.reason.isprintable()


@pytest.mark.parametrize(
    ("item", "field", "reason"),
    [
        ("<g:id>1</g:id>", "image_link", "is empty"),
        ("<g:image_link>a.jpg</g:image_link>", "id", "is empty"),
        (f"<g:id>1</g:id><title>{LONG}</title>", "title", f"is longer than {MAX_FIELD}"),
        (
            "<g:id>1</g:id>" + f"<x>{'y' * 100_000}</x>" * 11,
            "",
            f"is longer than {MAX_RECORD} characters",
        ),
        (
            "<g:id>1</g:id><g:image_link>data:x</g:image_link>",
            "image_link",
            "is neither an http(s) URL nor a relative path: 'data:x'",
        ),
    ],
)
def test_a_bad_item_of_xml(item: str, field: str, reason: str, read_feed: Any) -> None:
    good = "<item><g:id>{}</g:id><g:image_link>a.jpg</g:image_link></item>"
    feed = (
        f'<rss xmlns:g="http://base.google.com/ns/1.0"><channel>\n{good.format("first")}\n'
        f"<item>\n{item}</item>\n{good.format('last')}</channel></rss>"
    )
    products, problems = read_feed("f.xml", feed)
    assert [product.id for product in products] == ["first", "last"]
    (problem,) = problems
    assert (problem.line, problem.field) == (3, field)
    assert problem.reason.startswith(reason)


def test_a_bad_picture_costs_only_itself(read_feed: Any) -> None:
    (product,), problems = read_feed("f.csv", "id,image,images\n1,../a.jpg,b.jpg|/c.jpg|d.jpg\n")
    assert product.images == ("b.jpg", "d.jpg")
    assert [(problem.field, problem.fatal, problem.product_id) for problem in problems] == [
        ("image", False, "1"),
        ("images", False, "1"),
    ]


def test_more_pictures_than_a_product_may_have(read_feed: Any) -> None:
    images = "|".join(f"{n}.jpg" for n in range(500))
    (product,), (problem,) = read_feed("f.csv", f"id,images\n1,{images}\n")
    assert len(product.images) == 100
    assert problem.reason == "names more than 100 pictures: the rest is left out"
    assert not problem.fatal


def test_an_unclosed_quote_in_a_long_feed_costs_one_row(read_feed: Any) -> None:
    rows = [f"{n},boot,{n}.jpg" for n in range(60_000)]
    rows[100] = '100,"boot,100.jpg'
    products, (problem,) = read_feed("f.csv", "\n".join(["id,title,image", *rows]))
    assert len(products) == 59_999
    assert problem.line == 102
    assert problem.reason.startswith(f"is longer than {MAX_FIELD} characters: perhaps a quote is")


def test_a_feed_of_unclosed_quotes_is_given_up_in_bounded_time(tmp_path: Path) -> None:
    # Read from its beginning each line opens a quote; behind another it closes and opens one.
    row = "x" * 60 + '","\n'
    (tmp_path / "f.csv").write_text("id,image\n" + row * 200_000)
    catalog = Catalog.open(tmp_path / "f.csv")
    with pytest.raises(FeedError, match="too many rows with a quote that is not closed, the last"):
        list(catalog)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("f.csv", "", "f.csv is empty"),
        ("f.csv", " \n\r\n", "f.csv is empty"),
        ("f.csv", "\ufeff", "f.csv is empty: its first line must name the columns"),
        ("f.csv.gz", gzip.compress(b"", mtime=0), "f.csv.gz is empty"),
        ("f.txt", "hello", "is none of the known feeds; it begins with 'hello'"),
        ("f", b"\x00\x01\x02\x03" * 100, "is no text: every tenth character is a NUL"),
        ("f.csv", " \t \n1\t2\n", "f.csv: its header line names no column"),
        ("f.csv", "id,image\n1,a.jpg\n".encode("utf-16-le"), "if it is UTF-16 without a byte"),
        ("f.xlsx", b"PK\x03\x04...", "but a ZIP archive or an Excel workbook; unpack it, or save"),
        ("f.jpg", b"\xff\xd8\xff\xe0", "but a picture; give the folder it lies in"),
        ("f.json", '[{"id": 1}]', "is no JSON Lines but a JSON array"),
        ("f.html", "<!DOCTYPE html><p>Log in", "but a web page"),
        ("f.html", "<html><body>", "but a web page"),
        ("f.xml", "<products><product/></products>", "its outermost element is 'products'"),
        ("f.xml", "<!-- only -->", "it has no element, expected rss or feed"),
        ("f.xml", "<!---->" * 9000, "it has no element"),
        ("f.xml", "<rss><channel>", "is not well-formed XML in line 1, column 15: no element"),
        ("f.xml", "<rss><g:id/></rss>", "is not well-formed XML in line 1, column 6: unbound"),
        ("f.xml", "<!DOCTYPE rss><rss/>", "declares a DTD (rss) in line 1"),
        (
            "f.xml",
            '<!DOCTYPE rss [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>\n<rss>&b;</rss>',
            "declares a DTD (rss) in line 1",
        ),
        (
            "f.xml",
            '<!DOCTYPE feed SYSTEM "file:///etc/passwd"><feed/>',
            "declares a DTD (feed) in line 1",
        ),
        ("f.xml", "<rss>\n" + "<a>" * 100, "nests its elements more than 64 deep in line 2"),
        ("f.xml", "<rss>\n<a b='" + "x" * 2_000_000, "has a tag or comment of more than 1048576"),
        ("f.xml", "<rss>\n<!--" + "x" * 2_000_000, "has a tag or comment of more than 1048576"),
        ("f.xml", "<?xml version='1.0' encoding='ebcdic-9'?><rss/>", "encoding 'ebcdic-9', which"),
        ("f.csv", "title,image\na,b.jpg\n", "no column for the product's ID (looked for id, prod"),
        ("f.csv", "id,title\n1,b\n", "its columns are 'id', 'title'; name the right one: --col"),
        ("f.csv", '"id,image\n1,a.jpg\n', "its header line has a quoted field that is not closed"),
        ("f.csv", b"id,image,gr\xf6\xdfe\n", "its header line is not valid UTF-8"),
        ("f.csv", "id," + "x" * MAX_RECORD, "its header line is longer than"),
        ("f.jsonl", "nothing\n", "its columns are none"),
        ("f.parquet", b"PAR1" + b"\x00" * 100, "is no Parquet file that can be read"),
        ("f.csv.gz", gzip.compress(b"id,image\n1,a.jpg\n", mtime=0)[:-9], "cannot be read: "),
        ("f.csv.gz", b"\x1f\x8b\x08nothing", "cannot be read: "),
    ],
)
def test_a_feed_that_is_none(
    name: str, content: str | bytes, reason: str, tmp_path: Path, read_feed: Any
) -> None:
    with pytest.raises(FeedError) as caught:
        read_feed(name, content)
    assert reason in str(caught.value)
    assert name in str(caught.value)
    assert len(str(caught.value)) < 500


def test_what_is_there_before_a_packed_feed_breaks(tmp_path: Path) -> None:
    rows = "".join(f"{n},{os.urandom(30).hex()}.jpg\n" for n in range(20_000))
    packed = gzip.compress(("id,image\n" + rows).encode())
    (tmp_path / "f.csv.gz").write_bytes(packed[: len(packed) // 2])
    found = []
    with pytest.raises(FeedError, match=r"cannot be read: .*end-of-stream"):
        found.extend(Catalog.open(tmp_path / "f.csv.gz"))
    assert len(found) > 5_000
    assert all(isinstance(item, Entry) for item in found)


def test_missing_and_odd_paths(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="does not exist; give a feed's file or a folder"):
        Catalog.open(tmp_path / "f.csv")
    with pytest.raises(FeedError, match=r"holds no picture in any folder; looked for \.avif"):
        Catalog.open(tmp_path)
    with pytest.raises(FeedError, match=r"cannot be read: .*Is a directory"):
        Catalog.open(tmp_path, format="csv")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(FeedError, match="is neither a file nor a folder"):
        Catalog.open(tmp_path / "fifo")
    (tmp_path / "f.csv").write_text("id,image\n")
    with pytest.raises(FeedError, match=r"cannot be read: .*Not a directory"):
        Catalog.open(tmp_path / "f.csv", format="folders")
    assert list(Catalog.open(tmp_path / "f.csv")) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"format": "excel"}, "format must be one of google-tsv, .*, pictures, got 'excel'"),
        ({"encoding": "latin9000"}, "encoding must name a text encoding .*, got 'latin9000'"),
        ({"encoding": "base64"}, "encoding must name a text encoding"),
        ({"encoding": "idna"}, "encoding must name a text encoding"),
        ({"encoding": "punycode"}, "encoding must name a text encoding"),
        ({"currency": "€"}, "currency must be a code of ISO 4217 such as EUR, or empty, got '€'"),
        ({"columns": {"sku": "id"}}, "columns must map a product's fields .*, got the field 'sku'"),
    ],
)
def test_wrong_options(options: dict[str, Any], reason: str, read_feed: Any) -> None:
    with pytest.raises(ValueError, match=reason):
        read_feed("f.csv", "id,image\n1,a.jpg\n", **options)


def test_a_mapping_to_a_column_that_is_not_there(read_feed: Any) -> None:
    with pytest.raises(FeedError) as caught:
        read_feed("f.csv", "id,image\n1,a.jpg\n", columns={"brand": "Marke"})
    assert str(caught.value) == (
        "f.csv has no column 'Marke', which is mapped to brand; its columns are 'id', 'image'"
    )


def test_an_encoding_can_be_named(read_feed: Any) -> None:
    feed = "id,title,image\n1,Größe,a.jpg\n".encode("cp1252")
    (product,), problems = read_feed("f.csv", feed, encoding="cp1252")
    assert (product.title, problems) == ("Größe", [])
    products, (problem,) = read_feed("f.csv", feed.replace(b"\xf6", b"\x81"), encoding="cp1252")
    assert products == []
    assert isinstance(problem, Problem)
    assert problem.reason.startswith("is not valid CP1252: 'Gr�ße'")


def test_an_unknown_availability_costs_only_itself(read_feed: Any) -> None:
    products, problems = read_feed("f.csv", "id,image,availability\n1,a.jpg,soon\n2,b.jpg,yes\n")
    assert [(product.id, product.availability) for product in products] == [
        ("1", None),
        ("2", "in_stock"),
    ]
    (problem,) = problems
    assert (problem.line, problem.field, problem.product_id) == (2, "availability", "1")
    assert problem.reason.startswith("is no availability: 'soon'; write in_stock")
    assert not problem.fatal
