"""Texts, picture references, availabilities and categories on their own."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapshelf.catalog import Availability
from snapshelf.catalog.availability import parse_availability
from snapshelf.catalog.building import parse_category
from snapshelf.catalog.image_reference import check_image, split_images
from snapshelf.catalog.limits import MAX_FIELD
from snapshelf.catalog.plain_text import plain_text, strip_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Salt &amp; <b>pep</b>per</p><p>new</p>", "Salt & pepper new"),
        ("one<br>two<br/>three", "one two three"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("a<script>alert('x')</script>b<STYLE>p{}</STYLE>c", "a b c"),
        ("a<!-- <b>not</b> this -->b", "ab"),
        ("a<script>never closed", "a"),
        ("5 < 6 & 7 > 3, <3", "5 < 6 & 7 > 3, <3"),
        ("&lt;b&gt; stays text", "<b> stays text"),
        ("Gr&ouml;&szlig;e &#8364; &#x1F45F;", "Größe € 👟"),
        ("<img alt='x' src=a.jpg>shoe", "shoe"),
        ("a&nbsp;&nbsp;b", "a b"),
        ("x&#" + "9" * 5000 + ";y", "xy"),
        ("\x00a\x07b\ufeff", "ab"),
    ],
)
def test_strip_html(html: str, text: str) -> None:
    assert strip_html(html) == text


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<!--", "<a b='", "</", "&#", "<script>", "<![CDATA[", "<?", "<", "&", "<a>", "&a"],
)
def test_stripping_hostile_html_is_quick(piece: str) -> None:
    text = (piece * MAX_FIELD)[:MAX_FIELD]
    start = time.process_time()
    strip_html(text)
    assert time.process_time() - start < 1


@given(st.text(), st.integers(1, 50))
def test_plain_text_is_one_printable_line(text: str, limit: int) -> None:
    plain = plain_text(text, limit)
    assert len(plain) <= limit
    assert plain == plain.strip()
    assert "  " not in plain
    assert not any(character < " " or "\x7f" <= character < "\xa0" for character in plain)
    assert plain_text(plain, limit) == plain


@given(st.text())
def test_plain_text_agrees_with_a_slow_reference(text: str) -> None:
    kept = (c for c in text if c.isspace() or not (ord(c) < 32 or 127 <= ord(c) < 160))
    assert plain_text(text) == " ".join("".join(kept).replace("\ufeff", "").split())


@pytest.mark.parametrize(
    ("text", "images"),
    [
        ("", []),
        (" a.jpg ", ["a.jpg"]),
        ("a.jpg|b.jpg", ["a.jpg", "b.jpg"]),
        ("a.jpg,b.PNG , c.webp", ["a.jpg", "b.PNG", "c.webp"]),
        ("front,left.jpg", ["front,left.jpg"]),
        (
            "https://s.example/w_200,h_300/a.jpg",
            ["https://s.example/w_200,h_300/a.jpg"],
        ),
        (
            "https://s.example/a.jpg,w_9, https://s.example/b",
            ["https://s.example/a.jpg,w_9", "https://s.example/b"],
        ),
        ("a.jpg,https://s.example/b", ["a.jpg", "https://s.example/b"]),
        ("a.jpg,", ["a.jpg"]),
        ("|||", []),
    ],
)
def test_split_images(text: str, images: list[str]) -> None:
    assert split_images(text) == images


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("https://s.example/a b.jpg?x=1#y", "https://s.example/a b.jpg?x=1#y"),
        ("HTTP://s.example", "HTTP://s.example"),
        ("./a//b.jpg", "a/b.jpg"),
        ("a/../b.jpg", "b.jpg"),
        ("bilder/größe 👟.jpg", "bilder/größe 👟.jpg"),
        ("...jpg", "...jpg"),
        ("%2e%2e/a.jpg", "%2e%2e/a.jpg"),
    ],
)
def test_good_images(text: str, image: str) -> None:
    assert check_image(text) == image


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("file:///etc/passwd", "neither an http"),
        ("FILE:a.jpg", "neither an http"),
        ("ftp://s.example/a.jpg", "neither an http"),
        ("data:image/png;base64,AAAA", "neither an http"),
        ("javascript:alert(1)", "neither an http"),
        ("http:a.jpg", "neither an http"),
        ("http:///a.jpg", "neither an http"),
        ("https://user:word@s.example/a.jpg", "neither an http"),
        ("C:/a.jpg", "neither an http"),
        ("C:\\a.jpg", "backslash"),
        ("..\\a.jpg", "backslash"),
        ("//s.example/a.jpg", "has no scheme"),
        ("/etc/passwd", "absolute path"),
        ("../a.jpg", "leads out"),
        ("a/../../b.jpg", "leads out"),
        ("..", "leads out"),
        (".", "names no file"),
        ("a/..", "names no file"),
        ("a\x00.jpg", "control character"),
        ("a\n.jpg", "control character"),
        ("https://s.example/\x7f", "control character"),
        ("a" * 3000, "longer than 2048"),
    ],
)
def test_bad_images(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_image(text)


@given(st.lists(st.sampled_from(["..", ".", "a", "b c", "", "…"]), min_size=1, max_size=8))
def test_no_path_leads_out(parts: list[str]) -> None:
    try:
        image = check_image("/".join(parts))
    except ValueError:
        depth = lowest = 0
        for part in parts:
            depth += {"..": -1, ".": 0, "": 0}.get(part, 1)
            lowest = min(lowest, depth)
        assert lowest < 0 or depth == 0 or parts[0] == ""
    else:
        assert not image.startswith("/")
        assert ".." not in image.split("/")


@pytest.mark.parametrize(
    ("text", "availability"),
    [
        ("in stock", Availability.IN_STOCK),
        ("in_stock", Availability.IN_STOCK),
        (" In Stock ", Availability.IN_STOCK),
        ("https://schema.org/InStock", Availability.IN_STOCK),
        ("http://schema.org/OutOfStock", Availability.OUT_OF_STOCK),
        ("out of stock", Availability.OUT_OF_STOCK),
        ("preorder", Availability.PREORDER),
        ("PreOrder", Availability.PREORDER),
        ("pre-order", Availability.PREORDER),
        ("backorder", Availability.BACKORDER),
    ],
)
def test_availability(text: str, availability: Availability) -> None:
    assert parse_availability(text) is availability


@pytest.mark.parametrize("text", ["maybe", "12", "", "https://schema.org/", "instockish"])
def test_unknown_availability(text: str) -> None:
    with pytest.raises(ValueError, match="is no availability"):
        parse_availability(text)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("Apparel & Accessories > Shoes>Boots ", ("Apparel & Accessories", "Shoes", "Boots")),
        ("Shoes", ("Shoes",)),
        (" > ", ()),
        ("", ()),
        (["Apparel", "Shoes"], ("Apparel", "Shoes")),
        (["Apparel > Shoes", "Sale"], ("Apparel", "Shoes")),
    ],
)
def test_category(value: str | list[str], path: tuple[str, ...]) -> None:
    assert parse_category(value) == path
