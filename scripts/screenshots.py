"""Make the pictures of the page that README shows: over the demo shop, in Debian's chromium.

    make demo && .venv/bin/python scripts/screenshots.py

Each is a PNG of at most 256 colours, smaller than 300 kB.
"""

import argparse
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from snapshelf.datasets.demo import DemoShop, StreetPhoto
from snapshelf.service import Settings, create_app
from snapshelf.service.running import server_config
from snapshelf.shelf import Shelf

ROOT = Path(__file__).resolve().parent.parent
MOST_BYTES = 300_000
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
THEME = 'name = "Nook & Row"\nmark = "N"\ntitle = "Find it in our shop"\nlocale = "en-IE"\n'


@contextmanager
def serving(shelf: Path, theme: Path) -> Iterator[str]:
    """Serve a shelf on a free port; gives the address."""
    with Shelf.open(shelf) as opened:
        app = create_app(opened, Settings(theme=theme, requests_per_minute=100_000))
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(app, Settings(), proxies="127.0.0.1"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.05)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def save(page: Page, file: Path, *, scale: float = 1.0) -> None:
    """Take a picture of the page, in few colours."""
    page.wait_for_timeout(900)
    image = Image.open(BytesIO(page.screenshot())).convert("RGB")
    if scale != 1:
        size = (round(image.width * scale), round(image.height * scale))
        image = image.resize(size, Image.Resampling.LANCZOS)
    image.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(file, optimize=True)
    size_kb = file.stat().st_size / 1000
    print(f"{file.relative_to(ROOT)}: {image.width} x {image.height}, {size_kb:.0f} kB")
    if file.stat().st_size > MOST_BYTES:
        sys.exit(f"{file} has more than {MOST_BYTES:,} bytes; make what it shows smaller")


def search(page: Page, photo: StreetPhoto) -> None:
    """Choose a photo."""
    page.set_input_files("#file", photo.picture)
    page.wait_for_selector("#answer-head:visible")
    page.wait_for_selector("#busy", state="hidden")


def draw_boxes(page: Page, photo: StreetPhoto) -> None:
    """Drag a box around each item of a photo."""
    stage = page.locator("#stage").bounding_box()
    width, height = Image.open(photo.picture).size
    assert stage is not None
    for number, item in enumerate(photo.items, start=2):
        x0, y0, x1, y1 = item.box
        margin = 0.01
        for act, x, y in ((page.mouse.down, x0, y0), (page.mouse.up, x1, y1)):
            shares = (
                min(max(x / width, margin), 1 - margin),
                min(max(y / height, margin), 1 - margin),
            )
            page.mouse.move(
                stage["x"] + shares[0] * stage["width"],
                stage["y"] + shares[1] * stage["height"],
                steps=5,
            )
            act()
        page.wait_for_selector(f"#stage .box:nth-of-type({number})")
        page.wait_for_selector("#busy", state="hidden")


def shoot(browser: Browser, address: str, shop: DemoShop, out: Path) -> None:
    """Take all pictures."""
    single = next(p for p in shop.photos() if len(p.items) == 1 and p.difficulty == "easy")
    several = next(
        p
        for p in shop.photos()
        if len(p.items) == 3 and p.difficulty == "easy" and p.scene == "supermarket"
    )

    def opened(**options: object) -> Page:
        page = browser.new_page(base_url=address, **options)
        page.goto("/")
        page.locator("#examples").wait_for()
        return page

    page = opened(**DESKTOP)
    save(page, out / "page-start.png")
    search(page, several)
    draw_boxes(page, several)
    page.locator("#chips .chip").nth(1).click()
    page.mouse.move(0, 0)
    save(page, out / "page-desktop.png")
    page.locator("#matches .cover").first.click()
    page.locator("#detail svg.drawing").wait_for()
    page.locator("#detail-likes").wait_for()
    page.wait_for_timeout(1500)
    save(page, out / "page-why.png")
    page.close()

    for name, look in (("page-phone", "light"), ("page-dark", "dark")):
        page = opened(**PHONE, color_scheme=look)
        search(page, single)
        save(page, out / f"{name}.png", scale=0.75)
        page.close()


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--demo", type=Path, default=Path("demo"), help="as `snapshelf demo` made it"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "images")
    given = parser.parse_args()
    shelves = sorted(given.demo.glob("shelf-*"))
    if not shelves:
        sys.exit(f"{given.demo} holds no shelf; run `snapshelf demo --folder {given.demo}` first")
    chromium = subprocess.run(
        [str(ROOT / "scripts" / "chromium.sh")], check=True, capture_output=True, text=True
    ).stdout.strip()
    given.out.mkdir(parents=True, exist_ok=True)
    theme = given.demo / "theme.toml"
    theme.write_text(THEME, encoding="utf-8")
    with serving(shelves[-1], theme) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        shoot(browser, address, DemoShop(given.demo / "shop"), given.out)
        browser.close()


if __name__ == "__main__":
    main()
