"""`snapshelf search`: photos in; a table, JSON or a page out."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from small_shop import PRODUCTS, draw, row, write_feed

from snapshelf.cli.search import write_page
from snapshelf.shelf import Shelf

TEXT_OR_NONE = (str, type(None))

PRODUCT = {
    "id": str,
    "title": str,
    "category": TEXT_OR_NONE,
    "brand": TEXT_OR_NONE,
    "price": TEXT_OR_NONE,
    "url": TEXT_OR_NONE,
    "image": str,
}
MATCH = {
    "rank": int,
    "product": dict,
    "similarity": float,
    "confidence": float,
    "evidence": dict,
}
FOUND = {"item": dict, "matches": list, "in_catalogue": bool}


def check(value, types):
    assert list(value) == list(types)
    for name, kind in types.items():
        assert isinstance(value[name], kind), name
        assert kind is not int or not isinstance(value[name], bool), name


def matches(outcome, number=0):
    return outcome.json[number]["items"][0]["matches"]


def ids(outcome, number=0):
    return [match["product"]["id"] for match in matches(outcome, number)]


def test_json_has_exactly_the_promised_shape(shop, shelf, process):
    done = process("search", shop / "street.jpg", "--shelf", shelf, "--json")
    assert (done.code, done.err) == (0, "")
    (asked,) = done.json
    check(asked, {"file": str, "items": list})
    assert asked["file"] == str(shop / "street.jpg")
    (found,) = asked["items"]
    check(found, FOUND)
    assert found["item"] == {"box": [0, 0, 160, 160], "label": ""}
    assert found["in_catalogue"] is True
    assert len(found["matches"]) == PRODUCTS
    before = None
    for rank, match in enumerate(found["matches"], start=1):
        check(match, MATCH)
        check(match["product"], PRODUCT)
        assert match["rank"] == rank
        assert 0 <= match["confidence"] <= 1
        if before:
            assert match["similarity"] <= before["similarity"]
            assert match["confidence"] <= before["confidence"]
        before = match
    assert found["matches"][0]["product"] == {
        "id": "P3",
        "title": "Product 3",
        "category": "Bags",
        "brand": "Acme",
        "price": "40.50 EUR",
        "url": "https://shop.example/3",
        "image": "pics/3.png",
    }


def test_what_is_unknown_is_null(shop, cli):
    feed = shop / "short.csv"
    feed.write_text("id,image\n0.1,pics/3.png\n")
    assert cli("index", feed, "--shelf", "new", "--system", "classical").code == 0
    product = matches(cli("search", shop / "street.jpg", "--shelf", "new", "--json"))[0]["product"]
    assert product["id"] == "0.1"
    assert [product[name] for name in ("category", "brand", "price", "url")] == [None] * 4


def test_the_command_gives_what_python_gives(shop, shelf, cli):
    done = cli("search", shop / "street.jpg", "--shelf", shelf, "--top", 3, "--json")
    with Shelf.open(shelf) as opened:
        result = opened.search(shop / "street.jpg", top=3)
    (found,) = result.items
    assert [(match.product.id, match.similarity, match.confidence) for match in found.matches] == [
        (match["product"]["id"], match["similarity"], match["confidence"])
        for match in matches(done)
    ]


def test_the_item_that_the_user_chose(shop, shelf, cli):
    photo = shop / "street.jpg"
    done = cli("search", photo, "--shelf", shelf, "--box", "0,10, 90.5,999", "--json")
    assert done.json[0]["items"][0]["item"]["box"] == [0, 10, 90.5, 160]
    done = cli("search", photo, "--shelf", shelf, "--point", "5,5", "--json")
    assert done.json[0]["items"][0]["item"]["box"] == [0, 0, 160, 160]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--box", "1,2,3"), "expected 4 numbers"),
        (("--box", "a,b,c,d"), "expected 4 numbers"),
        (("--box", "nan,0,5,5"), "four finite numbers"),
        (("--box", "200,0,300,5"), "160 x 160 pixels"),
        (("--point", "1"), "expected 2 numbers"),
        (("--point", "160,0"), "160 x 160 pixels"),
        (("--point", "1,1", "--box", "1,1,9,9"), "not both"),
    ],
)
def test_an_item_that_is_not_in_the_photo_is_named(shop, shelf, cli, options, message):
    done = cli("search", shop / "street.jpg", "--shelf", shelf, *options)
    assert done.code == 2
    assert message in " ".join(done.err.replace("│", " ").split())


def test_a_chosen_item_is_of_one_photo(shop, shelf, cli):
    done = cli("search", *[shop / "street.jpg"] * 2, "--shelf", shelf, "--point", "1,1")
    assert done.code == 2
    assert "one photo" in done.err


def test_one_bad_file_among_good_ones(shop, shelf, cli):
    files = (shop / "pics/0.png", "nope.jpg", shop / "feed.csv", shop, shop / "pics/5.png")
    done = cli("search", *files, "--shelf", shelf, "--top", 1, "--json")
    assert done.code == 3
    assert [asked["file"] for asked in done.json] == [str(file) for file in files]
    for asked in done.json:
        kinds = {"file": str, "items": list}
        check(asked, kinds if asked["items"] else {"file": str, "error": str, "items": list})
    assert (ids(done, 0), ids(done, 4)) == (["P0"], ["P5"])
    reasons = ("No such file", "the file is of an unknown format", "is a folder")
    told = done.err.splitlines()
    assert len(told) == 3
    for line, asked, reason in zip(told, done.json[1:4], reasons, strict=True):
        assert reason in asked["error"]
        assert line == f"skipped: {asked['error']}"


def test_only_bad_files(shelf, cli):
    done = cli("search", "a.jpg", "b.jpg", "--shelf", shelf)
    assert (done.code, done.out) == (3, "")
    assert done.err.count("No such file") == 2


def test_the_same_file_twice_is_answered_twice(shop, shelf, cli):
    done = cli("search", *[shop / "street.jpg"] * 2, "--shelf", shelf, "--json")
    assert done.json[0] == done.json[1]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("brand=acme", {"P1", "P3", "P5"}),
        ("category=Shoes", {"P0", "P1", "P2"}),
        ("price<=30.50", {"P0", "P1", "P2"}),
        ("colour=red", {"P1"}),
        ("brand=Zenith,price>30", {"P2", "P4"}),
        ("id=P4|P5", {"P4", "P5"}),
        ("brand=Nobody", set()),
    ],
)
def test_a_filter_leaves_what_passes_it(shop, shelf, cli, condition, expected):
    done = cli("search", shop / "street.jpg", "--shelf", shelf, "--filter", condition, "--json")
    assert done.code == 0
    assert set(ids(done)) == expected
    if not expected:
        assert done.json[0]["items"][0]["in_catalogue"] is False


def test_a_filter_that_nothing_passes_is_told_in_the_table(shop, shelf, cli):
    done = cli("search", shop / "street.jpg", "--shelf", shelf, "--filter", "brand=Nobody")
    assert (done.code, done.out) == (0, "street.jpg: nothing here passes the filter\n")


def test_an_empty_shelf_is_told(shop, cli):
    feed = write_feed(shop, [row(0, image="gone.png")])
    assert cli("index", feed, "--shelf", "new", "--system", "classical").code == 3
    done = cli("search", shop / "street.jpg", "--shelf", "new", "--html", "page.html")
    assert (done.code, done.out) == (0, "street.jpg: this shelf is empty\n")
    empty = cli("search", shop / "street.jpg", "--shelf", "new", "--json").json
    assert empty[0]["items"] == [
        {"item": {"box": [0, 0, 160, 160], "label": ""}, "matches": [], "in_catalogue": False}
    ]


@pytest.mark.parametrize(("top", "found"), [(1, 1), (4, 4), (1000, PRODUCTS)])
def test_top(shop, shelf, cli, top, found):
    done = cli("search", shop / "street.jpg", "--shelf", shelf, "--top", top, "--json")
    assert [match["rank"] for match in matches(done)] == list(range(1, found + 1))


def test_the_best_of_each_category(shop, shelf, cli):
    command = ("search", shop / "street.jpg", "--shelf", shelf, "--top", 2, "--json")
    plain, grouped, one = (
        cli(*command, *more) for more in ((), ("--by-category",), ("--per-category", 1))
    )
    assert plain.code == grouped.code == one.code == 0
    (found,) = grouped.json[0]["items"]
    check(found, FOUND | {"by_category": list})
    assert found["matches"] == matches(plain)
    bags, boots = found["by_category"]
    check(bags, {"category": str, "matches": list})
    assert (bags["category"], boots["category"]) == ("Bags", "Shoes > Boots")
    assert {match["product"]["id"] for match in bags["matches"]} == {"P3", "P4", "P5"}
    assert {match["product"]["id"] for match in boots["matches"]} == {"P0", "P1", "P2"}
    for group in (bags, boots):
        assert [match["rank"] for match in group["matches"]] == [1, 2, 3]
        for match in group["matches"]:
            check(match, MATCH)
    assert bags["matches"][0] == found["matches"][0]
    (found,) = one.json[0]["items"]
    assert [len(group["matches"]) for group in found["by_category"]] == [1, 1]
    assert found["by_category"][1]["matches"][0] == boots["matches"][0]


def test_the_table_and_the_page_show_categories(shop, shelf, cli):
    command = ("search", shop / "street.jpg", "--shelf", shelf, "--top", 1, "--by-category")
    done = cli(*command, "--html", "page.html")
    assert (done.code, done.err) == (0, "wrote page.html\n")
    lines = [line.rstrip() for line in done.out.splitlines()]
    bags, boots = lines.index("Bags"), lines.index("Shoes > Boots")
    assert lines[0] == "street.jpg"
    assert "P3" in lines[2]
    assert "P3" in lines[bags + 2]
    assert len(lines[boots:]) == 5
    assert "category" in lines[1]
    assert "category" not in lines[bags + 1]
    page = Path("page.html").read_text(encoding="utf-8")
    assert "Shoes › Boots</h4>" in page
    feed = shop / "short.csv"
    feed.write_text("id,image\n1,pics/3.png\n")
    assert cli("index", feed, "--shelf", "new", "--system", "classical").code == 0
    nameless = cli("search", shop / "street.jpg", "--shelf", "new", "--by-category")
    assert "without a category" in nameless.out.splitlines()


@pytest.mark.parametrize("number", ["0", "-1", "x", "1001"])
def test_how_many_of_each_category_is_checked(shop, shelf, cli, number):
    done = cli("search", shop / "street.jpg", "--shelf", shelf, "--per-category", number)
    assert done.code == 2
    assert "--per-category" in done.err


def test_the_system_can_be_named(shop, shelf, cli):
    done = cli("search", shop / "street.jpg", "--shelf", shelf, "--system", "classical", "--json")
    assert ids(done)[0] == "P3"


def test_a_picture_that_is_not_sold_here_is_told(shop, shelf, cli):
    draw(500).save("other.png")
    done = cli("search", "other.png", "--shelf", shelf, "--json")
    (found,) = done.json[0]["items"]
    text = cli("search", "other.png", "--shelf", shelf).out.splitlines()[0]
    assert found["in_catalogue"] is False
    assert text == "other.png (probably not in this catalogue)"


def test_file_names_that_are_no_text(shop, shelf, process):
    """File names may hold bytes that are not UTF-8: JSON stays JSON, a table a table."""
    photo = Path("caf\udce9\x9b2J.jpg")
    shutil.copy(shop / "street.jpg", photo)
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    done = process("search", photo, "--shelf", shelf, "--json", **strict)
    assert done.code == 0, done.err
    assert done.json[0]["file"] == str(photo)
    assert not re.search("[\x7f-\x9f\udc80-\udcff]", done.out)
    table = process("search", photo, "--shelf", shelf, "--html", "page.html", **strict)
    assert table.code == 0, table.err
    assert table.out.startswith("caf\\udce9\\x9b2J.jpg\n")
    assert "caf\\udce9" in Path("page.html").read_text(encoding="utf-8")


def test_an_encoding_that_lacks_letters(shop, cli, process):
    feed = write_feed(shop, [row(3, title="Größe 鞋 👟")])
    assert cli("index", feed, "--shelf", "new", "--system", "classical").code == 0
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    done = process("search", shop / "street.jpg", "--shelf", "new", "--json", **ascii_only)
    assert matches(done)[0]["product"]["title"] == "Größe 鞋 👟"
    assert done.out.isascii()
    done = process("search", shop / "street.jpg", "--shelf", "new", **ascii_only)
    assert (done.code, done.err) == (0, "")
    assert "Gr\\xf6\\xdfe \\u978b \\U0001f45f" in done.out
    utf8 = process("search", shop / "street.jpg", "--shelf", "new", "--json", PYTHONUTF8="1")
    assert "Größe 鞋 👟" in utf8.out.encode("utf-8", "surrogateescape").decode()


class Page(HTMLParser):
    """What a page refers to and shows."""

    def __init__(self, text):
        super().__init__()
        self.references, self.tags, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster", "background", "action"):
                self.references.append(value)
            if name == "href" and tag != "a":
                self.references.append(value)
            assert not name.startswith("on"), "a script in an attribute"

    def handle_data(self, data):
        self.text += data


def test_a_page_needs_no_other_file(shop, shelf, cli):
    files = (shop / "street.jpg", shop / "pics/1.png")
    done = cli("search", *files, "--shelf", shelf, "--html", "page.html")
    assert (done.code, done.err) == (0, "wrote page.html\n")
    text = Path("page.html").read_text(encoding="utf-8")
    page = Page(text)
    pictures = [reference for reference in page.references if reference]
    assert len(pictures) >= len(files) * (1 + PRODUCTS)
    assert all(reference.startswith("data:image/jpeg;base64,") for reference in pictures)
    assert "script" not in {tag for tag, _ in page.tags}
    assert "@import" not in text
    assert not re.search(r"url\(", text)
    links = {attributes["href"] for tag, attributes in page.tags if tag == "a"}
    web = {link for link in links if not link.startswith("#")}
    assert web == {f"https://shop.example/{number}" for number in range(PRODUCTS)}
    for number in range(PRODUCTS):
        assert f"Product {number}" in page.text


def test_a_page_survives_hostile_titles(shop, cli):
    feed = shop / "hostile.jsonl"
    hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script></title>'
    product = {
        "id": "<b>1</b>",
        "title": hostile,
        "brand": "<i>&amp;",
        "link": "javascript:alert(3)",
        "image": "pics/3.png",
        "category": ["<u>", "</main>"],
    }
    feed.write_text(json.dumps(product) + "\n")
    assert cli("index", feed, "--shelf", "new", "--system", "classical").code == 0
    photo = shop / "<script>alert(4)<"
    photo.mkdir()
    photo /= "script>.jpg"
    shutil.copy(shop / "street.jpg", photo)
    assert cli("search", photo, "--shelf", "new", "--html", "page.html").code == 0
    page = Page(Path("page.html").read_text(encoding="utf-8"))
    assert hostile in page.text
    assert not {"script", "i", "u"} & {tag for tag, _ in page.tags}
    assert not any("alert" in str(attributes.get("href")) for _, attributes in page.tags)


def test_a_page_does_without_pictures_that_have_gone(shop, shelf, cli):
    shutil.rmtree(shop / "pics")
    done = cli("search", shop / "street.jpg", "--shelf", shelf, "--html", "page.html")
    assert (done.code, done.err) == (0, "wrote page.html\n")
    page = Page(Path("page.html").read_text(encoding="utf-8"))
    assert "Product 3" in page.text


def test_a_page_does_without_a_photo_that_has_gone_since_it_was_searched_for(shop, shelf):
    with Shelf.open(shelf) as opened:
        result = opened.search(shop / "street.jpg")
        write_page(Path("page.html"), opened, [(Path("gone.jpg"), result)], where="shelf")
    page = Page(Path("page.html").read_text(encoding="utf-8"))
    assert "Product 3" in page.text
    assert len([reference for reference in page.references if reference]) == PRODUCTS


def test_a_page_is_written_anew_but_never_over_something_else(shop, shelf, cli):
    page = Path("page.html")
    for _ in range(2):
        assert cli("search", shop / "street.jpg", "--shelf", shelf, "--html", page).code == 0
    photo = shop / "pics/1.png"
    before = photo.read_bytes()
    slips = {
        "is what the command reads": ("search", photo, "--shelf", shelf, "--html", photo),
        "holds something else": ("search", shop / "street.jpg", "--shelf", shelf, "--html", photo),
    }
    for reason, slip in slips.items():
        done = cli(*slip)
        assert (done.code, done.out) == (1, "")
        assert reason in done.err
        assert photo.read_bytes() == before
