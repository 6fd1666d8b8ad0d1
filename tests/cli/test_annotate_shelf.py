"""`snapshelf annotate --shelf`: the products that pictures show, into a file."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_shop import PRODUCTS, draw, row, write_feed


def lines(file="found.jsonl"):
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


def test_the_products_in_each_picture_as_search_tells_them(shop, shelf, process):
    given = ("--shelf", shelf, "--out", "found.jsonl")
    done = process("annotate", shop / "street.jpg", shop / "pics", shop / "feed.csv", *given)
    assert (done.code, done.out) == (0, ""), done.err
    assert done.err == f"wrote found.jsonl: {1 + 2 * PRODUCTS} pictures\n"
    found = lines()
    searched = process("search", shop / "street.jpg", "--shelf", shelf, "--json", "--top", "5")
    assert list(found[0]) == ["picture", "items"]
    assert found[0]["picture"] == str(shop / "street.jpg")
    asked, alone = found[0]["items"], searched.json[0]["items"]
    for item, other in zip(asked, alone, strict=True):
        assert list(item) == list(other), "a system without attributes tells none"
        assert item["item"] == other["item"]
        assert item["in_catalogue"] is other["in_catalogue"] is True
        assert len(item["matches"]) == 5
        for match, same in zip(item["matches"], other["matches"], strict=True):
            assert match["product"] == same["product"]
            assert match["similarity"] == pytest.approx(same["similarity"], abs=1e-5)
    feed = found[1 + PRODUCTS :]
    assert [line["product"] for line in feed] == [f"P{number}" for number in range(PRODUCTS)]
    for line in feed:
        assert line["items"][0]["matches"][0]["product"]["id"] == line["product"]


def test_a_table_for_a_spreadsheet(shop, shelf, cli):
    given = ("--shelf", shelf, "--out", "found.csv", "--top", "2")
    for _ in range(2):  # an own file is written over
        assert cli("annotate", shop / "feed.csv", shop / "street.jpg", *given).code == 0
    with Path("found.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * (PRODUCTS + 1)
    assert [one["rank"] for one in rows[:4]] == ["1", "2", "1", "2"]
    assert all(one["match"] == one["product"] for one in rows[: 2 * PRODUCTS : 2])
    last = rows[-2]
    assert (last["product"], last["match"], last["title"]) == ("", "P3", "Product 3")
    assert (last["in_catalogue"], last["price"], last["error"]) == ("yes", "40.50 EUR", "")


def test_bad_pictures_among_good_ones(shop, shelf, cli):
    folder = Path("mixed")
    folder.mkdir()
    for number in range(20):
        draw(number % PRODUCTS, 96).save(folder / f"{number:02}.png")
    (folder / "03.png").write_bytes((folder / "04.png").read_bytes()[:200])
    (folder / "07.png").write_bytes(b"")
    Image.new("RGB", (1, 1), "white").save(folder / "08.png")
    Image.fromarray(np.full((60, 60, 3), 255, np.uint8)).save(folder / "09.png")
    done = cli("annotate", folder, "--shelf", shelf, "--out", "found.jsonl")
    assert done.code == 3
    assert done.err.count("skipped: ") == 2
    found = lines()
    assert [line["picture"] for line in found] == [str(folder / f"{n:02}.png") for n in range(20)]
    assert [n for n, line in enumerate(found) if "error" in line] == [3, 7]
    for number in (0, 2, 4, 8, 9, 19):
        (item,) = found[number]["items"]
        assert len(item["matches"]) == 5
        if number not in (8, 9):
            assert item["matches"][0]["product"]["id"] == f"P{number % PRODUCTS}"


def test_a_filter(shop, shelf, cli):
    given = ("--shelf", shelf, "--out", "found.jsonl", "--filter", "brand=Zenith")
    assert cli("annotate", shop / "street.jpg", *given).code == 0
    (item,) = lines()[0]["items"]
    assert {match["product"]["id"] for match in item["matches"]} == {"P0", "P2", "P4"}


def test_a_bad_row_of_a_feed_is_told(shop, shelf, cli):
    feed = write_feed(shop, [row(0), row(1, image="gone.png"), row(2, id="")], "bad.csv")
    done = cli("annotate", feed, "--shelf", shelf, "--out", "found.jsonl")
    assert done.code == 3
    assert done.err.count("skipped: ") == 2
    assert [line["product"] for line in lines()] == ["P0", "P1"]


def test_an_empty_shelf_and_an_empty_folder(shop, cli):
    feed = write_feed(shop, [row(0, image="gone.png")], "empty.csv")
    cli("index", feed, "--shelf", "new", "--system", "classical")
    given = ("--shelf", "new", "--out")
    assert cli("annotate", shop / "street.jpg", *given, "found.jsonl").code == 0
    assert lines()[0]["items"][0]["matches"] == []
    assert cli("annotate", shop / "street.jpg", *given, "found.csv").code == 0
    assert len(Path("found.csv").read_text().splitlines()) == 2
    Path("nothing").mkdir()
    done = cli("annotate", "nothing", *given, "found.jsonl")
    assert done.code == 3
    assert "there was no picture to annotate" in done.err


def test_mistakes(shop, shelf, cli):
    photo = shop / "street.jpg"
    out = ("--out", "x.jsonl")
    for given, code, message in [
        ((photo, *out), 2, "give --shelf to find products, or --system for attributes alone"),
        ((photo, *out, "--shelf", shelf, "--system", "classical"), 2, "not both"),
        ((photo, *out, "--system", "classical", "--top", "3"), 2, "--top is about products"),
        ((photo, *out, "--system", "classical", "--filter", "a=b"), 2, "--filter is about"),
        ((photo, *out, "--shelf", shelf, "--top", "0"), 2, "'--top'"),
        ((photo, *out, "--shelf", shelf, "--attributes", "heel"), 2, "knows no attributes"),
        ((photo, *out, "--shelf", shelf, "--values", "2"), 2, "--values: the shelf's system"),
        (
            (photo, *out, "--shelf", shelf, "--filter", "size=3"),
            1,
            "no product has an attribute 'size'",
        ),
        ((photo, *out, "--shelf", "none"), 1, "there is no shelf in none"),
        ((photo, *out, "--shelf", shop), 1, "there is no shelf in"),
        ((shop / "none.jpg", *out, "--shelf", shelf), 1, "there is no file or folder"),
        ((photo, "--out", "x.txt", "--shelf", shelf), 2, "must end in .jsonl or .csv"),
        ((photo, "--out", "no/x.jsonl", "--shelf", shelf), 1, "there is no folder no"),
        ((photo, "--out", shop, "--shelf", shelf), 2, "must end in"),
        ((photo, "--out", "taken.csv", "--shelf", shelf), 1, "holds something else"),
        ((photo, "--out", "y.csv", "--shelf", shelf, "--least", "0.5"), 2, ".jsonl only"),
    ]:
        Path("taken.csv").write_text("a,b\n")
        done = cli("annotate", *given)
        assert (done.code, done.out) == (code, ""), (given, done.err)
        assert message in done.err, (message, done.err)
        assert "Traceback" not in done.err
        assert not Path("x.jsonl").exists(), "nothing is written"
    assert Path("taken.csv").read_text() == "a,b\n"
