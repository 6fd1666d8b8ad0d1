"""Shelves of generated embeddings, built once and kept for the benchmarks that share them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog import Product
from snapshelf.locating import Region
from snapshelf.store import EmbeddedStore, PictureRecord, ProductRecord

BRANDS = 14
BLOCK = 5_000


def clustered(rows: int, dimension: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Generate embeddings that lie in clusters, as those of products do.

    Args:
        rows: Number N of embeddings.
        dimension: Length D of each.
        seed: Of the generator.

    Returns:
        (N, D) float32, L2-normalised.
    """
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(1, rows // 50), dimension), np.float32)
    vectors = centres[rng.integers(0, len(centres), rows)]
    vectors += 0.7 * rng.standard_normal((rows, dimension), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def queries_near(vectors: NDArray[np.float32], count: int, *, seed: int = 1) -> NDArray[np.float32]:
    """Generate queries, each near one of the embeddings: (count, D) float32, L2-normalised."""
    rng = np.random.default_rng(seed)
    chosen = vectors[rng.integers(0, len(vectors), count)]
    noise = rng.standard_normal(chosen.shape, np.float32) / np.sqrt(chosen.shape[1])
    queries = chosen + 0.5 * noise
    return queries / np.linalg.norm(queries, axis=1, keepdims=True)


def brand_of(number: int) -> str:
    """Give the brand of a product: one in `BRANDS` has each."""
    return f"brand {number % BRANDS}"


def large_shelf(folder: Path, vectors: NDArray[np.float32]) -> Path:
    """Make a shelf with one picture a product, or take the one that is there.

    Args:
        folder: Where generated shelves are kept.
        vectors: (N, D) float32, the embedding of each product's picture.

    Returns:
        The shelf's folder.
    """
    rows, dimension = vectors.shape
    place = folder / f"shelf-{rows}x{dimension}"
    if EmbeddedStore.exists(place):
        store = EmbeddedStore(place)
        run = store.last_run()
        store.close()
        if run is not None and run.finished:
            return place
    else:
        EmbeddedStore.create(
            place, dimension=dimension, properties={"system": "none", "fingerprint": "none"}
        )
    store = EmbeddedStore(place, write=True)
    run_number = store.begin_run("generated")
    for start in range(0, rows, BLOCK):
        block = range(start, min(rows, start + BLOCK))
        store.upsert([record(number, vectors[number]) for number in block], run=run_number)
    store.end_run(run=run_number)
    store.close()
    return place


def record(number: int, vector: NDArray[np.float32]) -> ProductRecord:
    """Make the record of a generated product."""
    image = f"{number}.jpg"
    product = Product(
        id=f"P{number:07d}", title=f"Product {number}", brand=brand_of(number), images=(image,)
    )
    region = Region((0.0, 0.0, 400.0, 400.0))
    picture = PictureRecord(image, "", f"{number:032x}", (region,), vector[None])
    return ProductRecord(product, (picture,))
