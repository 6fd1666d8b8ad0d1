"""The page of products that look the same, read by a parser and fed with a hostile shop."""

from decimal import Decimal

import pytest

from snapshelf.catalog.product import Price, Product
from snapshelf.pages.duplicates_page import MOST_CARDS, MOST_GROUPS, duplicates_page
from snapshelf.shelf.duplicates import Duplicate, DuplicateGroup
from snapshelf.shelf.thumbnails import Thumbnail

JPEG = b"\xff\xd8\xff\xe0 a picture"


def duplicate(name="a", other="b", *, similarity=0.97, same=None, **fields):
    product = Product(**({"id": name, "images": (f"{name}.jpg",)} | fields))
    return Duplicate(product, f"{name}.jpg", other, f"{other}.jpg", similarity, same)


def group(*duplicates):
    return DuplicateGroup(duplicates[0].similarity, duplicates)


def page(*groups, pictures=lambda image: Thumbnail(JPEG), compared=10):
    return duplicates_page(groups, pictures, shelf="my.shelf", least=0.95, compared=compared)


def test_a_pair_is_shown_side_by_side(read_page):
    one = duplicate(
        title="Red Trainer",
        brand="Löpare",
        category=("Apparel", "Shoes"),
        price=Price(Decimal("19.90"), "EUR"),
        url="https://shop.example/p?a=1&b=2",
        similarity=0.975,
        same=True,
    )
    asked = []

    def picture(image):
        asked.append(image)
        return Thumbnail(JPEG) if image == "a.jpg" else None

    read = read_page(page(group(one, duplicate("b", "a", same=False)), pictures=picture))
    assert asked == ["a.jpg", "b.jpg"]
    first, second = read.all("li", class_="card")
    for text in ("Red Trainer", "Löpare", "Apparel › Shoes", "19.90 EUR", "0.975", "Same picture"):
        assert text in first.text
    assert "Looks alike" in second.text
    (link,) = [a for a in read.all("a") if a.attributes["href"] == "https://shop.example/p?a=1&b=2"]
    assert link.text == "Red Trainer"
    assert "width:97.5%" in [s.attributes.get("style") for s in read.all("span")]
    text = read.all("body")[0].text
    for words in ("2 of 10 products, in one group", "my.shelf", "0.950", "Group 1"):
        assert words in text
    (gap,) = read.all("span", class_="missing")
    assert gap.text == "b"


def test_what_was_not_looked_at_has_no_verdict(read_page):
    text = read_page(page(group(duplicate(), duplicate("b", "a")))).all("main")[0].text
    assert "Same picture" not in text
    assert "Looks alike" not in text


@pytest.mark.parametrize(("compared", "words"), [(0, "0 products were"), (1, "1 product was")])
def test_nothing_found_is_told(read_page, compared, words):
    text = read_page(page(compared=compared)).all("main")[0].text
    assert "No two products look the same." in text
    assert f"{words} compared" in text


def test_what_is_left_out_is_told(read_page):
    crowd = [duplicate(f"p{number}", "p0") for number in range(MOST_CARDS + 1200)]
    many = [group(duplicate(), duplicate("b", "a"))] * MOST_GROUPS
    read = read_page(page(group(*crowd), *many, compared=9999))
    text = read.all("main")[0].text
    assert len(read.all("li", class_="card")) == MOST_CARDS + 2 * (MOST_GROUPS - 1)
    assert "1,224 products" in text
    assert "and 1,200 more" in text
    assert f"in {MOST_GROUPS + 1} groups. This page shows the first {MOST_GROUPS} groups." in text


def test_a_hostile_shop(read_page):
    hostile = "\"'><img src=x onerror=alert(1)><script>alert(1)</script>"
    one = duplicate(
        hostile,
        hostile,
        title=hostile,
        brand=hostile,
        category=(hostile,),
        url="javascript:alert(1)",
    )
    read = read_page(page(group(one, duplicate("b", hostile, title=""))))
    first, _ = read.all("li", class_="card")
    assert first.text.count(hostile) == 5
    assert not [a for a in read.all("a") if not a.attributes["href"].startswith("#")]
