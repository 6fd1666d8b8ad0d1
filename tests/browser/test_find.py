"""The customers' page: from a photo to products, items, boxes, filters, a closer look, links."""

import json
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from browser_parts import beside, jpeg, noise, titles, two_items, upload, wait_for_answer, watched
from PIL import Image
from playwright.sync_api import Page, expect
from service_parts import serving

from snapshelf.datasets.demo import DemoShop, StreetPhoto
from snapshelf.service import Settings


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def title_of(shop: DemoShop, photo: StreetPhoto) -> str:
    wanted = photo.items[0].product_id
    return next(each.title for each in shop.products() if each.id == wanted)


def drag(page: Page, box: tuple[float, float, float, float]) -> None:
    """Drag a box over the picture, given in shares of it."""
    frame = page.locator("#stage").bounding_box()
    assert frame is not None
    x0, y0, x1, y1 = (
        frame["x" if n % 2 == 0 else "y"] + share * frame["width" if n % 2 == 0 else "height"]
        for n, share in enumerate(box)
    )
    page.mouse.move(x0, y0)
    page.mouse.down()
    page.mouse.move((x0 + x1) / 2, (y0 + y1) / 2, steps=4)
    page.mouse.move(x1, y1, steps=4)
    page.mouse.up()


def test_a_photo_leads_to_its_product(open_page, shop, photos):
    page = open_page()
    expect(page.get_by_role("heading", level=1)).to_have_text("Find it in our shop")
    expect(page.locator("#examples-list li")).not_to_have_count(0)
    upload(page, photos[0].picture)
    wait_for_answer(page)
    title = title_of(shop, photos[0])
    first = page.locator("#matches .card").first
    expect(first.get_by_role("button", name=title)).to_be_visible()
    expect(first).to_contain_text("Best match")
    expect(first.locator(".sure")).to_contain_text(re.compile(r"[A-Z][a-z]+.*\d+%", re.DOTALL))
    expect(page.locator("#item-tag")).to_have_text("In our shop")
    expect(page.locator("#said")).to_contain_text(f"Best match: {title}")
    # The shop's price, as the shop's locale writes it.
    expect(first.locator(".price")).to_contain_text("€")


def test_what_is_not_sold_is_said_not_to_be(open_page):
    page = open_page()
    upload(page, noise())
    wait_for_answer(page)
    expect(page.locator("#item-tag")).to_have_text("Not in this shop")
    # One thing is said, and the products below are told to be no more than alike.
    expect(page.locator("#item-note")).to_have_text("These of our products look most like it.")
    expect(page.get_by_text("Best match", exact=True)).to_have_count(0)


@pytest.mark.parametrize(
    ("size", "told"), [((1, 1), "This photo is very small"), ((700, 500), "all one colour")]
)
def test_a_picture_of_nothing_is_searched_with_a_hint(open_page, size, told):
    page = open_page()
    with page.expect_response("**/v1/search"):
        upload(page, jpeg(Image.new("RGB", size, "maroon")))
    wait_for_answer(page)
    expect(page.locator("#item-note")).to_contain_text(told)
    expect(page.locator("#said")).to_contain_text(told)
    expect(page.locator("#item-title")).to_have_text("Nothing to recognise")
    expect(page.locator("#item-tag")).to_be_hidden()
    expect(page.locator("#matches .sure")).to_have_count(0)
    expect(page.get_by_text("Best match", exact=True)).to_have_count(0)
    expect(page.locator("#matches .card")).not_to_have_count(0)


def test_several_items_are_drawn_where_they_are_and_can_be_chosen(open_page, shop, photos):
    page = open_page(viewport={"width": 1100, "height": 800})
    upload(page, beside(photos[0].picture, photos[1].picture), "two.jpg")
    wait_for_answer(page)
    boxes = page.locator("#stage .box")
    expect(boxes).to_have_count(2)
    stage, right = page.locator("#stage").bounding_box(), boxes.nth(1).bounding_box()
    assert right["x"] == pytest.approx(stage["x"] + stage["width"] / 2, abs=1.5)
    assert right["width"] == pytest.approx(stage["width"] / 2, abs=1.5)
    assert right["height"] == pytest.approx(stage["height"], abs=1.5)
    expect(boxes.nth(0)).to_have_attribute("aria-pressed", "true")
    one = titles(page)
    boxes.nth(1).click()
    expect(boxes.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#item-title")).to_have_text("2. right")
    assert titles(page) != one
    chips = page.locator("#chips .chip")
    expect(chips).to_have_count(2)
    chips.nth(0).click()
    expect(boxes.nth(0)).to_have_attribute("aria-pressed", "true")
    assert titles(page) == one
    # The boxes stay on their items when the window is another.
    page.set_viewport_size({"width": 480, "height": 900})
    stage, right = page.locator("#stage").bounding_box(), boxes.nth(1).bounding_box()
    assert right["x"] == pytest.approx(stage["x"] + stage["width"] / 2, abs=1.5)


def test_a_box_of_ones_own_is_searched(open_page, photos):
    page = open_page(viewport={"width": 1100, "height": 800})
    upload(page, photos[0].picture)
    wait_for_answer(page)
    with page.expect_response("**/v1/search") as answered:
        drag(page, (0.2, 0.25, 0.8, 0.75))
    (item,) = answered.value.json()["items"]
    width, height = page.locator("#photo-image").evaluate(
        "image => [image.naturalWidth, image.naturalHeight]"
    )
    wanted = [0.2 * width, 0.25 * height, 0.8 * width, 0.75 * height]
    assert item["item"]["box"] == pytest.approx(wanted, abs=4)
    wait_for_answer(page)
    expect(page.locator("#item-title")).to_have_text("Box 2")
    drag(page, (0.1, 0.1, 0.5, 0.5))
    wait_for_answer(page)
    expect(page.locator("#item-title")).to_have_text("Box 3")
    page.get_by_role("button", name="Remove this box").click()
    expect(page.locator("#stage .box")).to_have_count(2)


def test_filters_narrow_what_is_found(open_page, shop, photos):
    page = open_page()
    upload(page, photos[0].picture)
    wait_for_answer(page)
    product = next(p for p in shop.products() if p.id == photos[0].items[0].product_id)
    other = next(p for p in shop.products() if p.category[0] != product.category[0])
    page.locator("#filters-open").click()
    with page.expect_response("**/v1/search"):
        page.get_by_label("Category").select_option(other.category[0])
    wait_for_answer(page)
    among = {p.title for p in shop.products() if p.category[0] == other.category[0]}
    assert set(titles(page)) == among
    assert "category=" in page.url
    with page.expect_response("**/v1/search"):
        page.locator("#filters-clear").click()
    wait_for_answer(page)
    assert titles(page)[0] == product.title

    with page.expect_response("**/v1/search"):
        page.get_by_label(product.brand, exact=False).first.check()
    wait_for_answer(page)
    brands = {p.title for p in shop.products() if p.brand == product.brand}
    assert set(titles(page)) == brands
    with page.expect_response("**/v1/search"):
        page.locator("#most").fill(str(product.price.amount))
    wait_for_answer(page)
    assert set(titles(page)) == {
        p.title
        for p in shop.products()
        if p.brand == product.brand and p.price and p.price.amount <= product.price.amount
    }
    expect(page.locator("#filters-count")).to_have_text("2")


def test_a_closer_look_shows_why(open_page, shop, photos):
    page = open_page()
    upload(page, photos[0].picture)
    wait_for_answer(page)
    opener = page.locator("#matches .cover").first
    with page.expect_request("**/v1/events") as told:
        opener.click()
    assert told.value.post_data_json["type"] == "click"
    assert told.value.post_data_json["product_id"] == photos[0].items[0].product_id
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", level=2)).to_have_text(title_of(shop, photos[0]))
    drawing = dialog.locator("svg.drawing")
    expect(drawing).to_be_visible()
    lines = drawing.locator("line.join")
    assert 4 <= lines.count() <= 60
    frame = drawing.evaluate(
        "svg => [...svg.querySelectorAll('circle')]"
        ".map(each => [each.cx.baseVal.value, each.cy.baseVal.value])"
    )
    height = drawing.evaluate("svg => svg.viewBox.baseVal.height")
    assert all(0 <= x <= 1000 and 0 <= y <= height for x, y in frame)
    # Each line goes from the left picture to the right one.
    assert all(x < 475 for x, _ in frame[::2])
    assert all(x > 525 for x, _ in frame[1::2])
    expect(dialog.get_by_role("heading", name="Why we found it")).to_be_visible()
    expect(dialog.locator("#detail-strip li")).not_to_have_count(0)
    shown = dialog.locator("#detail-title").inner_text()
    page.keyboard.press("ArrowRight")
    expect(dialog.locator("#detail-place")).to_have_text(re.compile("^2 of"))
    assert dialog.locator("#detail-title").inner_text() != shown
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def test_a_wrong_match_is_told_and_remembered(open_page, photos):
    page = open_page()
    upload(page, photos[0].picture)
    wait_for_answer(page)
    page.locator("#matches .cover").first.click()
    # The answer to the event of the click before may come as late.
    with page.expect_response(
        lambda each: (
            each.url.endswith("/v1/events") and each.request.post_data_json["type"] == "wrong_match"
        )
    ) as told:
        page.get_by_role("button", name="Not this one").click()
        expect(page.locator("#toasts")).to_contain_text("Thank you")
    assert told.value.status == 200
    page.keyboard.press("Escape")
    expect(page.locator("#matches .card").first).to_contain_text("Not this one")


def test_links_show_the_same_again(open_page, photos, shop):
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    upload(page, photos[0].picture)
    wait_for_answer(page)
    assert "kept" not in page.url
    drag(page, (0.2, 0.25, 0.8, 0.75))
    wait_for_answer(page)
    expect(page.locator("#item-title")).to_have_text("Box 2")
    found = titles(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#toasts")).to_contain_text("kept for 30 days")
    link = page.evaluate("navigator.clipboard.readText()")
    assert "kept=" in link
    again = open_page(link)
    wait_for_answer(again)
    expect(again.locator("#item-title")).to_have_text("Box 2")
    # The kept picture is compressed anew, so what is far down the list may stand otherwise.
    assert titles(again)[:3] == found[:3]

    like = open_page(f"/?like={shop.products()[0].id}")
    wait_for_answer(like)
    expect(like.locator("#item-title")).to_have_text("Looks like it")
    expect(like.locator("#product-shown")).to_contain_text(shop.products()[0].title)
    assert shop.products()[0].title not in titles(like)


def test_a_link_that_has_ended_says_so(open_page):
    page = open_page("about:blank")
    page.expected.append("404")
    page.goto(f"/?kept={'0' * 32}")
    wait_for_answer(page)
    expect(page.locator("#trouble-text")).to_contain_text("kept no more")


def test_a_link_by_address_shows_the_picture_that_lies_there(browser, built, photos, tmp_path):
    folder = photos[0].picture.parent
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as web:
        Thread(target=web.serve_forever, daemon=True).start()
        far = f"http://127.0.0.1:{web.server_port}/{photos[0].picture.name}"
        settings = Settings(
            fetch_urls=True,
            allow_private=True,
            events=tmp_path / "events.jsonl",
            requests_per_minute=100_000,
        )
        # What is watched is that the browser itself asks the service only.
        with (
            serving(built[0], settings, two_items()) as client,
            watched(browser, str(client.base_url).rstrip("/")) as page,
        ):
            page.goto(f"/?url={quote(far, safe='')}&brand=none")
            wait_for_answer(page)
            expect(page.locator("#item-note")).to_contain_text("Try other filters")
            page.goto(f"/?url={quote(far, safe='')}")
            wait_for_answer(page)
            expect(page.locator("#item-tag")).to_have_text("In our shop")
            expect(page.locator("#photo-image")).to_be_visible()
            assert quote(far, safe="") in page.url
        web.shutdown()


def test_a_link_by_address_is_refused_where_nothing_is_fetched(open_page):
    page = open_page("about:blank")
    page.expected.append("403")
    page.goto("/?url=https%3A%2F%2Fshop.example%2F1.jpg")
    wait_for_answer(page)
    expect(page.locator("#trouble-text")).to_contain_text("fetches no photos")


def test_a_large_photo_is_made_smaller_before_it_is_sent(open_page, photos, tmp_path: Path):
    large = tmp_path / "large.jpg"
    with Image.open(photos[0].picture) as image:
        turned = image.convert("RGB").resize((3200, 2400)).transpose(Image.Transpose.ROTATE_90)
        # As phones write it: on its side, with a note which way is up.
        exif = Image.Exif()
        exif[0x0112] = 6
        turned.save(large, exif=exif)
    page = open_page()
    with page.expect_response("**/v1/search") as answered:
        upload(page, large)
    wait_for_answer(page)
    assert answered.value.json()["size"] == [1600, 1200]
    size = page.locator("#photo-image").evaluate("i => [i.naturalWidth, i.naturalHeight]")
    assert size == [1600, 1200]
    expect(page.locator("#item-tag")).to_have_text("In our shop")


def test_a_photo_can_be_dropped_pasted_and_taken(open_page, photos):
    data = list(photos[0].picture.read_bytes())
    page = open_page(permissions=["camera"])
    give = """([data, kind]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([new Uint8Array(data)], "a.jpg", { type: "image/jpeg" }));
      const name = kind === "drop" ? "dataTransfer" : "clipboardData";
      const Kind = kind === "drop" ? DragEvent : ClipboardEvent;
      document.body.dispatchEvent(
        new Kind(kind, { [name]: transfer, bubbles: true, cancelable: true }));
    }"""
    for kind in ("drop", "paste"):
        page.evaluate(give, [data, kind])
        wait_for_answer(page)
        expect(page.locator("#item-tag")).to_have_text("In our shop")
        page.get_by_role("button", name="New search").click()
        expect(page.locator("#start")).to_be_visible()
    page.get_by_role("button", name="Take a photo").click()
    take = page.get_by_role("button", name="Take the photo")
    expect(take).to_be_enabled()
    take.click()
    wait_for_answer(page)
    expect(page.locator("#photo-image")).to_be_visible()
    assert page.evaluate("document.getElementById('camera-view').srcObject") is None


def test_words_of_the_shop_stay_words(open_page, photos, served):
    """Titles are whatever a feed says; here the answer is made worse than any feed could."""
    evil = "<img src=x onerror=\"document.title='hit'\">"

    def answer(route):
        got = route.fetch()
        body = got.json()
        for match in body["items"][0]["matches"]:
            match["product"] |= {"title": evil, "brand": evil, "url": "javascript:alert(1)"}
            match["evidence"] = {"attributes": {evil: evil}, evil: [evil]}
        body["items"][0]["item"]["label"] = evil
        route.fulfill(response=got, body=json.dumps(body))

    page = open_page()
    page.route("**/v1/search", answer)
    upload(page, photos[0].picture)
    wait_for_answer(page)
    assert titles(page)[0] == evil
    page.locator("#matches .cover").first.click()
    expect(page.locator("#detail-why")).to_contain_text(evil)
    expect(page.get_by_role("link", name="View in the shop")).to_have_count(0)
    assert page.title() != "hit"


@pytest.mark.parametrize("width", [1280, 390])
def test_long_titles_take_a_few_lines_and_are_told_whole(open_page, photos, width):
    long = "Extraordinarily long words of a feed " * 12 + "x" * 60

    def answer(route):
        got = route.fetch()
        body = got.json()
        for match in body["items"][0]["matches"]:
            match["product"] |= {"title": long, "brand": long}
        route.fulfill(response=got, body=json.dumps(body))

    page = open_page(viewport={"width": width, "height": 860})
    page.route("**/v1/search", answer)
    upload(page, photos[0].picture)
    wait_for_answer(page)
    for name in page.locator("#matches .clamp").all()[:6]:
        lines = name.evaluate(
            "each => each.clientHeight / parseFloat(getComputedStyle(each).lineHeight)"
        )
        assert lines == pytest.approx(3, abs=0.1)
        expect(name).to_have_attribute("title", long)
    # What tells how sure it is stands in the window with the title, of the best and of the next.
    for card in page.locator("#matches .card").all()[:2]:
        assert card.bounding_box()["height"] < 560
    opener = page.get_by_role("button", name=long).first
    opener.click()
    title = page.locator("#detail-title")
    expect(title).to_have_text(long)
    assert title.evaluate("each => each.scrollHeight <= each.clientHeight + 1")
    expect(page.locator("#detail-strip .clamp").first).to_be_visible()
    page.keyboard.press("Escape")
    page.unroute("**/v1/search")

    def named(route):
        got = route.fetch()
        route.fulfill(response=got, body=json.dumps({**got.json(), "title": long}))

    page.route(re.compile(r"/v1/products/[^/]+$"), named)
    page.locator("#matches .cover").first.click()
    page.get_by_role("button", name="More like this").click()
    wait_for_answer(page)
    shown = page.locator("#product-shown .clamp")
    expect(shown).to_have_text(long)
    assert shown.bounding_box()["height"] < 90
