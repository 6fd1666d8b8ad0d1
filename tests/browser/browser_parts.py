"""What the tests in a browser share: a small shop, pictures, and pages that are watched."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

from snapshelf.catalog import Catalog
from snapshelf.datasets.demo import DemoShop, write_demo_shop
from snapshelf.locating.region import Region
from snapshelf.media.picture import RGB
from snapshelf.shelf import Shelf
from snapshelf.systems import System

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = 14
PATIENCE_MS = 120_000
"""A machine that is busy with other things is slow, not wrong."""


class Halves:
    """Takes wide pictures for two items beside each other, and all others for one.

    Shelves of whole pictures fit it: no picture of a shop's product is so wide.
    """

    fingerprint = "whole-picture"

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        height, width = (float(side) for side in picture.shape[:2])
        if width < 1.7 * height:
            return (Region((0.0, 0.0, width, height)),)
        return (
            Region((0.0, 0.0, width / 2, height), label="left"),
            Region((width / 2, 0.0, width, height), label="right"),
        )

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        return self.locate(picture)


def find_chromium() -> str | None:
    """The path of a chromium that runs, None if there is none."""
    found = subprocess.run(
        [str(ROOT / "scripts" / "chromium.sh"), "--find"],
        capture_output=True,
        text=True,
        check=False,
        env=dict(os.environ),
    )
    return found.stdout.strip() or None


def build_shop(folder: Path) -> tuple[Path, DemoShop]:
    """Draw a small shop and index it; gives the shelf's folder and the shop."""
    shop = write_demo_shop(folder / "shop", products=PRODUCTS, seed=7, workers=1)
    place = folder / "shelf"
    Shelf.build(Catalog.open(shop.root / "feed.csv"), place, System.load("standard")).close()
    return place, shop


def two_items() -> System:
    """The system of the shop, which finds two items in wide pictures."""
    return replace(System.load("standard"), locator=Halves())


def jpeg(image: Image.Image) -> bytes:
    stream = BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def beside(one: Path, other: Path, side: int = 420) -> bytes:
    """Two pictures beside each other, for `Halves`."""
    wide = Image.new("RGB", (2 * side, side))
    for place, file in enumerate((one, other)):
        with Image.open(file) as image:
            wide.paste(image.convert("RGB").resize((side, side)), (place * side, 0))
    return jpeg(wide)


def noise(side: int = 300) -> bytes:
    """A picture of nothing that a shop sells."""
    pixels = np.random.default_rng(5).integers(0, 256, (side, side, 3), np.uint8)
    return jpeg(Image.fromarray(pixels))


@contextmanager
def watched(browser: Browser, base_url: str, **options: Any) -> Iterator[Page]:
    """Open a page that may say nothing on its console, raise nothing, and ask no other host."""
    context = browser.new_context(base_url=base_url, **options)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    said: list[str] = []
    page.expected = []  # type: ignore[attr-defined]
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"raised {error}"))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((base_url, "blob:", "data:"))
            else said.append(f"asked {request.url}")
        ),
    )
    try:
        yield page
    finally:
        context.close()
    unexpected = [
        each
        for each in said
        if not any(part in each for part in page.expected)  # type: ignore[attr-defined]
    ]
    assert not unexpected, unexpected


def upload(page: Page, data: bytes | Path, name: str = "street.jpg") -> None:
    """Choose a file, as a customer does."""
    kind = "video/mp4" if name.endswith(".mp4") else "image/jpeg"
    if isinstance(data, Path):
        data = data.read_bytes()
    page.set_input_files("#file", {"name": name, "mimeType": kind, "buffer": data})


def wait_for_answer(page: Page) -> None:
    """Wait until the results are there, or the trouble is."""
    page.wait_for_selector("#answer-head:visible, #trouble:visible")
    page.wait_for_selector("#busy", state="hidden")


def titles(page: Page) -> list[str]:
    return page.locator("#matches .cover").all_inner_texts()
