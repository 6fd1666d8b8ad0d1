"""The page of search results, read by a parser and fed with hostile shops."""

import re
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from snapshelf.catalog.product import Price, Product
from snapshelf.pages import data_uri, render, search_page
from snapshelf.shelf import group_by_category
from snapshelf.shelf.result import FoundItem, Item, Match, SearchResult
from snapshelf.shelf.thumbnails import Thumbnail

JPEG = b"\xff\xd8\xff\xe0 a picture"


def match(rank=1, *, similarity=0.5, confidence=0.8, evidence=None, box=None, **product):
    product = Product(**({"id": f"p{rank}", "images": (f"{rank}.jpg",)} | product))
    return Match(rank, product, f"{rank}.jpg", similarity, confidence, evidence or {}, box)


def result(*items, query="photo.jpg", size=(200, 100), seconds=None):
    return SearchResult(query, size, items, seconds or {})


def item(*matches, box=(0, 0, 200, 100), label="", frames=None, in_catalogue=True):
    return FoundItem(Item(box, label, frames), matches, in_catalogue)


def page(results, queries=None, pictures=lambda image: Thumbnail(JPEG, (64, 48))):
    queries = [JPEG] * len(results) if queries is None else queries
    return search_page(results, pictures, queries, shelf="my.shelf", system="standard")


def test_a_match_shows_all_that_a_buyer_asks_for(read_page):
    shoe = match(
        title="Red Trainer",
        brand="Löpare",
        category=("Apparel", "Shoes"),
        price=Price(Decimal("19.90"), "EUR"),
        url="https://shop.example/p?a=1&b=2",
        similarity=0.875,
        confidence=0.934,
        evidence={"inliers": 42, "overlap": 0.123456, "note": "x" * 999},
    )
    asked = []
    read = read_page(
        page([result(item(shoe), seconds={"a": 0.5, "b": 0.25})], None, lambda i: asked.append(i))
    )
    assert asked == ["1.jpg"]
    (card,) = read.all("li", class_="card")
    for text in ("Red Trainer", "Löpare", "Apparel › Shoes", "19.90 EUR", "0.875", "93%", "42"):
        assert text in card.text
    assert "0.123" in card.text
    assert "x" * 199 + "…" in card.text
    assert "x" * 200 not in card.text
    (link,) = [a for a in read.all("a") if a.attributes["href"] == "https://shop.example/p?a=1&b=2"]
    assert link.text == "Red Trainer"
    assert {"noopener", "noreferrer"} <= set(link.attributes["rel"].split())
    assert "width:87.5%" in [s.attributes.get("style") for s in read.all("span")]
    text = read.all("body")[0].text
    for words in ("photo.jpg", "200 × 100 pixels", "0.75 s", "my.shelf", "standard"):
        assert words in text
    assert "In this catalogue" in text
    assert "Not in this catalogue" not in text


def test_pictures_are_inside_the_page_and_missing_ones_have_a_placeholder(read_page):
    matches = match(1, title="Here"), match(2, title="Gone")
    pictures = {"1.jpg": Thumbnail(JPEG)}.get
    read = read_page(page([result(item(*matches))], [JPEG], pictures))
    assert [(i.attributes["alt"], i.attributes["src"]) for i in read.all("img")] == [
        ("Query: photo.jpg", data_uri(JPEG)),
        ("Here", data_uri(JPEG)),
    ]
    (gap,) = read.all("span", class_="missing")
    assert gap.attributes["aria-label"] == "Gone (no picture)"
    assert gap.text == "Gone"


def test_an_item_that_is_not_sold_here_says_so(read_page):
    read = read_page(page([result(item(match(similarity=-0.2), in_catalogue=False))]))
    text = read.all("main")[0].text
    assert "Not in this catalogue" in text
    assert "-0.200" in text
    assert "width:0.0%" in [s.attributes.get("style") for s in read.all("span")]
    assert not read.all("li", class_="first")


def frames(read):
    return [span.attributes["style"] for span in read.all("span", class_="frame")]


@pytest.mark.parametrize(
    ("box", "style"),
    [
        ((50, 10, 150, 60), "left:25.000%;top:10.000%;width:50.000%;height:50.000%"),
        ((-40, -9, 100, 150), "left:0.000%;top:0.000%;width:50.000%;height:100.000%"),
        ((0, 0, 200, 100), None),
        ((0.4, 0.9, 199.5, 99.1), None),
        ((300, 300, 400, 400), None),
    ],
)
def test_the_item_is_framed_where_it_is_part_of_the_picture(read_page, box, style):
    read = read_page(page([result(item(match(), box=box))]))
    assert frames(read) == ([style] if style else [])


def test_no_frame_is_drawn_on_a_missing_picture(read_page):
    assert frames(read_page(page([result(item(match(), box=(50, 10, 90, 60)))], [None]))) == []


def test_several_items_are_numbered_on_the_picture_and_beside_it(read_page):
    first = item(match(), box=(0, 0, 100, 100), label="shoe")
    same = item(match(), box=(100, 0, 200, 100))
    clip = item(match(), box=(100, 0, 200, 100), frames=(3, 14))
    read = read_page(page([result(first, same, same, clip)]))
    assert [b.text for b in read.all("span", class_="frame")] == ["1", "2", "3", "4"]
    assert [h.text for h in read.all("h3")] == ["Item 1: shoe", "Item 2", "Item 3", "Item 4"]
    assert "frames 3 to 14" in read.all("main")[0].text


def test_several_queries_come_one_after_another(read_page):
    results = [result(item(match()), query=name) for name in ("a.jpg", "", "c.jpg")]
    read = read_page(page(results, [JPEG, None, JPEG]))
    assert [h.text for h in read.all("h2")] == ["a.jpg", "Query 2", "c.jpg"]
    jumps = [a.attributes["href"] for a in read.all("a", class_="picture")]
    assert jumps == ["#query-1", "#query-2", "#query-3"]


@pytest.mark.parametrize(
    ("results", "words"),
    [
        ([], "Nothing was searched for."),
        ([result()], "No item was found in this picture."),
        ([result(item(in_catalogue=False))], "No product was found for this item."),
    ],
)
def test_nothing_found_is_told(read_page, results, words):
    assert words in read_page(page(results)).all("main")[0].text


UNSAFE = [
    "javascript:alert(1)",
    " javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "file:///etc/passwd",
    "//shop.example/x",
    "/p/1",
    "shop.example/p/1",
    "https:javascript:alert(1)",
    "https://",
    "https:///x",
    "https://\\x",
    "https://shop.example/ javascript:alert(1)",
    "https://shop.example/\njavascript:alert(1)",
    "\u2028https://shop.example/",
    "ftp://shop.example/",
]


@pytest.mark.parametrize("url", UNSAFE)
def test_only_web_addresses_become_links(read_page, url):
    read = read_page(page([result(item(match(title="Shoe", url=url)))]))
    assert [h.text for h in read.all("h4")] == ["Shoe"]
    assert not [a for a in read.all("a") if not a.attributes["href"].startswith("#")]


def test_a_quote_in_an_address_stays_in_the_address(read_page):
    url = "HTTPS://shop.example/\"onmouseover='alert(1)'><script>"
    read = read_page(page([result(item(match(title="Shoe", url=url)))]))
    (link,) = [a for a in read.all("a") if a.attributes["href"].startswith("HTTPS")]
    assert link.attributes["href"] == url


HOSTILE = st.one_of(
    st.text(st.characters(exclude_characters="\r\0", codec="utf-8"), min_size=1, max_size=40),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "\"'><img src=x onerror=alert(1)>",
            "</style><h1>x</h1>",
            "</title><script>",
            "&lt;b&gt; &amp; &#x27;",
            "{{ 7 * 7 }} {% raw %}",
            "\u202edesrever\u200f \u2066",
            "W" * 1000,
            "<!--",
            "]]>",
        ]
    ),
)


@given(texts=st.lists(HOSTILE, min_size=7, max_size=7))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_hostile_text_stays_text(read_page, texts):
    title, brand, category, query, label, name, value = texts

    def build(title, brand, category, query, label, name, value):
        found = match(title=title, brand=brand, category=(category,), evidence={name: value})
        pair = item(found, label=label), item(found)
        return search_page(
            [result(*pair, query=query)], lambda i: None, [None], shelf=query, system=name
        )

    read = read_page(build(*texts))
    plain = read_page(build(*"abcdefg"))
    assert [e.tag for e in read.elements] == [e.tag for e in plain.elements]
    assert read.all("h4")[0].text == title
    assert read.all("h2")[0].text == query
    assert read.all("h3")[0].text == f"Item 1: {label}"
    card = read.all("li", class_="card")[0].text
    for text in (brand, category, name, value if len(value) <= 200 else value[:199]):
        assert text in card


def agreement(points=7, matches=9, colour=0.816):
    rows = [[20.0 * number + 5, 10.0 * number, 8.0 * number, 6.5 * number]
            for number in range(points)]  # fmt: skip
    return {"matches": matches, "inliers": points, "colour": colour, "points": rows}


def test_matched_points_are_drawn_on_both_pictures(read_page):
    found = match(evidence=agreement())
    read = read_page(page([result(item(found, match(2), match(3, evidence=agreement(5))))]))
    cards = read.all("li", class_="card")
    drawings = read.all("svg", class_="drawing")
    assert [cards.index(d.parents[-3]) for d in drawings] == [0, 2]
    assert [len([e for e in read.all("line") if d in e.parents]) for d in drawings] == [7, 5]
    assert [len([e for e in read.all("circle") if d in e.parents]) for d in drawings] == [14, 10]
    for drawing in drawings:
        assert drawing.attributes["role"] == "img"
        (details,) = [e for e in drawing.parents if e.tag == "details"]
        assert "open" not in details.attributes
        parts = [e for e in read.all("svg") if e.parents[-1:] == (drawing,)]
        assert [e.attributes["viewbox"] for e in parts] == ["0 0 200 100", "0 0 64 48"]
    assert drawings[0].attributes["aria-label"].startswith("7 points of the query")
    words = [e.text for e in read.all("summary")]
    assert words == [
        "7 of 9 points agree, colours fit 0.82",
        "5 of 9 points agree, colours fit 0.82",
    ]
    assert "Why it matched" not in read.source


def test_the_query_is_in_the_page_once_for_all_drawings(read_page):
    matches = [match(rank, evidence=agreement()) for rank in (1, 2, 3)]
    plain, other = result(item(match()), query="plain"), result(item(*matches), query="b")
    read = read_page(page([plain, other], [b"\xff\xd8\xff one", b"\xff\xd8\xff two"]))
    assert [e.attributes["href"] for e in read.all("use")] == ["#query-2-picture"] * 3
    (kept,) = [e for e in read.all("image") if "id" in e.attributes]
    assert kept.attributes["href"] == data_uri(b"\xff\xd8\xff two")
    assert (kept.attributes["width"], kept.attributes["height"]) == ("200", "100")
    others = [e.attributes for e in read.all("image") if "id" not in e.attributes]
    shown = [(e["href"], e["width"], e["height"]) for e in others]
    assert shown == [(data_uri(JPEG), "64", "48")] * 3


def test_points_lie_on_the_item_and_on_the_part_of_the_picture_that_matched(read_page):
    evidence = {"matches": 6, "inliers": 5, "points": [[0, 0, 0, 0], [50, 40, 20, 30]]}
    found = item(match(evidence=evidence, box=(10, 5, 30, 35)), box=(100, 30, 150, 70))
    read = read_page(page([result(found)]))
    (drawing,) = read.all("svg", class_="drawing")
    left, right = (e.attributes for e in read.all("svg") if e.parents[-1:] == (drawing,))
    assert (left["viewbox"], right["viewbox"]) == ("100 30 50 40", "10 5 20 30")
    ends = [[float(e.attributes[n]) for n in ("x1", "y1", "x2", "y2")] for e in read.all("line")]
    corners = [
        [float(part[name]) for part in (left, right) for name in ("x", "y")],
        [float(part[a]) + float(part[b]) for part in (left, right)
         for a, b in (("x", "width"), ("y", "height"))],
    ]  # fmt: skip
    for found, expected in zip(ends, corners, strict=True):
        assert found == pytest.approx(expected, abs=0.06)
    assert "2 of them are drawn" in read.all("figcaption")[0].text
    assert read.all("summary")[0].text == "5 of 6 points agree"


@pytest.mark.parametrize(
    ("queries", "picture"),
    [([None], Thumbnail(JPEG, (64, 48))), ([JPEG], None), ([JPEG], Thumbnail(JPEG))],
    ids=["no query", "no picture", "unknown size"],
)
def test_without_both_pictures_there_are_words_alone(read_page, queries, picture):
    found = result(item(match(evidence=agreement())))
    read = read_page(page([found], queries, lambda image: picture))
    (told,) = read.all("p", class_="told")
    assert told.text == "7 of 9 points agree, colours fit 0.82"
    assert not read.all("svg", class_="drawing")
    assert not read.all("image")
    assert not read.all("details")


@pytest.mark.parametrize("evidence", [{}, agreement(0), agreement(0, 0)], ids=str)
def test_nothing_is_shown_where_no_point_agrees(read_page, evidence):
    read = read_page(page([result(item(match(evidence=evidence)))]))
    assert not read.all("details")
    assert not read.all("p", class_="told")
    assert not read.all("line")


def test_evidence_of_another_kind_stands_beside_the_drawing(read_page):
    read = read_page(page([result(item(match(evidence=agreement() | {"note": "<b>new</b>"})))]))
    assert read.all("summary")[0].text == "Why it matched"
    assert read.all("dd")[-1].text == "<b>new</b>"
    assert len(read.all("line")) == 7


def outfit(*labels, best=2):
    """An item for each label, grouped, with matches of three categories."""
    matches = [
        match(1, title="Striped", category=("Apparel", "Shirts"), brand="Acme"),
        match(2, title="Plain", category=("Apparel", "Shirts"), evidence=agreement()),
        match(3, title="Nameless", evidence={"note": "x"}),
        match(4, title="Third", category=("Apparel", "Shirts")),
        match(5, title="Blue", category=("Jeans",), price=Price(Decimal(40), "EUR")),
    ]
    return [group_by_category(item(*matches, label=label), best) for label in labels]


def test_each_category_has_its_best_matches_under_the_ranking(read_page):
    asked = []
    read = read_page(page([result(*outfit(""))], None, lambda i: asked.append(i)))
    assert [h.text for h in read.all("h4")][-3:] == [
        "Apparel › Shirts",
        "Without a category",
        "Jeans",
    ]
    assert [h.text for h in read.all("h5")] == ["Striped", "Plain", "Nameless", "Blue"]
    whole, *groups = read.all("ol", class_="matches")
    cards = read.all("li", class_="card")
    assert [sum(g in c.parents for c in cards) for g in (whole, *groups)] == [5, 2, 1, 1]
    assert [card.text.split()[-1] for card in cards if card.parents[-1] in groups] == ["80%"] * 4
    ranks = [e.text for e in read.all("span", class_="rank")]
    assert ranks == ["1", "2", "3", "4", "5", "1", "2", "1", "1"]
    assert set(asked) == {f"{number}.jpg" for number in range(1, 6)}
    last = cards[-1].text
    assert "40 EUR" in last
    assert "Acme" in cards[5].text


def test_a_match_in_its_category_is_told_briefly(read_page):
    read = read_page(page([result(*outfit(""))]))
    groups = read.all("ol", class_="brief")
    inside = [e for e in read.elements if any(g in e.parents for g in groups)]
    assert len(read.all("svg", class_="drawing")) == 1
    assert not [e for e in inside if e.tag in {"details", "svg", "line"}]
    assert not [e for e in inside if "told" in e.attributes.get("class", "").split()]
    assert "Apparel" not in "".join(e.text for e in inside)


def test_categories_can_be_jumped_to(read_page):
    results = [result(*outfit("a", "b"), query="one"), result(*outfit(""), query="two")]
    read = read_page(page(results))
    links = read.all("nav", class_="categories")
    assert [nav.attributes["aria-label"] for nav in links] == [
        "Categories of item 1 of one",
        "Categories of item 2 of one",
        "Categories of two",
    ]
    targets = [
        a.attributes["href"] for a in read.all("a") if any(nav in a.parents for nav in links)
    ]
    assert len(set(targets)) == 9
    sections = [s.attributes["id"] for s in read.all("section", class_="category")]
    assert [target[1:] for target in targets] == sections


def test_without_groups_nothing_speaks_of_categories(read_page):
    for found in (item(match()), group_by_category(item(in_catalogue=False), 5)):
        read = read_page(page([result(found)]))
        assert not read.all("nav")
        assert not read.all("section", class_="category")
        assert not read.all("h5")


@given(texts=st.lists(HOSTILE, min_size=3, max_size=3))
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_hostile_categories_stay_text(read_page, texts):
    def build(title, category, query):
        found = group_by_category(item(match(title=title, category=(category,))), 1)
        return page([result(found, query=query)])

    read = read_page(build(*texts))
    assert [e.tag for e in read.elements] == [e.tag for e in read_page(build(*"abc")).elements]
    title, category, query = texts
    assert (read.all("h5")[0].text, read.all("h4")[1].text) == (title, category)
    assert read.all("nav")[0].attributes["aria-label"] == f"Categories of {query}"


def test_titles_are_kept_apart_from_the_text_around_them(read_page):
    source = page([result(item(match(title="\u202eevil"), label="\u2067x"))])
    assert all(h.attributes["dir"] == "auto" for h in read_page(source).all("h4"))
    style = read_page(source).all("style")[0].text
    assert re.search(r"\.text \{[^}]*unicode-bidi: isolate", style)
    assert re.search(r"\.text \{[^}]*overflow-wrap: anywhere", style)


def test_results_and_queries_must_be_as_many():
    with pytest.raises(ValueError, match="each of the 1 results, got 2"):
        page([result()], [None, None])


def test_a_value_that_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError, match="'queries' is undefined"):
        render("search.html.jinja", {"shelf": "", "system": ""})
