"""The search as an element in a shop's page, which is of another origin and has a strict policy."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_parts import beside, noise, two_items
from playwright.sync_api import Browser, Locator, Page, expect
from service_parts import serving

from snapshelf.service import Settings
from snapshelf.service.api_keys import add_key

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


class Shop:
    """A shop's page at an origin of its own.

    Attributes:
        origin: Where it is.
        page: What it shows.
        policy: Its content security policy.
    """

    def __init__(self) -> None:
        self.page = self.policy = ""
        own = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", own.policy)
                self.end_headers()
                self.wfile.write(own.page.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def embed(self, service: str, key: str, attributes: str = "") -> None:
        self.policy = (
            f"default-src 'none'; script-src {service}; connect-src {service}; "
            f"img-src {service} blob:; style-src 'none'; require-trusted-types-for 'script'"
        )
        self.page = (
            '<!doctype html><html lang="de"><title>Shop</title>'
            '<meta name="viewport" content="width=device-width"><main><h1>A shop</h1>'
            f'<script type="module" src="{service}/embed.js" data-key="{key}"></script>'
            f"<snapshelf-search {attributes}></snapshelf-search></main></html>"
        )


@pytest.fixture(scope="module")
def shops() -> Iterator[tuple[Shop, Shop]]:
    """Two shops; the key is for pages of the first."""
    both = (Shop(), Shop())
    yield both
    for each in both:
        each.server.shutdown()
        each.server.server_close()


@pytest.fixture(scope="module")
def service(browser: Browser, built, shops, tmp_path_factory) -> Iterator[tuple[str, str, Path]]:
    """The address of a service, the key of the first shop's page, and the file of events."""
    folder = tmp_path_factory.mktemp("embed")
    key = add_key(folder / "keys.json", "page", "read", 1_000_000, [shops[0].origin])
    settings = Settings(
        keys=folder / "keys.json",
        events=folder / "events.jsonl",
        page_requests_per_minute=1_000_000,
    )
    with serving(built[0], settings, two_items()) as client:
        yield str(client.base_url).rstrip("/"), key, folder / "events.jsonl"


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a shop's page; what it says on its console is in `page.said`."""
    with ExitStack() as stack:

        def begin(shop: Shop, **options: object) -> Page:
            context = browser.new_context(**options)
            stack.callback(context.close)
            context.set_default_timeout(30_000)
            page = context.new_page()
            page.said = []
            page.on("console", lambda message: page.said.append(message.text))
            page.on("pageerror", lambda error: page.said.append(str(error)))
            page.goto(shop.origin)
            return page

        yield begin


def search(page: Page, data: bytes, label: str = "Search by photo") -> Locator:
    page.get_by_role("button", name=label).click()
    picture = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": data}
    page.locator("snapshelf-search input[type=file]").first.set_input_files(picture)
    return page.locator("snapshelf-search")


def test_a_customer_finds_a_product_in_the_shops_page(visit, shops, service, shop) -> None:
    address, key, events = service
    shops[0].embed(address, key)
    page = visit(shops[0])
    photos = [each.picture for each in shop.photos()][:2]
    element = search(page, beside(*photos))
    cards = element.locator(".card")
    expect(cards).to_have_count(12)
    # Pictures of the service load in the other origin's page.
    shown = cards.first.locator("img")
    page.wait_for_function("image => image.naturalWidth > 0", arg=shown.element_handle())
    expect(element.locator(".photo .box")).to_have_count(2)
    element.locator(".photo .box").nth(1).click()
    expect(element.locator(".photo .box").nth(1)).to_have_attribute("aria-pressed", "true")
    second = cards.first.locator(".cover")
    assert second.get_attribute("href").startswith("https://shop.example/")
    page.evaluate(
        """() => addEventListener("snapshelf-open", (event) => {
            event.preventDefault();
            window.opened = event.detail;
        })"""
    )
    with page.expect_response("**/v1/events"):
        second.click()
    opened = page.evaluate("window.opened")
    assert opened["product"]["title"] == second.inner_text()
    assert page.url.startswith(shops[0].origin)
    (event,) = [json.loads(line) for line in events.read_text().splitlines()]
    assert (event["type"], event["item"], event["rank"]) == ("click", 1, 1)
    assert event["product_id"] == opened["product"]["id"]
    assert event["key"] == "page"
    assert page.said == []


def test_the_key_opens_nothing_in_another_shops_page(visit, shops, service) -> None:
    address, key, _ = service
    shops[1].embed(address, key)
    page = visit(shops[1])
    element = search(page, noise())
    alert = element.get_by_role("alert")
    expect(alert).to_be_visible()
    assert element.locator(".card").count() == 0
    assert any("CORS" in each for each in page.said)


def test_it_is_used_by_keys_and_named_and_coloured_by_the_shop(visit, shops, service) -> None:
    address, key, _ = service
    shops[0].embed(address, key, 'label="Per Foto suchen" heading="Suche" top="3"')
    page = visit(shops[0])
    page.locator("snapshelf-search").evaluate(
        "element => element.style.setProperty('--snapshelf-accent', '#7a1f5c')"
    )
    button = page.get_by_role("button", name="Per Foto suchen")
    expect(button).to_have_css("background-color", "rgb(122, 31, 92)")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Suche")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    element = search(page, noise(), "Per Foto suchen")
    expect(element.locator(".card")).to_have_count(3)
    element.get_by_role("button", name="Another photo").click()
    expect(element.get_by_role("button", name="Choose a photo")).to_be_focused()
    picture = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff no picture"}
    element.locator("input[type=file]").first.set_input_files(picture)
    expect(element.get_by_role("alert")).to_contain_text("JPEG")


@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, shops, service, look) -> None:
    address, key, _ = service
    shops[0].embed(address, key, 'style="color-scheme: light dark"')
    shops[0].policy = ""
    page = visit(shops[0], color_scheme=look, reduced_motion="reduce", **PHONE)
    page.wait_for_function("!!customElements.get('snapshelf-search')")
    reports = [Axe().run(page)]
    element = search(page, noise())
    expect(element.locator(".card").first).to_be_visible()
    reports.append(Axe().run(page))
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for report in reports:
        serious = [
            (each["id"], [node["html"][:160] for node in each["nodes"][:3]])
            for each in report.response["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert not serious
