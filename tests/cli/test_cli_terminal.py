"""What people see: tables on a terminal and in a pipe, progress, and text that is no text."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import unicodedata
from pathlib import Path

import pytest
from small_shop import PRODUCTS, command, row, write_feed

from snapshelf.catalog import Entry, Product
from snapshelf.shelf import Shelf
from snapshelf.systems import System

ORDERS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31mred\rover\x00"


def on_terminal(*arguments, columns=100, **environment):
    """Run the command on a terminal of its own; gives (code, what the terminal was sent)."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        command(*arguments),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"} | environment,
        start_new_session=True,
    )
    os.close(theirs)
    parts = []
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # how Linux tells that the other side has gone
            break
        if not part:
            break
        parts.append(part)
    os.close(ours)
    return process.wait(60), b"".join(parts).decode()


def cells(text):
    """Columns that a text takes, told by Unicode's tables."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


def table_rows(text):
    lines = text.splitlines()
    return [line.split() for line in lines if re.match(r"\s*\d+\s+-?\d\.\d{3}\s", line)]


def test_a_piped_table_is_plain_and_one_line_a_match(shop, cli, process):
    long = "a title that goes on and on " * 20
    rows = [row(number, title=f"{long}{number}") for number in range(PRODUCTS)]
    assert cli("index", write_feed(shop, rows), "--shelf", "s", "--system", "classical").code == 0
    done = process("search", shop / "street.jpg", "--shelf", "s", COLUMNS="40")
    assert (done.code, done.err) == (0, "")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", done.out)
    lines = done.out.splitlines()
    assert len(lines) == 2 + PRODUCTS
    assert lines[0] == "street.jpg"
    assert lines[1].split() == [
        *("similarity", "confidence", "id", "title", "brand", "category", "price")
    ]
    found = cli("search", shop / "street.jpg", "--shelf", "s", "--json").json[0]["items"][0]
    for line, match in zip(lines[2:], found["matches"], strict=True):
        product = match["product"]
        assert line.split() == [
            str(match["rank"]),
            f"{match['similarity']:.3f}",
            f"{match['confidence']:.2f}",
            product["id"],
            *product["title"].split(),
            product["brand"],
            *product["category"].split(),
            *product["price"].split(),
        ]


def test_a_terminal_gets_a_table_that_fits(shop, cli):
    titles = ["鞋" * 60, "x" * 150, "Größe " * 20, "👟" * 40, "e\u0301" * 80, "ok"]
    rows = [row(number, title=title) for number, title in enumerate(titles)]
    assert cli("index", write_feed(shop, rows), "--shelf", "s", "--system", "classical").code == 0
    code, sent = on_terminal("search", shop / "street.jpg", "--shelf", "s", columns=90)
    assert code == 0
    assert "\x1b[" in sent, "a terminal gets colours"
    shown = ORDERS.sub("", sent).replace("\r", "\n")
    assert "\x1b" not in shown
    assert max(map(cells, shown.splitlines())) <= 90
    together = re.sub(r"\s", "", shown)
    for letter, count in (("鞋", 60), ("👟", 40)):
        assert together.count(letter) == count, "every letter of a title is shown"
    assert {line[3] for line in table_rows(shown)} == {f"P{number}" for number in range(PRODUCTS)}


def test_a_terminal_that_wants_no_colours(shop, shelf):
    code, sent = on_terminal("search", shop / "street.jpg", "--shelf", shelf, NO_COLOR="1")
    assert code == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", sent)
    assert "P3" in sent


def test_progress_is_shown_on_a_terminal_only(shop, process):
    arguments = ("index", shop / "feed.csv", "--system", "classical", "--shelf")
    code, sent = on_terminal(*arguments, "a")
    assert code == 0
    assert "indexing feed.csv" in sent
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h") >= 1, "the cursor comes back"
    piped = process(*arguments, "b")
    assert piped.code == 0
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", piped.err)
    assert "indexing" not in piped.err


@pytest.fixture
def hostile_shelf(shop):
    """A shelf whose products send orders to the terminal: not by a feed, which is cleaned."""
    product = Product(
        id=f"1{HOSTILE}",
        title=f"t{HOSTILE}",
        brand=f"b{HOSTILE}",
        category=(f"c{HOSTILE}",),
        images=("pics/3.png",),
    )
    entries = [Entry(product, 1)]

    class Feed(list):
        root, path = shop, shop / "feed.csv"
        format, columns, encoding, currency = "csv", {}, "utf-8", ""

    Shelf.build(Feed(entries), Path("hostile"), System.load("classical")).close()
    return Path("hostile")


def test_products_cannot_give_orders_to_the_terminal(shop, hostile_shelf, process):
    photo = shop / "street.jpg"
    shown = r"\x1b]0;owned\x07\x1b[2J\x9b31mred\rover\x00"
    done = process("search", photo, "--shelf", hostile_shelf)
    assert done.code == 0, done.err
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.out.encode().decode())
    assert done.out.count(shown) == 4
    _, sent = on_terminal("search", photo, "--shelf", hostile_shelf, columns=300)
    assert "\x1b]0" not in sent
    assert "\x1b[2J" not in sent
    assert "\x9b" not in sent
    as_json = process("search", photo, "--shelf", hostile_shelf, "--json")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", as_json.out)
    (match,) = as_json.json[0]["items"][0]["matches"]
    assert match["product"]["title"] == f"t{HOSTILE}"


def test_feeds_cannot_give_orders_to_the_terminal(shop, cli):
    feed = shop / "feed.jsonl"
    feed.write_text(
        '{"id": "1\\u001b[2J", "image": "pics/0.png", "price": "\\u001b[2J"}\n'
        '{"id": "2\\u009b2J", "image": "\\u001b[2J.png", "title": "\\u001b]0;x\\u0007"}\n'
    )
    done = cli("index", feed, "--shelf", "s", "--system", "classical")
    assert done.code == 3
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", done.err)


def test_a_reader_that_has_gone_is_no_error(shop, shelf):
    for arguments in (("--json",), ()):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            command("search", shop / "street.jpg", "--shelf", shelf, *arguments),
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
        os.close(writing)
        assert (done.returncode, done.stderr) == (1, b"")


def test_output_that_cannot_be_written_is_told(shop, shelf):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("search", shop / "street.jpg", "--shelf", shelf, "--json"),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"error: No space left on device\n")


def test_markup_in_texts_is_shown_as_it_is(shop, cli):
    feed = write_feed(shop, [row(3, title="[red]sale[/red] :smile: [/x]")])
    assert cli("index", feed, "--shelf", "s", "--system", "classical").code == 0
    out = cli("search", shop / "street.jpg", "--shelf", "s").out
    assert "[red]sale[/red] :smile: [/x]" in out
