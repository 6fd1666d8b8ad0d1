"""A small encoder, locators, pictures and feeds for testing a shelf."""

import json
import os
import threading
import time
from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from snapshelf.catalog import Entry, Price, Problem, Product
from snapshelf.features.encoder import Domain
from snapshelf.locating import Region, WholePicture
from snapshelf.matching import Candidate, Reranked
from snapshelf.media.source import PictureSource
from snapshelf.shelf import UpdateReport
from snapshelf.shelf.update import update_shelf
from snapshelf.store import EmbeddedStore
from snapshelf.systems import System

SIDE = 4
DIMENSION = SIDE * SIDE * 3


class FakeEncoder:
    """Embeds a picture as its 4 x 4 pixels, and notes every picture that it embeds.

    Args:
        log: A file to which a line is added for each picture, to count across processes.
        seconds: How long a picture takes.
    """

    dimension = DIMENSION

    def __init__(
        self, *, log: Path | None = None, seconds: float = 0.0, fingerprint: str = "fake"
    ) -> None:
        self.fingerprint = fingerprint
        self.embedded = 0
        self.domains: set[Domain] = set()
        self._log = log
        self._seconds = seconds
        self._lock = threading.Lock()

    def prepare(self, picture: np.ndarray, domain: Domain) -> np.ndarray:
        return np.asarray(Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX))

    def encode(self, inputs: np.ndarray, domain: Domain) -> np.ndarray:
        with self._lock:
            self.embedded += len(inputs)
            self.domains.add(domain)
        if self._log is not None:
            line = b"".join(one.tobytes().hex().encode() + b"\n" for one in inputs)
            handle = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(handle, line)
            os.close(handle)
        time.sleep(self._seconds * len(inputs))
        return embed(inputs)


def embed(inputs: np.ndarray) -> np.ndarray:
    flat = inputs.reshape(len(inputs), -1).astype(np.float32) - 127.3
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


class Halves:
    """Takes the left and the right half of a picture for items."""

    fingerprint = "halves"

    def locate(self, picture: np.ndarray) -> tuple[Region, ...]:
        height, width = picture.shape[:2]
        middle = width / 2
        return (
            Region((0.0, 0.0, middle, float(height)), "left", 0.9),
            Region((middle, 0.0, float(width), float(height)), "right", 0.4),
        )

    def candidates(self, picture: np.ndarray) -> tuple[Region, ...]:
        return self.locate(picture) + WholePicture().candidates(picture)


class Reversing:
    """Describes an item by its side and its 4 x 4 pixels; turns a shortlist's head around."""

    def __init__(self, depth: int = 100, fingerprint: str = "reversing") -> None:
        self.depth = depth
        self.fingerprint = fingerprint
        self.looked_at: list[int] = []

    def describe(self, picture: np.ndarray, domain: Domain) -> bytes:
        return describe(picture, domain)

    def rerank(self, query: bytes, candidates: Sequence[Candidate]) -> list[Reranked]:
        self.looked_at.append(len(candidates))
        return [
            Reranked(-c.similarity, {"query": query.hex(), "own": (c.description or b"").hex()})
            for c in candidates
        ]


def describe(picture: np.ndarray, domain: Domain) -> bytes:
    return domain.encode() + b" " + FakeEncoder().prepare(picture, domain).tobytes()


def fake_system(
    encoder: FakeEncoder | None = None, *, halves: bool = False, reranker: Reversing | None = None
) -> System:
    locator = Halves() if halves else WholePicture()
    return System("fake", locator, encoder or FakeEncoder(), reranker=reranker)


def pixels(seed: int, *, height: int = 16, width: int = 16) -> np.ndarray:
    """A picture of 4 x 4 tiles, which differs much from that of any other seed."""
    tiles = np.random.default_rng(seed).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    return np.ascontiguousarray(tiles.repeat(height // SIDE, axis=0).repeat(width // SIDE, axis=1))


def png(seed: int) -> bytes:
    buffer = BytesIO()
    Image.fromarray(pixels(seed)).save(buffer, "PNG")
    return buffer.getvalue()


class CountingSource(PictureSource):
    """Counts the pictures that are read."""

    def __init__(self, root: Path, fetcher: object | None = None) -> None:
        super().__init__(root, fetcher=fetcher)
        self.reads: list[str] = []

    def read(self, image: str) -> bytes:
        self.reads.append(image)
        return super().read(image)


class Bench:
    """A shelf's store, a folder of pictures and all that an update needs."""

    def __init__(
        self, folder: Path, *, halves: bool = False, reranker: Reversing | None = None
    ) -> None:
        self.root = folder / "feed"
        self.root.mkdir()
        self.encoder = FakeEncoder()
        self.system = fake_system(self.encoder, halves=halves, reranker=reranker)
        self.path = folder / "shelf"
        properties = {"system": "fake", "fingerprint": self.system.fingerprint}
        EmbeddedStore.create(self.path, dimension=DIMENSION, properties=properties)
        self.store = EmbeddedStore(self.path, write=True)
        self.source = CountingSource(self.root)
        self.problems: list[Problem] = []

    def write(self, image: str, seed: int | bytes, *, mtime: int | None = None) -> None:
        path = self.root / image
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_bytes(seed if isinstance(seed, bytes) else png(seed))
        # Coarse clocks must not make two writes look like one.
        stamp = max(path.stat().st_mtime_ns, before + 1_000_000) if mtime is None else mtime
        os.utime(path, ns=(stamp, stamp))

    def update(
        self, entries: Iterable[Entry | Problem | Product], **options: object
    ) -> UpdateReport:
        """Run an update; the counts of what was read, embedded and told are of this run only."""
        self.problems.clear()
        self.source.reads.clear()
        self.encoder.embedded = 0
        return update_shelf(
            (Entry(e, 1) if isinstance(e, Product) else e for e in entries),
            self.store,
            self.system,
            self.source,
            feed="feed",
            on_problem=self.problems.append,
            **options,
        )

    def nearest(self, seed: int, top: int = 1) -> list[tuple[str, str, float]]:
        query = embed(pixels(seed)[None, ::4, ::4])
        return [
            (hit.product_id, hit.source, round(hit.similarity, 3))
            for hit in self.store.search(query, top)[0]
        ]

    def pictures(self, product_id: str) -> list[str]:
        return [p.source for p in self.store.known([product_id])[product_id].pictures]


def product(name: str, *images: str, price: str | None = None, **fields: object) -> Product:
    return Product(
        id=name,
        title=f"Title of {name}",
        price=None if price is None else Price(Decimal(price), "EUR"),
        images=images or (f"{name}.png",),
        **fields,
    )


def write_feed(folder: Path, count: int, *, images: Sequence[int] = (1,)) -> Path:
    """Write a JSON Lines feed and its pictures, some of which are shared by products."""
    folder.mkdir()
    feed = folder / "feed.jsonl"
    lines, number = [], 0
    for n in range(count):
        names = []
        for _ in range(images[n % len(images)]):
            # Every tenth picture has the bytes of the one before the last.
            seed = number - 2 if number % 10 == 9 else number
            (folder / f"{number}.png").write_bytes(png(seed))
            names.append(f"{number}.png")
            number += 1
        lines.append(
            json.dumps(
                {
                    "id": f"SKU-{n}",
                    "title": f"Product {n}",
                    "image_link": names[0],
                    "additional_image_link": ",".join(names[1:]),
                    "price": f"{n}.99 EUR",
                    "brand": "Acme",
                }
            )
        )
    feed.write_text("\n".join(lines) + "\n")
    return feed
