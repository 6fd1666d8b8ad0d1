"""`snapshelf index`: every kind of feed in, a report out, and the same shelf brought up to date."""

import csv
import json
import shutil
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_shop import PRODUCTS, contents, draw, row, write_feed

CLASSICAL = ("--system", "classical")

COUNTS = {
    "read": PRODUCTS,
    "changed": PRODUCTS,
    "unchanged": 0,
    "removed": 0,
    "skipped": 0,
    "parts_skipped": 0,
    "pictures_embedded": PRODUCTS,
    "pictures_reused": 0,
    "stopped": "",
    "not_removed": "",
}


def counts(report, **changes):
    """What a report should count, compared with what it does."""
    expected = COUNTS | changes
    return {name: report[name] for name in expected} == expected


def records(shop):
    with (shop / "feed.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_jsonl(shop):
    feed = shop / "feed.jsonl"
    feed.write_text("".join(json.dumps(record) + "\n" for record in records(shop)))
    return feed


def as_parquet(shop):
    pq.write_table(pa.Table.from_pylist(records(shop)), shop / "feed.parquet")
    return shop / "feed.parquet"


def as_google_tsv(shop):
    feed = shop / "feed.txt"
    lines = ["id\ttitle\timage link\tprice"]
    lines += ["\t".join(r[key] for key in ("id", "title", "image", "price")) for r in records(shop)]
    feed.write_text("\n".join(lines) + "\n")
    return feed


def as_google_xml(shop):
    items = "".join(
        f"<item><g:id>{r['id']}</g:id><title>{escape(r['title'])}</title>"
        f"<g:image_link>{r['image']}</g:image_link><g:price>{r['price']}</g:price></item>"
        for r in records(shop)
    )
    feed = shop / "feed.xml"
    space = 'xmlns:g="http://base.google.com/ns/1.0"'
    feed.write_text(f'<rss version="2.0" {space}><channel>{items}</channel></rss>')
    return feed


def as_shopify(shop):
    feed = shop / "export.csv"
    lines = ["Handle,Title,Vendor,Variant Price,Image Src"]
    lines += [
        f"{r['id']},{r['title']},{r['brand']},{r['price'].removesuffix(' EUR')},{r['image']}"
        for r in records(shop)
    ]
    feed.write_text("\n".join(lines) + "\n")
    return feed


def as_pictures(shop):
    folder = shop / "by-name"
    folder.mkdir()
    for number in range(PRODUCTS):
        shutil.copy(shop / f"pics/{number}.png", folder / f"P{number}.png")
    return folder


def as_folders(shop):
    folder = shop / "by-folder"
    for number in range(PRODUCTS):
        (folder / "Bags" / f"P{number}").mkdir(parents=True)
        shutil.copy(shop / f"pics/{number}.png", folder / "Bags" / f"P{number}" / "1.png")
    return folder


@pytest.mark.parametrize(
    "write",
    [
        as_jsonl,
        as_parquet,
        as_google_tsv,
        as_google_xml,
        as_shopify,
        as_pictures,
        as_folders,
        lambda shop: shop / "feed.csv",
    ],
    ids=["jsonl", "parquet", "google-tsv", "google-xml", "shopify", "pictures", "folders", "csv"],
)
def test_every_kind_of_feed_gives_the_same_finds(shop, cli, write):
    report = cli("index", write(shop), "--shelf", "new", *CLASSICAL, "--json")
    assert (report.code, report.err) == (0, "")
    assert counts(report.json)
    found = cli("search", shop / "street.jpg", "--shelf", "new", "--top", 1, "--json")
    assert found.json[0]["items"][0]["matches"][0]["product"]["id"] == "P3"


def test_the_report_as_json_has_these_names(shop, cli):
    report = cli("index", shop / "feed.csv", "--shelf", "new", *CLASSICAL, "--json").json
    assert list(report) == ["feed", *COUNTS, "seconds", "shelf", "reasons", "problems"]
    assert report["feed"] == str(shop / "feed.csv")
    assert report["shelf"] == {"products": PRODUCTS, "pictures": PRODUCTS}
    assert report["seconds"] > 0


def test_the_report_as_text_goes_to_standard_error(shop, process):
    report = process("index", shop / "feed.csv", "--shelf", "new", *CLASSICAL)
    assert (report.code, report.out) == (0, "")
    first, second = report.err.splitlines()
    assert first.startswith("feed.csv (csv): 6 products read, 6 stored, 0 unchanged, 0 removed; ")
    assert second == "new holds 6 products with 6 pictures"


def test_a_shelf_is_brought_up_to_date(shop, shelf, cli):
    def again(*rows):
        feed = write_feed(shop, list(rows))
        report = cli("index", feed, "--shelf", shelf, "--json")
        assert report.code == 0
        return report.json

    rows = [row(number) for number in range(PRODUCTS)]
    before = contents(shelf)
    unchanged = {"changed": 0, "pictures_embedded": 0}
    assert counts(again(*rows), **unchanged, unchanged=6)
    assert contents(shelf) == before

    rows[2] = row(2, price="1.00 EUR")
    report = again(*rows)
    assert counts(report, changed=1, unchanged=5, pictures_embedded=0, pictures_reused=1)

    del rows[0]
    report = again(*rows)
    assert counts(report, **unchanged, read=5, unchanged=5, removed=1)
    assert report["shelf"] == {"products": 5, "pictures": 5}

    draw(77).save(shop / "pics/1.png")
    report = again(*rows)
    assert counts(report, read=5, changed=1, unchanged=4, pictures_embedded=1)


def test_recheck_finds_what_no_file_time_tells(shop, shelf, cli):
    picture = shop / "pics/1.png"
    copy = row(6, image="pics/6.png")
    shutil.copy2(picture, shop / "pics/6.png")
    feed = write_feed(shop, [*[row(number) for number in range(PRODUCTS)], copy])
    assert cli("index", feed, "--shelf", shelf).code == 0
    report = cli("index", feed, "--shelf", shelf, "--recheck", "--json").json
    assert counts(report, read=7, changed=0, unchanged=7, pictures_embedded=0, pictures_reused=7)


def test_columns_encoding_and_currency(shop, cli):
    feed = shop / "artikel.csv"
    text = "Artikel;Name;Bild;Preis\n17;Größe;pics/3.png;19,90\n"
    feed.write_bytes(text.encode("cp1252"))
    columns = ("id=Artikel", "title=Name", "image=Bild", "price=Preis")
    given = [part for column in columns for part in ("--column", column)]
    done = cli(
        *("index", feed, "--shelf", "new", *CLASSICAL, *given),
        *("--encoding", "cp1252", "--currency", "CHF"),
    )
    assert done.code == 0, done.err
    found = cli("search", shop / "street.jpg", "--shelf", "new", "--json").json
    product = found[0]["items"][0]["matches"][0]["product"]
    assert (product["id"], product["title"], product["price"]) == ("17", "Größe", "19.90 CHF")


def test_an_empty_column_leaves_a_field_unread(shop, cli):
    done = cli("index", shop / "feed.csv", "--shelf", "new", *CLASSICAL, "--column", "price=")
    assert done.code == 0, done.err
    found = cli("search", shop / "street.jpg", "--shelf", "new", "--json").json
    assert found[0]["items"][0]["matches"][0]["product"]["price"] is None


def test_the_format_can_be_given(shop, cli):
    (shop / "shoes").mkdir()
    shutil.copy(shop / "pics/3.png", shop / "shoes" / "B-17.png")
    shutil.copy(shop / "pics/4.png", shop / "shoes" / "B-18.png")
    folder = shop / "shoes"
    report = cli("index", folder.parent / "shoes", "--shelf", "a", *CLASSICAL, "--json").json
    assert report["read"] == 2
    done = cli("index", shop, "--shelf", "b", *CLASSICAL, "--format", "pictures", "--json")
    assert done.code == 0, done.err
    assert done.json["read"] == PRODUCTS + 3


def test_what_is_skipped_is_told_and_written_as_json_lines(shop, cli):
    (shop / "page.jpg").write_text("<html>")
    rows = [row(0), row(1, price="free"), row(2, image="page.jpg"), row(0), row(4, image="../x")]
    feed = write_feed(shop, rows)
    expected = {
        ("P1", "price"): (3, "is no price: 'free'"),
        ("P2", "image"): (4, "the file is an HTML page"),
        ("P0", "id"): (5, "is the ID of another product: it stood first in line 2"),
        ("P4", "image"): (6, "leads out of the feed's folder: '../x'"),
    }

    log = Path("problems.jsonl")
    done = cli("index", feed, "--shelf", "new", *CLASSICAL, "--problems", log)
    assert (done.code, done.out) == (3, "")
    assert "skipped 4 products, and 1 pictures or fields of others:" in done.err
    problems = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(problems) == 5
    for problem in problems:
        assert list(problem) == ["line", "field", "reason", "product_id", "fatal"]
    for (product, field), (line, reason) in expected.items():
        assert f"line {line}, {field} ({product}): {reason}" in done.err
        found = [p for p in problems if p["product_id"] == product and reason in p["reason"]]
        assert [(p["line"], p["field"]) for p in found] == [(line, field)]

    as_json = cli("index", feed, "--shelf", "new", "--problems", log, "--json")
    assert as_json.code == 3
    assert as_json.err == ""
    assert sorted(map(str, as_json.json["problems"])) == sorted(map(str, problems))
    assert sum(reason["count"] for reason in as_json.json["reasons"]) == len(problems)


def test_many_problems_are_cut_in_text_but_not_in_the_file(shop, cli):
    feed = write_feed(shop, [row(0), *[row(number, price="?") for number in range(1, 41)]])
    done = cli("index", feed, "--shelf", "new", *CLASSICAL, "--problems", "all.jsonl")
    assert done.code == 3
    assert done.err.count("is no price") == 20
    assert "  and 20 more; --problems FILE writes all of them" in done.err
    assert len(Path("all.jsonl").read_text().splitlines()) == 40


def test_a_feed_that_breaks_off_removes_nothing(shop, shelf, cli):
    before = contents(shelf)
    feed = as_google_xml(shop)
    text = feed.read_text()
    feed.write_text(text[: text.index("<g:id>P4")])
    done = cli("index", feed, "--shelf", shelf, "--json")
    assert done.code == 1
    assert "not well-formed XML" in done.err
    assert "nothing was removed" in done.err
    assert done.json["stopped"] in done.err
    assert counts(
        done.json, read=4, changed=4, pictures_embedded=0, pictures_reused=4,
        stopped=done.json["stopped"], not_removed=done.json["not_removed"],
    )  # fmt: skip
    assert {found[0] for found in contents(shelf)} == {found[0] for found in before}


def test_a_feed_without_a_usable_product_removes_nothing(shop, shelf, cli):
    before = contents(shelf)
    done = cli("index", write_feed(shop, []), "--shelf", shelf)
    assert done.code == 0
    assert "nothing was removed from the shelf" in done.err
    assert contents(shelf) == before


def test_pictures_come_from_the_web_only_where_that_is_allowed(shop, server, cli, tmp_path):
    feed = write_feed(shop, [row(n, image=f"{server}/pics/{n}.png") for n in range(3)])
    refused = cli("index", feed, "--shelf", "new", *CLASSICAL, "--json")
    assert refused.code == 3
    assert counts(refused.json, read=3, changed=0, skipped=3, parts_skipped=3,
                  pictures_embedded=0)  # fmt: skip
    assert "not public" in refused.json["problems"][0]["reason"]
    assert refused.json["shelf"]["products"] == 0

    allowed = cli("index", feed, "--shelf", "new", "--allow-private", "--json")
    assert (allowed.code, allowed.err) == (0, "")
    assert counts(allowed.json, read=3, changed=3, pictures_embedded=3)
    assert any((tmp_path / "cache").rglob("*"))

    again = cli("index", feed, "--shelf", "new", "--allow-private", "--json")
    assert counts(again.json, read=3, changed=0, unchanged=3, pictures_embedded=0)


def test_a_dead_link_costs_only_itself(shop, server, cli):
    images = ("pics/0.png", f"{server}/pics/gone.png", f"{server}/pics/2.png")
    feed = write_feed(shop, [row(number, image=image) for number, image in enumerate(images)])
    done = cli("index", feed, "--shelf", "new", *CLASSICAL, "--allow-private", "--json")
    assert done.code == 3
    assert done.json["shelf"]["products"] == 2
    assert "404" in done.json["problems"][0]["reason"]


def test_a_feed_whose_name_is_no_text_is_refused(shop, process):
    """A file name may hold bytes that are not UTF-8, and orders to the terminal."""
    feed = Path(shop, "caf\udce9\x1b[2J.csv")
    (shop / "feed.csv").rename(feed)
    done = process("index", feed, "--shelf", "new", *CLASSICAL, PYTHONIOENCODING="utf-8:strict")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"error: {shop}/caf\\udce9\\x1b[2J.csv holds bytes that are no UTF-8 text; rename it\n"
    )
    assert not Path("new").exists()


def test_a_shelf_may_have_any_name(shop, process):
    place = Path("caf\udce9\x1b[2J")
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    done = process("index", shop / "feed.csv", "--shelf", place, *CLASSICAL, **strict)
    assert done.code == 0, done.err
    assert "\x1b" not in done.err
    assert "caf\\udce9\\x1b[2J holds 6 products" in done.err
    found = process("search", shop / "street.jpg", "--shelf", place, "--html", "a.html", **strict)
    assert found.code == 0, found.err


def test_a_folder_of_pictures_whose_names_are_no_text(shop, cli):
    folder = as_pictures(shop)
    (folder / "P0.png").rename(folder / "caf\udce9.png")
    done = cli("index", folder, "--shelf", "new", *CLASSICAL)
    assert done.code == 3
    assert "not valid" in done.err
    assert "new holds 5 products" in done.err
