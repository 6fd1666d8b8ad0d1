"""The page's modules by themselves, compared with what the service's own code makes of the same."""

from io import BytesIO

import pillow_heif
import pytest
from browser_parts import upload, wait_for_answer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Page, expect

from snapshelf.pages.matched_points import draw_points
from snapshelf.store import parse_filter


@pytest.fixture(scope="module")
def page(browser, served) -> Page:
    opened = browser.new_page(base_url=served)
    opened.goto("/")
    opened.locator("#choose").wait_for()
    yield opened
    opened.close()


def call(page: Page, module: str, expression: str, *given: object):
    """Give what an expression over a module `m` and arguments `a` is."""
    return page.evaluate(
        f"(a) => import('/static/{module}').then((m) => {expression})", list(given)
    )


QUICK = {
    "max_examples": 40,
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
}
NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12).filter(
    lambda name: name.strip() == name
)


@settings(**QUICK)
@given(
    category=st.one_of(st.just(""), NAMES),
    brands=st.lists(NAMES, max_size=4),
    least=st.one_of(st.none(), st.integers(0, 10**6)),
    most=st.one_of(st.none(), st.integers(0, 10**6)),
    currency=st.sampled_from(["", "EUR"]),
)
def test_the_service_reads_filters_as_they_were_meant(
    page, category, brands, least, most, currency
):
    chosen = {
        "category": category,
        "brands": brands,
        "least": least,
        "most": most,
        "currency": currency,
    }
    text = call(page, "filter_text.js", "m.filterText(a[0])", chosen)
    wanted = []
    if category:
        wanted.append(("category", "=", (category,), ""))
    if brands:
        wanted.append(("brand", "=", tuple(brands), ""))
    for amount, sign in ((least, ">="), (most, "<=")):
        if amount is not None:
            wanted.append(("price", sign, (str(amount),), currency))
    if not wanted:
        assert text == ""
        return
    read = parse_filter(text).conditions
    assert [(c.field, c.operator, c.values, c.currency) for c in read] == wanted
    again = call(
        page,
        "filter_text.js",
        "(() => { const q = new URLSearchParams(); m.writeFilters(q, a[0]); "
        "return m.readFilters(new URLSearchParams(q.toString())); })()",
        chosen,
    )
    if least is None and most is None:
        chosen["currency"] = ""
    assert again == chosen


@settings(**QUICK)
@given(
    query=st.tuples(st.integers(20, 900), st.integers(20, 900)),
    product=st.tuples(st.integers(20, 900), st.integers(20, 900)),
    corners=st.tuples(*(st.floats(0, 1) for _ in range(4))),
    points=st.lists(st.tuples(*(st.floats(-5, 900) for _ in range(4))), max_size=70),
)
def test_points_are_drawn_where_the_report_draws_them(page, query, product, corners, points):
    """`matched_points.py` is the reference; both put a picture into a square of its side."""
    x = sorted((corners[0] * query[0], corners[2] * query[0]))
    y = sorted((corners[1] * query[1], corners[3] * query[1]))
    if x[1] - x[0] < 2 or y[1] - y[0] < 2:
        return
    item = (x[0], y[0], x[1], y[1])
    wanted = draw_points(
        {"points": [list(each) for each in points]},
        item=item,
        query=query,
        image=None,
        product=product,
    )
    got = call(
        page,
        "matched.js",
        "[...m.compared({url: '', size: a[0], box: a[1]}, {url: '', size: a[2], box: null}, "
        "{points: a[3]}).drawing.querySelectorAll('line.join')].map((l) => "
        "[l.x1, l.y1, l.x2, l.y2].map((v) => v.baseVal.value))",
        list(query),
        list(item),
        list(product),
        [list(each) for each in points],
    )
    lines = [] if wanted is None else [[e.x1, e.y1, e.x2, e.y2] for e in wanted.lines]
    assert len(got) == len(lines)
    for line, own in zip(got, lines, strict=True):
        assert line == pytest.approx(own, abs=0.06)


@pytest.mark.parametrize(
    ("price", "locale", "currency", "shown"),
    [
        ("49.90 EUR", "de-AT", "", "€\u00a049,90"),
        ("49.90 EUR", "en", "USD", "€49.90"),
        ("1249.5", "en", "USD", "$1,249.50"),
        ("5", "en", "", "5.00"),
        ("5 XYZW", "en", "", "5 XYZW"),
        ("free", "en", "", "free"),
        (None, "en", "", ""),
    ],
)
def test_prices_are_written_as_the_shop_writes_them(page, price, locale, currency, shown):
    assert call(page, "words.js", "m.priceText(a[0], a[1], a[2])", price, locale, currency) == shown


@pytest.mark.parametrize(
    ("share", "shown", "word"),
    [
        (1.0, "100%", "Almost certain"),
        (0.999, "99%", "Almost certain"),
        (0.7, "70%", "Very likely"),
        (0.1, "10%", "Possible"),
        (0.09, "9%", "Unlikely"),
        (0.01, "1%", "Unlikely"),
        (0.002, "< 1%", "Very unlikely"),
        (0.0, "< 1%", "Very unlikely"),
    ],
)
def test_confidence_is_said_in_words(page, share, shown, word):
    assert call(page, "words.js", "[m.percentText(a[0], 'en'), m.sureText(a[0])]", share) == [
        shown,
        word,
    ]


SHADED = Image.linear_gradient("L").convert("RGB")
SPECK = Image.new("RGB", (1200, 900), "white")
SPECK.paste((225, 225, 225), (500, 400, 530, 430))


@pytest.mark.parametrize(
    ("image", "tiny", "blank"),
    [
        (Image.new("RGB", (1, 1), "red"), True, True),
        (SHADED.resize((40, 63)), True, False),
        (SHADED.resize((64, 20)), False, False),
        (Image.new("RGB", (900, 700), (12, 80, 40)), False, True),
        (Image.new("RGBA", (300, 300), (0, 0, 0, 0)), False, True),
        (Image.effect_noise((400, 300), 60).convert("RGB"), False, False),
        # A pale thing on white is one.
        (SPECK, False, False),
    ],
)
def test_pictures_that_show_nothing_are_told_from_those_that_do(page, image, tiny, blank):
    stream = BytesIO()
    image.save(stream, "PNG")
    seen = call(
        page,
        "sight.js",
        "createImageBitmap(new Blob([new Uint8Array(a[0])])).then(m.sightOf)",
        list(stream.getvalue()),
    )
    assert seen == {"isTiny": tiny, "isBlank": blank}


@settings(**QUICK)
@given(
    corners=st.tuples(*(st.floats(-500, 1500) for _ in range(4))),
    move=st.tuples(st.floats(-2000, 2000), st.floats(-2000, 2000)),
)
def test_boxes_stay_in_the_picture(page, corners, move):
    size = {"width": 640, "height": 480}
    box, shifted, grown = call(
        page,
        "boxes.js",
        "(() => { const b = m.ordered(a[0], a[2]); "
        "return [b, m.moved(b, ...a[1], a[2]), m.sized(b, ...a[1], a[2])]; })()",
        list(corners),
        list(move),
        size,
    )
    for x0, y0, x1, y1 in (box, shifted):
        assert 0 <= x0 <= x1 <= 640.0001
        assert 0 <= y0 <= y1 <= 480.0001
    assert shifted[2] - shifted[0] == pytest.approx(box[2] - box[0])
    assert grown[:2] == box[:2]
    assert grown[2] <= 640
    assert grown[3] <= 480


def test_pictures_that_the_browser_cannot_show_are_shown(open_page, photos):
    """HEIC, as phones make it: the service turns it into what every browser shows."""
    with Image.open(photos[0].picture) as image:
        stream = BytesIO()
        pillow_heif.from_pillow(image.convert("RGB")).save(stream, quality=90)
        size = list(image.size)
    page = open_page()
    with page.expect_response("**/v1/upright") as turned:
        upload(page, stream.getvalue(), "IMG_1.heic")
    assert turned.value.status == 200
    wait_for_answer(page)
    expect(page.locator("#item-tag")).to_have_text("In our shop")
    shown = page.locator("#photo-image").evaluate("i => [i.naturalWidth, i.naturalHeight]")
    assert shown == size
