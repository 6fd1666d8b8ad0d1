"""The faiss index derived from a shelf's database: a cache on disk that can always be rebuilt.

One folder for each version, written under another name and renamed when it is complete, so
that a reader never sees half of one. The arrays and the index are memory-mapped: opening
half a million embeddings reads only the pages that a search touches.
"""

import json
import mmap
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ShelfError
from snapshelf.locating.region import Box
from snapshelf.matching.distances import Distance
from snapshelf.store.database import sync

__all__ = [
    "EXACT_UP_TO",
    "IndexFile",
    "Labels",
    "open_index",
    "remove_other_indexes",
    "write_index",
]

EXACT_UP_TO = 100_000
"""Up to this many embeddings a search compares all of them; above, it walks an HNSW graph."""

HNSW_LINKS = 32
HNSW_CONSTRUCTION = 100
READ_AHEAD = 1 << 22


@dataclass(frozen=True)
class IndexFile:
    """An opened index.

    Attributes:
        version: Version of the shelf that it was built from.
        regions: (N,) int64, region number of each row, rising.
        products: (N,) int64, product number of each row.
        product_count: How many products these are.
        index: Index over N rows, by inner product or L1 distance: `faiss.IndexFlat` or
            `faiss.IndexHNSWFlat`.
        flat: The exact index over the same rows (the graph's own storage).
        labels: What each row shows, so that a hit needs no look-up in the database.
    """

    version: int
    regions: NDArray[np.int64]
    products: NDArray[np.int64]
    product_count: int
    index: Any
    flat: Any
    labels: "Labels"

    def holds(self, regions: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Say which regions (K,), given by number, are in the index: (K,) bool."""
        if not len(self.regions):
            return np.zeros(len(regions), np.bool_)
        rows = np.minimum(np.searchsorted(self.regions, regions), len(self.regions) - 1)
        held: NDArray[np.bool_] = self.regions[rows] == regions
        return held

    def labels_of(self, regions: NDArray[np.int64]) -> dict[int, tuple[str, str, Box]]:
        """Give what regions show, by number; those that are not in the index are left out."""
        rows = np.searchsorted(self.regions, regions[self.holds(regions)])
        return dict(zip(self.regions[rows].tolist(), self.labels.of(rows), strict=True))


@dataclass(frozen=True)
class Labels:
    """What the rows of an index show; each part is memory-mapped.

    Attributes:
        text: Product ID and image of every row, one after the other, UTF-8.
        offsets: (2 N + 1,) int64, where each of them begins in `text`.
        boxes: (N, 4) float64, the regions' boxes in pixels.
    """

    text: mmap.mmap | bytes
    offsets: NDArray[np.int64]
    boxes: NDArray[np.float64]

    def of(self, rows: NDArray[np.int64]) -> list[tuple[str, str, Box]]:
        """Give the product ID, the image and the box of rows (K,)."""
        bounds = self.offsets[2 * rows[:, None] + np.arange(3)].tolist()
        return [
            (self.text[start:middle].decode(), self.text[middle:end].decode(), (x0, y0, x1, y1))
            for (start, middle, end), (x0, y0, x1, y1) in zip(
                bounds, self.boxes[rows].tolist(), strict=True
            )
        ]


def write_index(
    folder: Path,
    *,
    version: int,
    shelf_id: str,
    dimension: int,
    distance: Distance,
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]],
    labels: Iterable[tuple[str, str, Box]],
    rows: int,
) -> None:
    """Build the index of one version and rename it into place.

    Args:
        folder: Where the shelf's indexes lie; made if missing.
        version: Version of the shelf that the rows are of; names the index.
        shelf_id: The shelf that it belongs to, checked when it is opened.
        dimension: Length D of an embedding.
        distance: How embeddings are compared.
        blocks: Region numbers (B,), product numbers (B,) and embeddings (B, D) float32, in
            rising order of region numbers, `rows` rows in all.
        labels: Product ID, image and box of each row, in the same order.
        rows: Decides between an exact index and a graph.

    Raises:
        ShelfError: If the vectors cannot be written.
        OSError: If anything else cannot be.
    """
    folder.mkdir(exist_ok=True)
    building = folder / f".building-{os.getpid()}"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        product_count = _write_rows(building, dimension, _metric(distance), blocks, rows)
        _write_labels(building, labels, rows)
        sizes = {file.name: file.stat().st_size for file in building.iterdir()}
        manifest = {
            "shelf": shelf_id,
            "version": version,
            "dimension": dimension,
            "rows": rows,
            "products": product_count,
            "files": sizes,
        }
        (building / "manifest.json").write_text(json.dumps(manifest))
        for file in building.iterdir():
            sync(file)
        sync(building)
        target = folder / str(version)
        shutil.rmtree(target, ignore_errors=True)
        building.rename(target)
        sync(folder)
    except BaseException:
        # What is half-built takes room that a full disk does not have.
        shutil.rmtree(building, ignore_errors=True)
        raise


def open_index(
    folder: Path, *, version: int, shelf_id: str, dimension: int, distance: Distance
) -> IndexFile | None:
    """Open the index of one version.

    Args:
        folder: Where the shelf's indexes lie.
        version: The version wanted.
        shelf_id: The shelf that it must belong to.
        dimension: Length of an embedding that it must have.
        distance: How it must compare embeddings.

    Returns:
        The index, memory-mapped, or None if there is none of this version that is whole.
    """
    place = folder / str(version)
    try:
        manifest = json.loads((place / "manifest.json").read_text())
        whole = (
            manifest["shelf"] == shelf_id
            and manifest["version"] == version
            and manifest["dimension"] == dimension
            and all((place / n).stat().st_size == size for n, size in manifest["files"].items())
        )
        if not whole:
            return None
        product_count = int(manifest["products"])
        _read_ahead(place / "vectors.faiss", vectors=4 * manifest["rows"] * dimension)
        index = faiss.read_index(str(place / "vectors.faiss"), faiss.IO_FLAG_MMAP_IFC)
        regions = np.load(place / "regions.npy", mmap_mode="r").view(np.ndarray)
        products = np.load(place / "products.npy", mmap_mode="r").view(np.ndarray)
        labels = _open_labels(place)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError):
        # faiss raises RuntimeError for a file it cannot read; whatever is wrong with a cache,
        # the database holds the truth.
        return None
    if not index.ntotal == len(regions) == len(products) == manifest["rows"]:
        return None
    if index.metric_type != _metric(distance):
        return None
    flat = faiss.downcast_index(index.storage) if hasattr(index, "storage") else index
    return IndexFile(version, regions, products, product_count, index, flat, labels)


def _metric(distance: Distance) -> int:
    """Give what faiss ranks by; cosine and L2 distance rank L2-normalised embeddings alike."""
    return int(faiss.METRIC_L1 if distance == "l1" else faiss.METRIC_INNER_PRODUCT)


def _read_ahead(file: Path, *, vectors: int) -> None:
    """Read what stands before the vectors: the graph, which opening checks and searches walk.

    Page by page, as they touch it, that takes ten times as long from a cold disk.
    """
    with file.open("rb", buffering=0) as source:
        left = file.stat().st_size - vectors
        while left > 0 and (read := len(source.read(min(left, READ_AHEAD)))):
            left -= read


def _write_rows(
    place: Path,
    dimension: int,
    metric: int,
    blocks: Iterable[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]],
    rows: int,
) -> int:
    """Write the embeddings and whose they are; gives the number of products."""
    if rows > EXACT_UP_TO:
        index = faiss.IndexHNSWFlat(dimension, HNSW_LINKS, metric)
        index.hnsw.efConstruction = HNSW_CONSTRUCTION
    else:
        index = faiss.IndexFlat(dimension, metric)
    regions, products = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for block_regions, block_products, vectors in blocks:
        index.add(vectors)
        regions.append(block_regions)
        products.append(block_products)
    assert index.ntotal == rows, "the rows counted and the rows given differ"
    file = str(place / "vectors.faiss")
    try:
        faiss.write_index(index, file)
        # Where closing the file fails, faiss does not tell; a file cut short cannot be opened.
        faiss.read_index(file, faiss.IO_FLAG_MMAP_IFC)
    except RuntimeError as error:
        raise ShelfError(
            f"the search index {file} cannot be written, though the shelf itself is complete: "
            "make room on the disk and run the same command again"
        ) from error
    owners = np.concatenate(products)
    np.save(place / "regions.npy", np.concatenate(regions))
    np.save(place / "products.npy", owners)
    return len(np.unique(owners))


def _write_labels(place: Path, labels: Iterable[tuple[str, str, Box]], rows: int) -> None:
    offsets = np.zeros(2 * rows + 1, np.int64)
    boxes = np.empty((rows, 4), np.float64)
    end = 0
    with (place / "labels.txt").open("wb") as file:
        for row, (product, image, box) in enumerate(labels):
            boxes[row] = box
            for column, text in enumerate((product, image), start=1):
                end += file.write(text.encode())
                offsets[2 * row + column] = end
    np.save(place / "label_offsets.npy", offsets)
    np.save(place / "boxes.npy", boxes)


def _open_labels(place: Path) -> Labels:
    with (place / "labels.txt").open("rb") as file:
        empty = file.seek(0, os.SEEK_END) == 0  # which cannot be mapped
        text = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    offsets = np.load(place / "label_offsets.npy", mmap_mode="r").view(np.ndarray)
    boxes = np.load(place / "boxes.npy", mmap_mode="r").view(np.ndarray)
    return Labels(text, offsets, boxes)


def remove_other_indexes(folder: Path, version: int) -> None:
    """Delete the indexes of all versions but one, and what a killed run left half-built.

    A process that still searches an older one keeps its mapped files until it moves on.
    """
    if not folder.is_dir():
        return
    for place in folder.iterdir():
        if place.name != str(version):
            shutil.rmtree(place, ignore_errors=True)
