"""Shelves of generated embeddings, built once and kept for the benchmarks that share them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog import Product
from snapshelf.locating import Region
from snapshelf.matching import Distance
from snapshelf.store import EmbeddedStore, PictureRecord, ProductRecord

BRANDS = 14
BLOCK = 5_000
DESCRIBED_BLOCK = 256
"""Of pictures with descriptions as many are committed at a time as `snapshelf index` commits."""

NO_SYSTEM = {"system": "none", "fingerprint": "none"}


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
    # In place: a gigabyte each.
    noise = rng.standard_normal((rows, dimension), np.float32)
    noise *= 0.7
    vectors += noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def queries_near(vectors: NDArray[np.float32], count: int, *, seed: int = 1) -> NDArray[np.float32]:
    """Generate queries, each near one of the embeddings: (count, D) float32, L2-normalised."""
    rng = np.random.default_rng(seed)
    return query_near_each(vectors[rng.integers(0, len(vectors), count)], rng)


def query_near_each(vectors: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Generate a query near each of some embeddings: (N, D) float32, L2-normalised."""
    noise = rng.standard_normal(vectors.shape, np.float32) / np.float32(np.sqrt(vectors.shape[1]))
    queries = vectors + 0.5 * noise
    return queries / np.linalg.norm(queries, axis=1, keepdims=True)


def brand_of(number: int) -> str:
    """Give the brand of a product: one in `BRANDS` has each."""
    return f"brand {number % BRANDS}"


def large_shelf(
    folder: Path,
    vectors: NDArray[np.float32],
    *,
    distance: Distance = "cosine",
    properties: Mapping[str, str] = NO_SYSTEM,
    descriptions: Sequence[bytes] = (),
) -> Path:
    """Make a shelf with one picture a product, or take the one that is there.

    Args:
        folder: Where generated shelves are kept.
        vectors: (N, D) float32, the embedding of each product's picture.
        distance: How they are compared.
        properties: What the shelf notes about itself.
        descriptions: What the pictures hold for re-ranking, dealt out in turn; none for a shelf
            without.

    Returns:
        The shelf's folder.
    """
    rows, dimension = vectors.shape
    kind = ("" if distance == "cosine" else f"-{distance}") + ("-described" * bool(descriptions))
    place = folder / f"shelf-{rows}x{dimension}{kind}"
    if EmbeddedStore.exists(place):
        store = EmbeddedStore(place)
        run = store.last_run()
        store.close()
        if run is not None and run.finished:
            return place
    else:
        EmbeddedStore.create(place, dimension=dimension, properties=properties, distance=distance)
    store = EmbeddedStore(place, write=True)
    run_number = store.begin_run("generated")
    block_rows = DESCRIBED_BLOCK if descriptions else BLOCK
    for start in range(0, rows, block_rows):
        block = range(start, min(rows, start + block_rows))
        store.upsert(
            [record(number, vectors[number], descriptions) for number in block], run=run_number
        )
    store.end_run(run=run_number)
    store.close()
    return place


def record(
    number: int, vector: NDArray[np.float32], descriptions: Sequence[bytes] = ()
) -> ProductRecord:
    """Make the record of a generated product."""
    image = f"{number}.jpg"
    product = Product(
        id=f"P{number:07d}", title=f"Product {number}", brand=brand_of(number), images=(image,)
    )
    region = Region((0.0, 0.0, 400.0, 400.0))
    described = (descriptions[number % len(descriptions)],) if descriptions else None
    picture = PictureRecord(image, "", f"{number:032x}", (region,), vector[None], described)
    return ProductRecord(product, (picture,))
