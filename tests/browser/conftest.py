"""What the tests in a browser can ask for. Without a chromium they are skipped, and say so."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parents[1] / "service"))

from browser_parts import PATIENCE_MS, build_shop, find_chromium, two_items, watched
from playwright.sync_api import Browser, Page, expect, sync_playwright
from service_parts import serving

from snapshelf.datasets.demo import DemoShop, StreetPhoto
from snapshelf.service import Settings

Open = Callable[..., Page]

expect.set_options(timeout=PATIENCE_MS)


# Of a module, not of the session: until it ends Playwright keeps an event loop running in this
# thread, and tests elsewhere begin loops of their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("needs chromium: scripts/chromium.sh installs it, as `make test` does")
    with sync_playwright() as playwright:
        # Without rights of its own a container has no sandbox for it.
        started = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
            ],
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoShop]:
    """A small shop and its shelf; not to be changed."""
    return build_shop(tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="session")
def shop(built: tuple[Path, DemoShop]) -> DemoShop:
    return built[1]


@pytest.fixture(scope="module")
def served(
    browser: Browser, built: tuple[Path, DemoShop], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a service of the small shop, which keeps pictures for links."""
    folder = tmp_path_factory.mktemp("served")
    settings = Settings(
        requests_per_minute=1_000_000,
        page_requests_per_minute=1_000_000,
        links=folder / "links",
        events=folder / "events.jsonl",
    )
    with serving(built[0], settings, two_items()) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture(scope="module")
def photos(served: str, shop: DemoShop) -> list[StreetPhoto]:
    """Three street photos of one item each, whose product the search finds first."""
    found: list[StreetPhoto] = []
    for photo in shop.photos():
        if photo.difficulty != "easy" or not photo.in_catalogue or len(photo.items) > 1:
            continue
        answer = httpx.post(
            f"{served}/v1/search",
            content=photo.picture.read_bytes(),
            headers={"Content-Type": "image/jpeg"},
            timeout=120,
            trust_env=False,
        ).json()
        (item, *more) = answer["items"]
        first = item["matches"][0]["product"]["id"]
        if not more and item["in_catalogue"] and first == photo.items[0].product_id:
            found.append(photo)
        if len(found) == 3:
            return found
    raise AssertionError("the search finds hardly any product of the demo shop first")


@pytest.fixture
def open_page(browser: Browser, served: str) -> Iterator[Open]:
    """Opens pages of the service; keyword arguments are of the browser's context."""
    with ExitStack() as stack:

        def begin(path: str = "/", **options: object) -> Page:
            page = stack.enter_context(watched(browser, served, **options))
            page.goto(path)
            return page

        yield begin
