"""What users get wrong: one line says what, no traceback, and nothing good is lost.

Each case names the arguments, with {shop}, {shelf} and {bad} for the folders, the exit code and
what the message must say. `bad_things` makes what they need.
"""

import contextlib
import json
import os
import sqlite3
import struct
import zlib
from pathlib import Path

import pytest
from small_shop import HEADER, contents, draw, row

INDEX = ("index", "{shop}/feed.csv", "--shelf", "{shelf}")
SEARCH = ("search", "{shop}/street.jpg", "--shelf", "{shelf}")
EVALUATE = ("evaluate", "--system", "classical", "--data")

CASES = {
    # Arguments
    "unknown command": (("indx", "a"), 2, "No such command 'indx'. Did you mean 'index'?"),
    "unknown option": ((*SEARCH, "--topp", "3"), 2, "No such option: --topp"),
    "option without value": ((*SEARCH, "--top"), 2, "'--top' requires an argument"),
    "missing shelf": (("search", "{shop}/street.jpg"), 2, "Missing option '--shelf'"),
    "no files": (("search", "--shelf", "{shelf}"), 2, "Missing argument 'FILE...'"),
    "no feed": (("index", "--shelf", "{shelf}"), 2, "Missing argument"),
    "top 0": ((*SEARCH, "--top", "0"), 2, "greater than or equal to 1"),
    "top too large": ((*SEARCH, "--top", "1001"), 2, "less than or equal to 1000"),
    "top no number": ((*SEARCH, "--top", "many"), 2, "'--top'"),
    "empty feed argument": (("index", "", "--shelf", "{shelf}"), 2, "an argument is empty"),
    "empty shelf argument": (
        ("index", "{shop}/feed.csv", "--shelf="),
        2,
        "an argument is empty; is a variable of the shell not set?",
    ),
    "unknown format": ((*INDEX, "--format", "xls"), 2, "must be one of google-tsv, google-xml"),
    "markup in an argument": ((*INDEX, "--format", "[/red]"), 2, "got '[/red]'"),
    "column without =": ((*INDEX, "--column", "id"), 2, "expected FIELD=COLUMN, such as id=sku"),
    "column twice": (
        (*INDEX, "--column", "id=id", "--column", "id=title"),
        2,
        "the field id is given twice",
    ),
    "unknown field": ((*INDEX, "--column", "colour=colour"), 2, "got the field 'colour'"),
    "missing column": ((*INDEX, "--column", "id=sku"), 1, "has no column 'sku'"),
    "unknown encoding": ((*INDEX, "--encoding", "klingon"), 2, "got 'klingon'"),
    "encoding that is no text": ((*INDEX, "--encoding", "hex"), 2, "got 'hex'"),
    "wrong encoding": ((*INDEX, "--encoding", "utf-16"), 1, "cannot be read"),
    "unknown currency": ((*INDEX, "--currency", "euro"), 2, "got 'euro'"),
    # Feeds
    "no such feed": (("index", "{bad}/no.csv", "--shelf", "{shelf}"), 1, "does not exist"),
    "empty feed": (("index", "{bad}/empty.csv", "--shelf", "{shelf}"), 1, "empty.csv is empty"),
    "header only": (("index", "{bad}/header.csv", "--shelf", "{shelf}"), 0, "no usable product"),
    "binary feed": (("index", "{bad}/binary.csv", "--shelf", "{shelf}"), 1, "not valid UTF-8"),
    "a picture as feed": (
        ("index", "{shop}/street.jpg", "--shelf", "{shelf}"),
        1,
        "is no product feed but a picture; give the folder it lies in",
    ),
    "a shelf as feed": (
        ("index", "{shelf}/shelf.sqlite", "--shelf", "{bad}/new"),
        1,
        "is no product feed but an SQLite database",
    ),
    "a web page as feed": (("index", "{bad}/page.csv", "--shelf", "{shelf}"), 1, "a web page"),
    "JSON array": (("index", "{bad}/array.json", "--shelf", "{shelf}"), 1, "a JSON array"),
    "some text": (("index", "{bad}/text", "--shelf", "{shelf}"), 1, "none of the known feeds"),
    "folder without pictures": (
        ("index", "{bad}/folder", "--shelf", "{shelf}"),
        1,
        "holds no picture in any folder",
    ),
    "no ID column": (("index", "{bad}/noid.csv", "--shelf", "{shelf}"), 1, "product's ID"),
    "no picture column": (("index", "{bad}/nopic.csv", "--shelf", "{shelf}"), 1, "'s picture"),
    "broken XML": (("index", "{bad}/cut.xml", "--shelf", "{shelf}"), 1, "not well-formed XML"),
    "entity bomb": (("index", "{bad}/bomb.xml", "--shelf", "{shelf}"), 1, "declares a DTD"),
    "other XML": (("index", "{bad}/other.xml", "--shelf", "{shelf}"), 1, "expected rss or feed"),
    "broken Parquet": (("index", "{bad}/cut.parquet", "--shelf", "{shelf}"), 1, "cut.parquet"),
    "broken gzip": (("index", "{bad}/cut.csv.gz", "--shelf", "{shelf}"), 1, "cannot be read"),
    # Shelves
    "no shelf": (
        ("search", "{shop}/street.jpg", "--shelf", "{bad}/none"),
        1,
        "there is no shelf in",
    ),
    "a file as shelf to search": (
        ("search", "{shop}/street.jpg", "--shelf", "{shop}/feed.csv"),
        1,
        "there is no shelf in",
    ),
    "a file as shelf": (
        ("index", "{shop}/feed.csv", "--shelf", "{shop}/feed.csv", "--system", "classical"),
        1,
        "cannot be made: File exists; give another path",
    ),
    "a folder with other files as shelf": (
        ("index", "{shop}/feed.csv", "--shelf", "{shop}", "--system", "classical"),
        1,
        "is not empty (feed.csv)",
    ),
    "another database to index": (
        ("index", "{shop}/feed.csv", "--shelf", "{bad}/other"),
        1,
        "is an SQLite database of something else",
    ),
    "another database to search": (
        ("search", "{shop}/street.jpg", "--shelf", "{bad}/other"),
        1,
        "is an SQLite database of something else",
    ),
    "garbage as shelf": (
        ("search", "{shop}/street.jpg", "--shelf", "{bad}/garbage"),
        1,
        "it is no shelf: give the folder that `snapshelf index` wrote",
    ),
    "cut shelf": (("search", "{shop}/street.jpg", "--shelf", "{bad}/cut"), 1, "cut/shelf.sqlite"),
    "cut shelf to index": (
        ("index", "{shop}/feed.csv", "--shelf", "{bad}/cut"),
        1,
        "cut/shelf.sqlite",
    ),
    # Systems
    "unknown system": ((*INDEX, "--system", "nope"), 1, "there is no system 'nope': choose from"),
    "unknown system to search": ((*SEARCH, "--system", "nope"), 1, "there is no system 'nope'"),
    "folder without system": ((*SEARCH, "--system", "{bad}"), 1, "it holds no system.json"),
    "system.json no JSON": ((*SEARCH, "--system", "{bad}/no-json"), 1, "cannot be read as JSON"),
    "system.json a list": (
        (*SEARCH, "--system", "{bad}/list"),
        1,
        "'system' must be one of asymnet, compact, ",
    ),
    "system.json of another kind": (
        (*SEARCH, "--system", "{bad}/kind"),
        1,
        "vlad, whitened, got 'magic'",
    ),
    "system.json without backbone": (
        (*SEARCH, "--system", "{bad}/no-backbone"),
        1,
        "the setting 'backbone' is missing",
    ),
    "system.json with an unknown setting": (
        (*SEARCH, "--system", "{bad}/setting"),
        1,
        "unknown setting 'backbon'",
    ),
    "system.json with weights outside": (
        (*SEARCH, "--system", "{bad}/weights"),
        1,
        "weights must be 'hub' or a file in this folder, got '../w.safetensors'",
    ),
    "a shelf of another system": (
        ("index", "{shop}/feed.csv", "--shelf", "{bad}/foreign", "--system", "classical"),
        1,
        "was indexed with system 'classical' (fingerprint 0123456789ab), not with 'classical'",
    ),
    "a shelf of another system to search": (
        ("search", "{shop}/street.jpg", "--shelf", "{bad}/foreign"),
        1,
        "give the same system and weights, or index into a new shelf",
    ),
    # Queries
    "missing query": (("search", "{bad}/no.jpg", "--shelf", "{shelf}"), 3, "No such file"),
    "a folder as query": (("search", "{shop}/pics", "--shelf", "{shelf}"), 3, "is a folder"),
    "a device as query": (("search", "/dev/null", "--shelf", "{shelf}"), 3, "no regular file"),
    "a feed as query": (("search", "{shop}/feed.csv", "--shelf", "{shelf}"), 3, "unknown format"),
    "empty query": (("search", "{bad}/zero.png", "--shelf", "{shelf}"), 3, "the file is empty"),
    "HTML as query": (("search", "{bad}/page.jpg", "--shelf", "{shelf}"), 3, "an HTML page"),
    "SVG as query": (("search", "{bad}/drawing.svg", "--shelf", "{shelf}"), 3, "is SVG"),
    "cut query": (("search", "{bad}/cut.png", "--shelf", "{shelf}"), 3, "ends early"),
    "huge query": (
        ("search", "{bad}/huge.png", "--shelf", "{shelf}"),
        3,
        "is 60000 x 60000 pixels",
    ),
    "large query": (("search", "{bad}/large.jpg", "--shelf", "{shelf}"), 3, "26,214,400 bytes"),
    "name too long": (("search", "x" * 300, "--shelf", "{shelf}"), 3, "File name too long"),
    # Filters
    "filter without operator": ((*SEARCH, "--filter", "shoes"), 1, "expected a condition"),
    "filter without value": ((*SEARCH, "--filter", "brand="), 1, "a value is missing"),
    "filter without field": ((*SEARCH, "--filter", "=3"), 1, "expected a condition"),
    "filter with an open quote": ((*SEARCH, "--filter", 'brand="A'), 1, "a value is missing"),
    "price no number": ((*SEARCH, "--filter", "price<cheap"), 1, "'cheap' is no number"),
    "order of a text": ((*SEARCH, "--filter", "brand<A"), 1, "cannot be compared by order"),
    "unknown availability": ((*SEARCH, "--filter", "availability=x"), 1, "choose from"),
    "unknown attribute": (
        (*SEARCH, "--filter", "size=44"),
        1,
        "no product has an attribute 'size'",
    ),
    "filter with SQL": ((*SEARCH, "--filter", "x' OR 1=1"), 1, "x' or 1"),
    # Output
    "page in no folder": (
        (*SEARCH, "--html", "{bad}/no/page.html"),
        1,
        "--html: there is no folder",
    ),
    "page over a folder": ((*SEARCH, "--html", "{bad}"), 1, "is a folder; give a file's path"),
    "page on a full disk": ((*SEARCH, "--html", "/dev/full"), 1, "No space left on device"),
    "problems in no folder": (
        (*INDEX, "--problems", "{bad}/no/log.jsonl"),
        1,
        "--problems: there is no folder",
    ),
    "problems over the feed": (
        ("index", "{bad}/feed.jsonl", "--shelf", "{shelf}", "--problems", "{bad}/feed.jsonl"),
        1,
        "feed.jsonl is what the command reads",
    ),
    "problems over a picture": (
        (*INDEX, "--problems", "{shop}/pics/0.png"),
        1,
        "holds something else; give another path, or remove it first",
    ),
    # Data sets
    "data without name": ((*EVALUATE, "{bad}"), 1, "expected NAME:DIR with a name of"),
    "data without folder": ((*EVALUATE, "grocery:"), 1, "expected NAME:DIR with a name of"),
    "unknown data set": ((*EVALUATE, "shoes:{bad}"), 1, "there is no data set named 'shoes'"),
    "data in no folder": ((*EVALUATE, "grocery:{bad}/none"), 1, "none is no folder"),
    "other data": ((*EVALUATE, "grocery:{bad}"), 1, "classes.csv is missing"),
    "unknown split": ((*EVALUATE, "grocery:{grocery}", "--split", "x"), 1, "choose one of train"),
    "unknown products": (
        (*EVALUATE, "grocery:{grocery}", "--products", "new"),
        2,
        "'--products'",
    ),
    "figures in no folder": (
        (*EVALUATE, "grocery:{grocery}", "--json", "{bad}/no/a.json"),
        1,
        "--json: there is no folder",
    ),
    "report in no folder": (
        (*EVALUATE, "grocery:{grocery}", "--html", "{bad}/no/a.html"),
        1,
        "--html: there is no folder",
    ),
    "unknown system to evaluate": (
        ("evaluate", "--data", "grocery:{grocery}", "--system", "nope"),
        1,
        "there is no system 'nope'",
    ),
}


@pytest.fixture
def bad_things(tmp_path, shop, shelf):
    """A folder with everything that the cases need."""
    bad = tmp_path / "bad"
    (bad / "folder" / "within").mkdir(parents=True)
    (bad / "folder" / "readme.txt").write_text("nothing to see")
    texts = {
        "empty.csv": "",
        "header.csv": HEADER + "\n",
        "page.csv": "<!doctype html><html><body>log in</body></html>",
        "array.json": '[{"id": 1}]',
        "text": "some words",
        "noid.csv": "title,image\na,b.jpg\n",
        "nopic.csv": "id,title\n1,a\n",
        "cut.xml": '<rss version="2.0"><channel><item><id>1</id>',
        "bomb.xml": '<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><rss><id>&b;</id></rss>',
        "other.xml": "<products><product/></products>",
        "feed.jsonl": '{"id": "1", "image": "a.jpg"}\n',
        "page.jpg": "<html>not found</html>",
        "drawing.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
        "zero.png": "",
    }
    for name, text in texts.items():
        (bad / name).write_text(text)
    picture = (shop / "pics/0.png").read_bytes()
    (bad / "cut.png").write_bytes(picture[: len(picture) // 2])
    (bad / "huge.png").write_bytes(png(60_000, 60_000))
    with (bad / "large.jpg").open("wb") as file:
        file.truncate(25 * 1024 * 1024 + 1)
    (bad / "binary.csv").write_bytes(bytes(range(128, 256)) * 20)
    (bad / "cut.parquet").write_bytes(b"PAR1" + bytes(20))
    (bad / "cut.csv.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + bytes(8))

    database = (shelf / "shelf.sqlite").read_bytes()
    for name in ("garbage", "cut", "foreign", "other"):
        (bad / name).mkdir()
    (bad / "garbage" / "shelf.sqlite").write_bytes(b"garbage " * 2000)
    (bad / "cut" / "shelf.sqlite").write_bytes(database[: len(database) // 3])
    (bad / "foreign" / "shelf.sqlite").write_bytes(database)
    with contextlib.closing(sqlite3.connect(bad / "foreign" / "shelf.sqlite")) as db, db:
        db.execute("UPDATE meta SET value = '0123456789abcdef' WHERE name = 'fingerprint'")
    with contextlib.closing(sqlite3.connect(bad / "other" / "shelf.sqlite")) as db, db:
        db.execute("CREATE TABLE diary (entry TEXT)")

    systems = {
        "no-json": "{",
        "list": "[]",
        "kind": json.dumps({"system": "magic"}),
        "no-backbone": json.dumps({"system": "timm"}),
        "setting": json.dumps({"system": "timm", "backbon": "resnet18"}),
        "weights": json.dumps(
            {"system": "timm", "backbone": "resnet18", "weights": "../w.safetensors"}
        ),
    }
    for name, text in systems.items():
        (bad / name).mkdir()
        (bad / name / "system.json").write_text(text)
    return bad


def png(width, height):
    """A PNG that says how large it is and holds next to nothing."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def files(*folders):
    """Every file and what it holds, but for what a database keeps beside itself."""
    return {
        path: path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(("writer.lock", "shelf.sqlite-"))
        if path.stat().st_size < 1_000_000
    }


@pytest.mark.parametrize("name", CASES)
def test_bad_input(name, cli, shop, shelf, grocery, bad_things, monkeypatch):
    arguments, code, message = CASES[name]
    monkeypatch.setenv("COLUMNS", "300")
    folders = {"shop": shop, "shelf": shelf, "bad": bad_things, "grocery": grocery}
    before, kept = contents(shelf), files(shop, bad_things, grocery)
    done = cli(*(argument.format(**folders) for argument in arguments))
    told = done.out + done.err
    assert done.code == code, told
    assert message in done.err
    assert "Traceback" not in told
    if code == 1:
        lines = done.err.splitlines()
        assert [line for line in lines if line.startswith("error: ")] == lines[-1:]
    assert contents(shelf) == before
    assert files(shop, bad_things, grocery) == kept
    found = cli("search", shop / "street.jpg", "--shelf", shelf, "--top", 1, "--json")
    assert found.json[0]["items"][0]["matches"][0]["product"]["id"] == "P3"


BAD_ROWS = {
    "no ID": (row(9, id=""), "id", "is empty"),
    "ID too long": (row(9, id="x" * 300), "id", "longer than 256"),
    "ID twice": (row(0), "id", "is the ID of another product"),
    "no picture": (row(9, image=""), "image", "is empty"),
    "price": (row(9, price="ask us"), "price", "is no price: 'ask us'"),
    "negative price": (row(9, price="-3 EUR"), "price", "price"),
    "cells": ("P9,only,three", "P9,only,three", "has 3 cells where the header has 8"),
    "undecodable": (b"P9,Gr\xfc\xdfe,pics/1.png,,,,,", "title", "is not valid UTF-8"),
    "outside": (row(9, image="../../etc/passwd"), "image", "leads out of the feed's folder"),
    "absolute": (row(9, image="/etc/passwd"), "image", "is an absolute path"),
    "file URL": (row(9, image="file:///etc/passwd"), "image", "neither an http(s) URL nor"),
    "data URL": (row(9, image="data:image/png;base64"), "image", "neither an http(s) URL nor"),
    "private URL": (row(9, image="http://127.0.0.1:9/a.png"), "image", "not public"),
    "private name": (row(9, image="http://localhost:9/a.png"), "image", "not public"),
    "metadata URL": (row(9, image="http://169.254.169.254/latest"), "image", "not public"),
    "missing": (row(9, image="pics/none.png"), "image", "no such file in the feed's folder"),
    "folder": (row(9, image="pics"), "image", "folder"),
    "HTML": (row(9, image="page.png"), "image", "the file is an HTML page"),
    "SVG": (row(9, image="drawing.png"), "image", "the file is SVG"),
    "cut": (row(9, image="cut.png"), "image", "ends early"),
    "zero": (row(9, image="zero.png"), "image", "the file is empty"),
    "huge": (row(9, image="huge.png"), "image", "60000 x 60000 pixels"),
    "link out": (row(9, image="link.png"), "image", "link.png"),
    "device": (row(9, image="pipe.png"), "image", "pipe.png"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_costs_only_itself(name, cli, shop, shelf, tmp_path):
    bad, field, reason = BAD_ROWS[name]
    (shop / "page.png").write_text("<html>")
    (shop / "drawing.png").write_text("<svg/>")
    (shop / "zero.png").touch()
    (shop / "cut.png").write_bytes((shop / "pics/0.png").read_bytes()[:90])
    (shop / "huge.png").write_bytes(png(60_000, 60_000))
    draw(1).save(tmp_path / "outside.png")
    (shop / "link.png").symlink_to(tmp_path / "outside.png")
    os.mkfifo(shop / "pipe.png")
    before = contents(shelf)

    rows = [row(number).encode() for number in range(6)]
    rows.insert(3, bad if isinstance(bad, bytes) else bad.encode())
    feed = shop / "feed.csv"
    feed.write_bytes(b"\n".join([HEADER.encode(), *rows]) + b"\n")
    done = cli("index", feed, "--shelf", shelf, "--json", "--problems", "log.jsonl")
    assert (done.code, done.err) == (3, "")
    report = done.json
    assert (report["skipped"], report["shelf"]["products"]) == (1, 6)
    problem = report["problems"][0]
    assert problem["line"] == 5
    assert reason in problem["reason"]
    if "cells" not in name:
        assert problem["field"] == field
    assert len(Path("log.jsonl").read_text().splitlines()) == len(report["problems"])
    assert contents(shelf) == before
    text = cli("index", feed, "--shelf", shelf)
    assert text.code == 3
    assert f"line 5, {problem['field']}" in text.err
    assert reason in text.err
