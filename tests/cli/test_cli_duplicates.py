"""`snapshelf duplicates`: a table, JSON, a page and a CSV out."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image
from small_shop import PRODUCTS, row, write_feed

from snapshelf.store import EmbeddedStore


@pytest.fixture
def doubled(shop, cli):
    """A shelf of the shop in which C0 is a copy of P0, and F4 shows the very file of P4."""
    with Image.open(shop / "pics/0.png") as picture:
        copy = picture.convert("RGB")
    copy.save(shop / "copy.jpg", quality=90, subsampling=0)
    rows = [row(number) for number in range(PRODUCTS)]
    rows += [row(0, id="C0", image="copy.jpg", title="=1+1", brand="Other"), row(4, id="F4")]
    feed = write_feed(shop, rows, "doubled.csv")
    assert cli("index", feed, "--shelf", "doubled", "--system", "classical").code == 0
    return Path("doubled")


def ids(outcome):
    return [[one["product"]["id"] for one in group["products"]] for group in outcome.json["groups"]]


def test_a_table(doubled, cli):
    done = cli("duplicates", "--shelf", doubled)
    assert (done.code, done.err) == (0, "")
    header, *lines, summary = done.out.splitlines()
    assert header.split()[:6] == ["group", "similarity", "id", "title", "picture", "like"]
    assert [line.split()[0] for line in lines] == ["1", "1", "2", "2"]
    assert [line.split()[2] for line in lines] == ["P4", "F4", "P0", "C0"]
    assert lines[0].endswith("same picture")
    assert "pics/4.png" in lines[0]
    assert summary == "2 groups: 4 of 8 products look the same, similarity from 0.95"


def test_json(doubled, process):
    done = process("duplicates", "--shelf", doubled, "--json")
    assert (done.code, done.err) == (0, "")
    assert list(done.json) == ["least", "compared", "groups"]
    assert (done.json["least"], done.json["compared"]) == (0.95, 8)
    assert ids(done) == [["P4", "F4"], ["P0", "C0"]]
    group = done.json["groups"][1]
    assert list(group) == ["similarity", "products"]
    first, second = group["products"]
    assert first == {
        "product": {
            "id": "P0",
            "title": "Product 0",
            "category": "Shoes > Boots",
            "brand": "Zenith",
            "price": "10.50 EUR",
            "url": "https://shop.example/0",
            "image": "pics/0.png",
        },
        "similarity": group["similarity"],
        "like": {"id": "C0", "image": "copy.jpg"},
        "same_picture": None,
    }
    assert second["like"] == {"id": "P0", "image": "pics/0.png"}
    assert 0.95 <= group["similarity"] < 1


def test_checked(doubled, cli):
    done = cli("duplicates", "--shelf", doubled, "--check", "--json")
    assert (done.code, done.err) == (0, "")
    verdicts = [[one["same_picture"] for one in group["products"]] for group in done.json["groups"]]
    assert verdicts == [[True, True], [True, True]]
    table = cli("duplicates", "--shelf", doubled, "--check", "--least", "-1").out
    assert table.count("same picture") == 4
    assert table.count("looks alike") == 4


def test_a_picture_that_cannot_be_checked_is_told(doubled, shop, cli):
    (shop / "copy.jpg").unlink()
    done = cli("duplicates", "--shelf", doubled, "--check", "--json")
    assert done.code == 3
    assert done.err.startswith("not looked at: copy.jpg: no such file")
    assert ids(done) == [["P4", "F4"], ["P0", "C0"]]


def test_a_page_and_a_table_file(doubled, cli):
    given = ("--shelf", doubled, "--html", "page.html", "--csv", "found.csv")
    for _ in range(2):  # own files are written over
        done = cli("duplicates", *given)
        assert (done.code, done.err) == (0, "wrote page.html\nwrote found.csv\n")
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 4
    assert "4 of 8 products, in 2 groups." in page
    with Path("found.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(one["group"], one["id"], one["like"]) for one in rows] == [
        ("1", "P4", "F4"), ("1", "F4", "P4"), ("2", "P0", "C0"), ("2", "C0", "P0"),
    ]  # fmt: skip
    assert [one["same_picture"] for one in rows] == ["yes", "yes", "", ""]
    assert rows[3]["title"] == "'=1+1", "a spreadsheet carries out no title"
    assert rows[2]["similarity"] == rows[3]["similarity"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("--filter", "brand=Zenith"), [["P4", "F4"]]),
        (("--filter", "category=Shoes"), [["P0", "C0"]]),
        (("--filter", "brand=Nobody"), []),
        (("--least", "1"), [["P4", "F4"]]),
        (("--all-pictures",), [["P4", "F4"], ["P0", "C0"]]),
    ],
)
def test_options(doubled, cli, given, expected):
    done = cli("duplicates", "--shelf", doubled, "--json", *given)
    assert done.code == 0, done.err
    assert ids(done) == expected


def test_none_found_is_no_error(shelf, cli):
    done = cli("duplicates", "--shelf", shelf, "--html", "page.html", "--csv", "found.csv")
    assert done.code == 0
    assert done.out == "no two products look the same: 6 compared, similarity from 0.95\n"
    assert "No two products look the same." in Path("page.html").read_text()
    assert len(Path("found.csv").read_text().splitlines()) == 1
    assert cli("duplicates", "--shelf", shelf, "--json").json["groups"] == []


def test_an_empty_shelf_and_one_product(shop, cli):
    for image, compared in (("gone.png", 0), ("pics/1.png", 1)):
        feed = write_feed(shop, [row(0, image=image)])
        cli("index", feed, "--shelf", "new", "--system", "classical")
        done = cli("duplicates", "--shelf", "new", "--least", "-1")
        assert done.code == 0
        assert done.out.startswith(f"no two products look the same: {compared} compared")


def test_while_the_shelf_is_written(doubled, cli):
    writer = EmbeddedStore(doubled, write=True)
    run = writer.begin_run("feed")
    try:
        assert ids(cli("duplicates", "--shelf", doubled, "--json")) == [["P4", "F4"], ["P0", "C0"]]
        writer.delete(["F4"])
        assert ids(cli("duplicates", "--shelf", doubled, "--json")) == [["P0", "C0"]]
        writer.end_run(run=run)
    finally:
        writer.close()


def test_titles_that_order_the_terminal(shop, cli):
    feed = shop / "hostile.jsonl"
    product = {"title": "\x1b]0;owned\x07 [red]x", "image": "pics/3.png"}
    feed.write_text("".join(json.dumps({"id": name, **product}) + "\n" for name in "AB"))
    assert cli("index", feed, "--shelf", "new", "--system", "classical").code == 0
    done = cli("duplicates", "--shelf", "new")
    assert "\x1b" not in done.out
    assert "]0;owned [red]x" in done.out


def test_mistakes(shelf, cli, shop):
    for given, code, message in [
        (("--shelf", "none"), 1, "there is no shelf in none"),
        (("--shelf", shop), 1, "there is no shelf in"),
        (("--shelf", shop / "feed.csv"), 1, "feed.csv"),
        ((), 2, "Missing option '--shelf'"),
        (("--shelf", shelf, "--least", "1.5"), 2, "'--least'"),
        (("--shelf", shelf, "--least", "nan"), 2, "'--least'"),
        (("--shelf", shelf, "--filter", "size=3"), 1, "no product has an attribute 'size'"),
        (("--shelf", shelf, "--filter", "size"), 1, "expected a condition"),
        (("--shelf", shelf, "--html", shop / "street.jpg"), 1, "holds something else"),
        (("--shelf", shelf, "--csv", shop / "feed.csv"), 1, "holds something else"),
        (("--shelf", shelf, "--csv", "no/such.csv"), 1, "there is no folder no"),
        (("--shelf", shelf, "--html", shop), 1, "is a folder"),
    ]:
        done = cli("duplicates", *given)
        assert done.code == code, (given, done.err)
        assert message in done.err
        assert "Traceback" not in done.err
    shutil.rmtree(shelf / "index", ignore_errors=True)
    assert cli("duplicates", "--shelf", shelf).code == 0, "the index is only a cache"


def test_pictures_that_have_gone_leave_a_page(doubled, shop, cli):
    shutil.rmtree(shop / "pics")
    done = cli("duplicates", "--shelf", doubled, "--html", "page.html")
    assert done.code == 0
    assert Path("page.html").read_text().count("data:image/jpeg;base64,") == 1
