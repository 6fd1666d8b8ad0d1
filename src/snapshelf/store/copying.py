"""Copying a shelf from one store to another, and checking that it is the same there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from snapshelf.errors import ShelfError, SystemMismatchError
from snapshelf.store.checks import RESERVED
from snapshelf.store.filters import MOST_VALUES, Condition, Filter
from snapshelf.store.opening import Place, has_store, make_store, open_store
from snapshelf.store.records import Hit, KnownPicture, KnownProduct, ProductRecord
from snapshelf.store.rows import product_digest
from snapshelf.store.vector_store import VectorStore

__all__ = ["CopyReport", "check_copy", "copy_shelf"]

PAGE = 256
"""Products copied in one commit."""

PASSES = 5
"""Times that the source is read until it has not changed meanwhile."""

SAMPLE_PRODUCTS = 512
SAMPLE_QUERIES = 32
SAMPLE_TOP = 20

CLOSE = 1e-5
"""Similarities closer than this are equal: stores add up their products in different orders."""

LEAST_EQUAL = 0.95
"""Share of the matches of two shelves that must be equal; an index that is not exact may miss a
few."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What copying a shelf did, and what the check of the copy found.

    Attributes:
        copied: Products written.
        unchanged: Products that the target had already.
        removed: Products that the target had and the source has not.
        compared: Products whose records were read from both and are equal, bit by bit.
        equal_matches: Share of the matches of `queries` searches that are as similar in both.
        queries: Searches made in both.
    """

    copied: int
    unchanged: int
    removed: int
    compared: int
    equal_matches: float
    queries: int


def copy_shelf(
    source: str | Place,
    target: str | Place,
    *,
    on_progress: Callable[[int, int], None] | None = None,
) -> CopyReport:
    """Make one shelf the same as another, in a store of any kind.

    What the target holds already is passed by, so that the same call goes on where a broken-off
    one stopped. Searches of both go on meanwhile.

    Args:
        source: A shelf.
        target: Where to; made if there is none. Its own products that the source has not are
            removed.
        on_progress: Called with the products done and those in all.

    Raises:
        ShelfError: If either cannot be read or written, or the copy is not the same.
        SystemMismatchError: If the target was made with another system.
    """
    reading = open_store(source)
    try:
        _make(reading, target)
        writing = open_store(target, write=True)
        try:
            _check_same_system(reading, writing)
            copied, unchanged, removed = _copy(reading, writing, str(source), on_progress)
            compared, equal, queries = check_copy(reading, writing)
        finally:
            writing.close()
    finally:
        reading.close()
    return CopyReport(copied, unchanged, removed, compared, equal, queries)


def check_copy(source: VectorStore, target: VectorStore) -> tuple[int, float, int]:
    """Compare two stores: counts, records of products spread over them, and searches.

    Returns:
        How many products' records are equal, bit by bit (all that were compared); the share of
        equal matches; and the number of searches.

    Raises:
        ShelfError: If the stores differ.
    """
    if source.count() != target.count():
        raise ShelfError(
            f"the copy is not the same: the source holds {source.count()}, the copy "
            f"{target.count()}; run the same command again"
        )
    pages = max(1, source.count().products // SAMPLE_PRODUCTS)
    sample: list[ProductRecord] = []
    after = 0
    while (page := source.records(after=after, most=PAGE)).last:
        take = len(page.records) if pages == 1 else max(1, len(page.records) // pages)
        sample += page.records[:take]
        after = page.last
    for start in range(0, len(sample), PAGE):
        _compare_records(sample[start : start + PAGE], target)
    vectors = [
        picture.embeddings[0]
        for record in sample
        for picture in record.pictures[:1]
        if picture.embeddings is not None and len(picture.embeddings)
    ]
    chosen = vectors[:: max(1, len(vectors) // SAMPLE_QUERIES)][:SAMPLE_QUERIES]
    if not chosen:
        return len(sample), 1.0, 0
    queries = np.stack(chosen)
    equal = _equal_matches(source.search(queries, SAMPLE_TOP), target.search(queries, SAMPLE_TOP))
    if equal < LEAST_EQUAL:
        raise ShelfError(
            f"the copy is not the same: {equal:.1%} of the matches of {len(queries)} searches are "
            f"as similar as the source's, expected at least {LEAST_EQUAL:.0%}"
        )
    return len(sample), equal, len(queries)


def _make(source: VectorStore, target: str | Place) -> None:
    if has_store(target):
        return
    noted = {name: text for name, text in source.properties.items() if name not in RESERVED}
    make_store(target, dimension=source.dimension, properties=noted, distance=source.distance)


def _check_same_system(source: VectorStore, target: VectorStore) -> None:
    ours, theirs = source.properties, target.properties
    for name in ("system", "fingerprint", "embedding_fingerprint"):
        if ours.get(name) != theirs.get(name):
            raise SystemMismatchError(
                f"the target was made with another system ({name} {theirs.get(name)!r}, the "
                f"source's is {ours.get(name)!r}): give a new address for the copy"
            )
    if (source.dimension, source.distance) != (target.dimension, target.distance):
        raise SystemMismatchError(
            f"the target holds embeddings of {target.dimension} numbers by {target.distance} "
            f"distance, the source of {source.dimension} by {source.distance}: give a new address"
        )
    if "root" in ours and ours["root"] != theirs.get("root"):
        target.note("root", ours["root"])


def _copy(
    source: VectorStore,
    target: VectorStore,
    name: str,
    on_progress: Callable[[int, int], None] | None,
) -> tuple[int, int, int]:
    copied = unchanged = 0
    run = target.begin_run(f"copy of {name}")
    for _ in range(PASSES):
        version, after, done = source.version, 0, 0
        seen = 0
        while (page := source.records(after=after, most=PAGE)).last:
            known = target.known([record.product.id for record in page.records])
            new = [r for r in page.records if known.get(r.product.id) != _known(r)]
            same = [r.product.id for r in page.records if known.get(r.product.id) == _known(r)]
            target.upsert(new, run=run)
            target.touch(same, run=run)
            copied, seen = copied + len(new), seen + len(same)
            after, done = page.last, done + len(page.records)
            if on_progress is not None:
                on_progress(done, source.count().products)
        unchanged = unchanged or seen
        if source.version == version:
            break
        run = target.begin_run(f"copy of {name}")
    else:
        raise ShelfError(
            "the source changes faster than it can be copied: run the same command again when it "
            "is not being written to"
        )
    removed = target.sweep(run=run)
    target.end_run(run=run)
    return copied, unchanged, removed


def _known(record: ProductRecord) -> KnownProduct:
    """Give what a store remembers of a product that is stored like this."""
    pictures = (KnownPicture(p.source, p.signature, p.content) for p in record.pictures)
    return KnownProduct(product_digest(record.product), tuple(pictures))


def _compare_records(records: Sequence[ProductRecord], target: VectorStore) -> None:
    """Compare what a copy holds of products with what it should hold.

    Raises:
        ShelfError: Which names a product that differs.
    """
    ids = [record.product.id for record in records]
    products, known = target.products(ids), target.known(ids)
    for record in records:
        name = record.product.id
        if products.get(name) != record.product or known.get(name) != _known(record):
            raise ShelfError(f"the copy is not the same: product {name!r} differs")
    held = _embeddings_of(target, ids)
    for record in records:
        wanted = sorted(
            (picture.source, picture.content, vector.tobytes())
            for picture in record.pictures
            if picture.embeddings is not None
            for vector in picture.embeddings
        )
        if sorted(held.get(record.product.id, [])) != wanted:
            raise ShelfError(
                f"the copy is not the same: embeddings of product {record.product.id!r} differ"
            )


def _embeddings_of(
    store: VectorStore, ids: Sequence[str]
) -> dict[str, list[tuple[str, str, bytes]]]:
    """Read the embeddings of products, with the pictures that they are of."""
    held: dict[str, list[tuple[str, str, bytes]]] = {}
    for start in range(0, len(ids), MOST_VALUES):
        part = tuple(ids[start : start + MOST_VALUES])
        rows = store.embeddings(Filter((Condition("id", "=", part),)))
        for name, image, content, vector in zip(
            rows.product_ids, rows.images, rows.contents, rows.vectors, strict=True
        ):
            held.setdefault(name, []).append((image, content, vector.tobytes()))
    return held


def _equal_matches(ours: Sequence[Sequence[Hit]], theirs: Sequence[Sequence[Hit]]) -> float:
    """Give the share of matches that are as similar in both; of ties either may stand first."""
    equal = total = 0
    for mine, other in zip(ours, theirs, strict=True):
        total += max(len(mine), len(other))
        equal += sum(
            abs(one.similarity - two.similarity) <= CLOSE
            for one, two in zip(mine, other, strict=False)
        )
    return equal / total if total else 1.0
