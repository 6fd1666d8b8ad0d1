"""The catalogue team's page: the shelf, duplicates, annotations and feeds."""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_parts import PRODUCTS, noise, watched
from playwright.sync_api import Browser, Page, expect
from service_parts import serving

from snapshelf.datasets.demo import DemoShop
from snapshelf.service import Settings
from snapshelf.service.api_keys import add_key

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
CARDS = "#products .card:not(.bone-card)"


@pytest.fixture(scope="module")
def team(
    browser: Browser, built: tuple[Path, DemoShop], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a service with a shelf that may be changed; `client.key` may write."""
    folder = tmp_path_factory.mktemp("team")
    place = shutil.copytree(built[0], folder / "shelf")
    key = add_key(folder / "keys.json", "team", "write", 1_000_000)
    reader = add_key(folder / "keys.json", "reader", "read")
    settings = Settings(keys=folder / "keys.json", page_requests_per_minute=1_000_000)
    with serving(place, settings) as client:
        client.headers["Authorization"] = f"Bearer {key}"
        client.key, client.reader = key, reader
        yield client


@pytest.fixture
def open_team(browser: Browser, team: httpx.Client) -> Iterator[Callable[..., Page]]:
    """Opens the page with a session that may write, at a view."""
    with ExitStack() as stack:

        def begin(view: str = "shelf", **options: object) -> Page:
            base = str(team.base_url).rstrip("/")
            page = stack.enter_context(watched(browser, base, **options))
            page.goto("/team")
            page.get_by_label("Key").fill(team.key)
            page.keyboard.press("Enter")
            page.wait_for_selector(CARDS)
            if view != "shelf":
                page.locator(f".tabs a[href='#{view}']").click()
                page.locator(f"#view-{view}").wait_for()
            return page

        yield begin


def ids(page: Page) -> list[str]:
    return [card.get_attribute("data-id") for card in page.locator(CARDS).all()]


def feed_rows(shop: DemoShop) -> list[dict[str, str]]:
    with (shop.root / "feed.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def as_csv(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    out = csv.DictWriter(text, rows[0])
    out.writeheader()
    out.writerows(rows)
    return text.getvalue().encode()


def send_feed(page: Page, rows: list[dict[str, str]], *, whole: bool = True) -> None:
    file = {"name": "next.csv", "mimeType": "text/csv", "buffer": as_csv(rows)}
    page.set_input_files("#feed-file", file)
    page.locator("[name=whole]").set_checked(whole)
    page.locator("#feed-begin").click()


def test_only_who_may_write_gets_in(browser, team) -> None:
    with watched(browser, str(team.base_url).rstrip("/")) as page:
        page.expected += ["401", "403"]
        page.goto("/team")
        told = page.locator("#gate-told")
        for key, words in (("sk_wrong", "none of the shop's keys"), (team.reader, "only read")):
            page.get_by_label("Key").fill(key)
            page.keyboard.press("Enter")
            expect(told).to_contain_text(words)
        assert page.locator("#team").count() == 0


def test_without_keys_the_page_says_how_to_get_one(open_page) -> None:
    page = open_page("/team")
    expect(page.locator(".gate")).to_contain_text("snapshelf key team")
    assert page.locator("#gate").count() == 0


def test_the_shelf_is_browsed_page_by_page(open_team, team) -> None:
    page = open_team()
    held = team.get("/v1/products?limit=100").json()["products"]
    assert ids(page) == [each["id"] for each in held][:24]
    expect(page.locator("#shelf-count")).to_have_text(f"{len(held)} products")
    page.route(
        "**/v1/products?*",
        lambda route: route.continue_(url=route.request.url.replace("limit=24", "limit=7")),
    )
    page.locator("#browse-category").select_option(index=1)
    page.locator("#browse-category").select_option("")
    expect(page.locator(CARDS)).to_have_count(7)
    page.locator("#browse-next").click()
    expect(page.locator(CARDS)).to_have_count(14)
    assert ids(page) == [each["id"] for each in held][:14]
    # The first of the new ones has the focus, so that who uses keys goes on from there.
    focused = page.evaluate("document.activeElement.closest('.card').dataset.id")
    assert focused == held[7]["id"]


def test_words_and_filters_find_products_and_stay_in_the_address(open_team, team) -> None:
    page = open_team()
    wanted = team.get("/v1/products?limit=100").json()["products"][3]
    page.get_by_label("Look for").fill(wanted["title"].upper())
    expect(page.locator(CARDS)).to_have_count(1)
    assert ids(page) == [wanted["id"]]
    page.reload()
    expect(page.get_by_label("Look for")).to_have_value(wanted["title"].upper())
    expect(page.locator(CARDS)).to_have_count(1)
    page.get_by_label("Look for").fill("no such thing")
    expect(page.locator("#browse-empty")).to_be_visible()
    page.get_by_label("Look for").fill("")
    page.locator("#browse-brand").select_option(wanted["brand"])
    expect(page.locator("#browse-empty")).to_be_hidden()
    same = [
        each["id"]
        for each in team.get("/v1/products?limit=100").json()["products"]
        if each["brand"] == wanted["brand"]
    ]
    expect(page.locator(CARDS)).to_have_count(len(same))
    assert ids(page) == same
    page.expected.append("422")
    page.locator("#browse-more summary").click()
    page.locator("#browse-filter").fill("price<")
    page.keyboard.press("Enter")
    expect(page.locator("#browse-told")).to_contain_text("a value is missing")


def test_a_product_is_looked_at_edited_and_deleted_by_keys_alone(open_team, team) -> None:
    # The second is changed, so that the first stays as the shop has it.
    name = team.get("/v1/products?limit=2").json()["products"][1]["id"]
    body = team.get(f"/v1/products/{name}").json()
    evil = "<img src=x onerror=alert(1)>"
    copy = {"title": evil, "price": "5 EUR", "images": [body["images"][0]["source"]]}
    team.put("/v1/products/AAA", json=copy).raise_for_status()
    page = open_team()
    page.locator(".card[data-id=AAA] .cover").focus()
    page.keyboard.press("Enter")
    sheet = page.locator("#product")
    expect(page.locator("#product-title")).to_have_text(evil)
    # Its look-alikes, the copied one first, side by side with it.
    expect(page.locator("#likes .side")).to_have_count(2)
    expect(page.locator("#likes .side").nth(1)).to_contain_text(name)
    page.locator("#likes .like").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("#likes .like").nth(1)).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#likes .side").nth(1)).not_to_contain_text(name)

    sheet.get_by_role("button", name="Edit").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_be_focused()
    page.expected.append("422")
    page.get_by_label("Price", exact=True).fill("cheap")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-told")).to_contain_text("price")
    page.get_by_label("Attributes").fill("colour")
    page.locator("#edit-save").click()
    expect(page.locator("#edit-told")).to_contain_text("name = value")
    page.get_by_label("Attributes").fill("colour = red = rot")
    page.get_by_label("Price", exact=True).fill("7.50 EUR")
    page.keyboard.press("Enter")
    expect(page.locator("#edit")).to_be_hidden()
    expect(page.locator(".card[data-id=AAA] .price")).to_have_text("€7.50")
    assert team.get("/v1/products/AAA").json()["attributes"] == {"colour": "red = rot"}

    # A button that is replaced between press and release is not clicked.
    expect(sheet.locator(".facts-list")).to_contain_text("€7.50")
    sheet.get_by_role("button", name="Delete").click()
    expect(page.locator("#sure-no")).to_be_focused()
    page.keyboard.press("Escape")
    assert team.get("/v1/products/AAA").status_code == 200
    expect(sheet).to_be_visible()
    sheet.get_by_role("button", name="Delete").click()
    page.locator("#sure-yes").click()
    expect(sheet).to_be_hidden()
    expect(page.locator(".card[data-id=AAA]")).to_have_count(0)
    assert team.get("/v1/products/AAA").status_code == 404


def test_duplicates_stand_side_by_side(open_team, team) -> None:
    first = team.get("/v1/products?limit=1").json()["products"][0]
    copy = {"title": "Entered twice", "images": [first["image"]]}
    team.put("/v1/products/ZZZ", json=copy).raise_for_status()
    page = open_team("duplicates")
    page.locator("#compare-least").select_option("0.99")
    page.get_by_role("button", name="Find duplicates").click()
    group = page.locator(".group")
    expect(group).to_have_count(1)
    expect(group.locator(".tag")).to_have_text("Same picture")
    shown = {card.get_attribute("data-id") for card in group.locator(".card").all()}
    assert shown == {first["id"], "ZZZ"}
    group.get_by_role("button", name="Entered twice").click()
    page.locator("#product").get_by_role("button", name="Delete").click()
    page.locator("#sure-yes").click()
    expect(group).to_have_count(0)
    page.get_by_role("button", name="Find duplicates").click()
    expect(page.locator("#compare-told")).to_contain_text("No two of")


def test_studio_pictures_are_annotated_and_downloaded(open_team, shop: DemoShop) -> None:
    page = open_team("annotate")
    photos = [each.picture for each in list(shop.photos())[:2]]
    files = [
        {"name": path.name, "mimeType": "image/jpeg", "buffer": path.read_bytes()}
        for path in photos
    ]
    files.append({"name": "<b>broken</b>.jpg", "mimeType": "image/jpeg", "buffer": b"no"})
    files.append({"name": "noise.jpg", "mimeType": "image/jpeg", "buffer": noise()})
    page.set_input_files("#annotate-files", files)
    begin = page.locator("#annotate-begin")
    expect(begin).to_have_text("Annotate 4 pictures")
    begin.click()
    expect(page.locator("#annotate-summary")).to_contain_text("4 pictures annotated")
    expect(page.locator("#annotate-summary")).to_contain_text("1 picture could not be read")
    expect(page.locator(".shot")).to_have_count(4)
    expect(page.locator(".shot h3").nth(2)).to_have_text("<b>broken</b>.jpg")
    with page.expect_download() as started:
        page.locator("#annotate-download").click()
    lines = started.value.path().read_text().splitlines()
    told = [json.loads(line) for line in lines]
    assert [each["picture"] for each in told] == [each["name"] for each in files]
    assert [bool(each.get("error")) for each in told] == [False, False, True, False]
    best = told[0]["items"][0]["matches"][0]["product"]
    page.locator(".shot").first.get_by_role("button").first.click()
    expect(page.locator("#product-title")).to_have_text(best["title"])


def test_files_are_cut_into_parts_that_the_service_takes(open_team) -> None:
    page = open_team("annotate")
    script = page.locator("script[src$='team.js']").get_attribute("src")
    cut = page.evaluate(
        """async ([script, sizes, limits]) => {
            const url = new URL(script.replace("team.js", "annotating.js"), location);
            const parts = (await import(url)).cut(sizes.map((size) => ({ size })), limits);
            return parts.map((part) => part.map((file) => file.size));
        }""",
        [script, [5, 5, 1, 20, 1, 1, 1], {"pictures": 2, "bytes": 10}],
    )
    assert cut == [[5, 5], [1], [20], [1, 1], [1]]


def test_a_bad_feed_is_indexed_and_what_is_wrong_told(open_team, team, shop: DemoShop) -> None:
    rows = feed_rows(shop)
    before = [each["id"] for each in team.get("/v1/products?limit=100").json()["products"]]
    bad = [
        rows[0] | {"id": "NEW-1"},
        rows[0] | {"id": "NEW-2", "image_link": "none.jpg", "additional_image_link": ""},
        rows[0] | {"id": "NEW-3", "image_link": "../../etc/passwd", "additional_image_link": ""},
        rows[0] | {"id": "<script>", "image_link": "none.jpg", "additional_image_link": ""},
    ]
    page = open_team("feed")
    send_feed(page, bad, whole=False)
    report = page.locator("#feed-report")
    expect(report).to_contain_text("Indexed, with problems")
    expect(report.locator(".tile").first).to_have_text(re.compile("1"))
    expect(report).to_contain_text("none.jpg: no such file in the feed's folder")
    expect(report).to_contain_text("leads out of the feed's folder")
    expect(report.get_by_role("cell", name="<script>").first).to_be_visible()
    for name, begins in (("CSV", "line,product_id"), ("JSON Lines", '{"line"')):
        with page.expect_download() as started:
            report.get_by_role("link", name=f"Download {name}").click()
        assert started.value.path().read_text().startswith(begins)
    now = [each["id"] for each in team.get("/v1/products?limit=100").json()["products"]]
    assert now == sorted([*before, "NEW-1"])


def test_a_feed_that_would_empty_the_shelf_asks_first(open_team, team, shop: DemoShop) -> None:
    rows = feed_rows(shop)
    page = open_team("feed")
    send_feed(page, rows[:3])
    expect(page.locator("#sure")).to_contain_text("Remove more than half?")
    page.keyboard.press("Escape")
    expect(page.locator("#feed-told")).to_contain_text("Nothing was changed")
    assert team.get("/v1/shelf").json()["counts"]["products"] >= PRODUCTS
    send_feed(page, rows[:3])
    page.locator("#sure-yes").click()
    expect(page.locator("#report-title")).to_have_text("Indexed")
    assert team.get("/v1/shelf").json()["counts"]["products"] == 3
    # The shelf's own feed brings all of it back.
    page.get_by_role("button", name="Read it again").click()
    expect(page.locator("#feed-report .tile").first).to_contain_text(str(PRODUCTS - 3))
    assert team.get("/v1/shelf").json()["counts"]["products"] == PRODUCTS
    page.locator(".tabs a[href='#shelf']").click()
    expect(page.locator(CARDS)).to_have_count(PRODUCTS)


def test_what_is_no_feed_is_told(open_team) -> None:
    page = open_team("feed")
    file = {"name": "a.xlsx", "mimeType": "text/csv", "buffer": b"PK\x03\x04" + bytes(60)}
    page.set_input_files("#feed-file", file)
    page.locator("#feed-begin").click()
    expect(page.locator("#feed-told")).to_contain_text("save it as CSV")


def test_a_session_that_has_ended_is_told(open_team) -> None:
    page = open_team()
    page.expected.append("401")
    page.context.clear_cookies()
    page.get_by_label("Look for").fill("x")
    expect(page.locator("#browse-told")).to_contain_text("session has ended")


def annotated(page: Page) -> None:
    file = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": noise()}
    page.set_input_files("#annotate-files", [file, file | {"buffer": b"no"}])
    page.locator("#annotate-begin").click()
    page.locator("#annotate-result").wait_for()


def reported(page: Page) -> None:
    rows = [{"id": "X", "image_link": "none.jpg", "title": "x", "price": "1 EUR"}]
    send_feed(page, rows, whole=False)
    page.locator("#feed-report table").first.wait_for()


def compared(page: Page) -> None:
    page.locator("#compare-least").select_option("0.8")
    page.get_by_role("button", name="Find duplicates").click()
    page.locator("#compare-told:not(:empty)").wait_for()


def looked_at(page: Page) -> None:
    page.locator(CARDS).first.locator(".cover").click()
    page.locator("#likes .side").first.wait_for()


def edited(page: Page) -> None:
    looked_at(page)
    page.locator("#product").get_by_role("button", name="Edit").click()


STATES = {
    "shelf": ("shelf", lambda page: None),
    "product": ("shelf", looked_at),
    "edit": ("shelf", edited),
    "duplicates": ("duplicates", compared),
    "annotate": ("annotate", annotated),
    "feed": ("feed", reported),
}


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_serious(open_team, look) -> None:
    options = {"color_scheme": look, "reduced_motion": "reduce", "bypass_csp": True}
    page = open_team(**options, **(PHONE if look == "dark" else {}))
    for name, (view, act) in STATES.items():
        page.locator(f".tabs a[href='#{view}']").click()
        act(page)
        page.wait_for_timeout(300)
        report = Axe().run(page)
        serious = [
            (each["id"], [node["html"][:160] for node in each["nodes"][:3]])
            for each in report.response["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert not serious, (name, serious)
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} is wider than the screen"
        while page.locator("dialog[open]").count():
            page.keyboard.press("Escape")
