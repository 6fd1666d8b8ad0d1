"""Evaluate a system on a data set: embed the gallery and the queries, rank, measure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.datasets.dataset import Dataset, Query
from snapshelf.errors import DatasetError, PictureError
from snapshelf.evaluation.evaluation import Evaluation, Found, Outcome, ProductChoice
from snapshelf.evaluation.metrics import (
    average_precision_at,
    mean_rank,
    median_rank,
    top_k,
    top_percent,
)
from snapshelf.evaluation.ranking import QueryRanks, product_ranks
from snapshelf.features.encoder import Domain
from snapshelf.features.pipeline import crop, embed_pictures
from snapshelf.locating.region import Box
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.systems.system import System

__all__ = ["Progress", "evaluate", "evaluate_by_products", "measure", "read_picture"]

Progress = Callable[[str, int, int], None]
"""Told the step (``gallery`` or ``queries``), the pictures done and all pictures of the step."""

SHOWN = 5


def evaluate(
    system: System,
    dataset: Dataset,
    *,
    split: str = "test",
    products: ProductChoice = "all",
    batch_size: int = 32,
    progress: Progress | None = None,
) -> Evaluation:
    """Search the whole gallery with every query of a split, and measure what comes out.

    The gallery is always every product. A product's similarity to a query is the largest over
    the query's regions and the product's images and their regions; ties count against the
    system. A query that has a box is cut to it first. A query whose picture is an image of its
    right product as well is not compared with that image. No query is ever left out of the
    figures: one unreadable picture is an error.

    Args:
        system: What finds.
        dataset: What to find, and where.
        split: The split that the queries come from.
        products: ``seen`` keeps the queries whose right products may all be used in training,
            ``unseen`` those of which none may, ``all`` every query.
        batch_size: Most regions embedded at once, at least 1.
        progress: Called after each picture.

    Returns:
        The figures, and the outcome of each query.

    Raises:
        ValueError: If `products` is none of the three, or `batch_size` is below 1.
        DatasetError: If there is no such split, no query is left, a picture cannot be read, or
            a query's right product is not in the gallery or has no image but the query's own
            picture.
    """
    if products not in get_args(ProductChoice):
        choices = ", ".join(get_args(ProductChoice))
        raise ValueError(f"products must be one of {choices}, got {products!r}")
    queries = _queries(dataset, split)
    takes_part = _takes_part(dataset, queries, products)
    chosen = [queries[number] for number in np.flatnonzero(takes_part).tolist()]
    if not chosen:
        raise DatasetError(
            f"the split {split} of the data set {dataset.name} has no query of {products} "
            "products, expected at least one"
        )
    searched = _search(system, dataset, chosen, batch_size, progress)
    return _evaluation(system, dataset, split, products, searched)


def evaluate_by_products(
    system: System,
    dataset: Dataset,
    *,
    split: str = "test",
    batch_size: int = 32,
    progress: Progress | None = None,
) -> dict[ProductChoice, Evaluation]:
    """Evaluate on all, on the seen and on the unseen products, embedding everything once.

    Args:
        system: What finds.
        dataset: What to find, and where.
        split: The split that the queries come from.
        batch_size: Most regions embedded at once, at least 1.
        progress: Called after each picture.

    Returns:
        For each choice of products that has a query what `evaluate` gives for it, with the
        seconds that all of them took together.

    Raises:
        ValueError: As `evaluate`.
        DatasetError: As `evaluate`.
    """
    queries = _queries(dataset, split)
    searched = _search(system, dataset, queries, batch_size, progress)
    choices: tuple[ProductChoice, ...] = get_args(ProductChoice)
    taking = {choice: _takes_part(dataset, queries, choice) for choice in choices}
    return {
        choice: _evaluation(system, dataset, split, choice, searched.select(takes))
        for choice, takes in taking.items()
        if takes.any()
    }


@dataclass(frozen=True, slots=True)
class _Searched:
    """Queries, their ranks in the gallery, and the seconds it took."""

    queries: Sequence[Query]
    ranks: QueryRanks
    gallery: Sequence[Product]
    seconds: Mapping[str, float]

    def select(self, queries: NDArray[np.bool_]) -> "_Searched":
        """Keep some of the queries, (Q,) bool."""
        kept = [self.queries[number] for number in np.flatnonzero(queries).tolist()]
        return _Searched(kept, self.ranks.select(queries), self.gallery, self.seconds)


def _search(
    system: System,
    dataset: Dataset,
    queries: Sequence[Query],
    batch_size: int,
    progress: Progress | None,
) -> _Searched:
    """Embed the gallery and the queries, and rank."""
    gallery = dataset.products()
    right = _right_products(queries, gallery)
    images = [dataset.root / image for product in gallery for image in product.images]
    product_of_image = np.repeat(np.arange(len(gallery)), [len(p.images) for p in gallery])
    own_images = _own_images(queries, right, images, product_of_image)

    start = perf_counter()
    shop, image_of_row = _embed(
        system, [(image, None) for image in images], Domain.SHOP, batch_size, progress
    )
    embedded_gallery = perf_counter()
    photos = [(query.picture, query.box) for query in queries]
    street, query_of_row = _embed(system, photos, Domain.STREET, batch_size, progress)
    embedded_queries = perf_counter()
    row_starts = np.searchsorted(image_of_row, np.arange(len(images) + 1))
    ranks = product_ranks(
        street,
        shop,
        product_of_image[image_of_row],
        right,
        row_queries=query_of_row,
        hidden={
            query: [row for image in own for row in range(row_starts[image], row_starts[image + 1])]
            for query, own in own_images.items()
        },
        top=SHOWN,
    )
    seconds = {
        "gallery": embedded_gallery - start,
        "queries": embedded_queries - embedded_gallery,
        "ranking": perf_counter() - embedded_queries,
    }
    return _Searched(queries, ranks, gallery, seconds)


def _evaluation(
    system: System, dataset: Dataset, split: str, products: ProductChoice, searched: _Searched
) -> Evaluation:
    """Measure what a search gave."""
    categories = np.array([query.category for query in searched.queries])
    return Evaluation(
        data=dataset.name,
        split=split,
        system=system.name,
        products=products,
        queries=len(searched.queries),
        gallery=len(searched.gallery),
        metrics=measure(searched.ranks),
        per_category={
            str(category): {"queries": int(np.sum(categories == category))}
            | measure(searched.ranks.select(categories == category))
            for category in np.unique(categories)
        },
        seconds=searched.seconds,
        outcomes=_outcomes(searched.queries, searched.ranks, searched.gallery),
    )


def measure(ranks: QueryRanks) -> dict[str, float]:
    """Compute every metric of an evaluation.

    Args:
        ranks: The ranks of at least one query.

    Returns:
        The metrics by the names that `Evaluation.metrics` lists.

    Raises:
        ValueError: If there is no query.
    """
    return {
        "top1": top_k(ranks, 1),
        "top5": top_k(ranks, 5),
        "top10": top_k(ranks, 10),
        "top20": top_k(ranks, 20),
        "top50": top_k(ranks, 50),
        "top1pct": top_percent(ranks),
        "map7": average_precision_at(ranks, 7),
        "mean_rank": mean_rank(ranks),
        "median_rank": median_rank(ranks),
    }


def read_picture(path: Path) -> RGB:
    """Read a picture of a data set.

    Args:
        path: The picture's file.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].

    Raises:
        PictureError: If the file is missing, cannot be read or is no picture.
    """
    try:
        return decode_picture(path.read_bytes())
    except OSError as error:
        raise PictureError(f"the file cannot be read ({error.strerror})") from error


def _queries(dataset: Dataset, split: str) -> Sequence[Query]:
    """Give the queries of a split; there must be one."""
    if split not in dataset.splits:
        raise DatasetError(
            f"the data set {dataset.name} has no split {split!r}, "
            f"choose one of {', '.join(dataset.splits)}"
        )
    queries = dataset.queries(split)
    if not queries:
        raise DatasetError(
            f"the split {split} of the data set {dataset.name} has no query of all "
            "products, expected at least one"
        )
    return queries


def _takes_part(
    dataset: Dataset, queries: Sequence[Query], products: ProductChoice
) -> NDArray[np.bool_]:
    """Say which queries take part, (Q,) bool."""
    if products == "all":
        return np.ones(len(queries), np.bool_)
    wanted = products == "seen"
    return np.array(
        [all(dataset.is_seen(product) == wanted for product in query.products) for query in queries]
    )


def _right_products(queries: Sequence[Query], gallery: Sequence[Product]) -> list[list[int]]:
    """Give the gallery's index of every query's right products; all must be findable."""
    index = {product.id: number for number, product in enumerate(gallery) if product.images}
    for query in queries:
        missing = sorted(query.products - index.keys())
        if missing:
            raise DatasetError(
                f"{query.picture}: the right product {missing[0]!r} is not in the gallery, or "
                "without an image, so it cannot be found"
            )
    return [[index[product] for product in query.products] for query in queries]


def _own_images(
    queries: Sequence[Query],
    right: Sequence[Sequence[int]],
    images: Sequence[Path],
    product_of_image: NDArray[np.int64],
) -> dict[int, list[int]]:
    """Give the gallery images that are a query's own picture, for the queries that have one."""
    numbers_of: dict[Path, list[int]] = {}
    for number, image in enumerate(images):
        numbers_of.setdefault(image, []).append(number)
    counts = np.bincount(product_of_image)
    own = {
        number: numbers_of[query.picture]
        for number, query in enumerate(queries)
        if query.picture in numbers_of
    }
    for number, hidden in own.items():
        products, times = np.unique(product_of_image[hidden], return_counts=True)
        if not set(products) <= set(right[number]) or (times == counts[products]).any():
            raise DatasetError(
                f"{queries[number].picture} is a query and an image of the gallery: expected it to "
                "be one of several images of a right product"
            )
    return own


def _embed(
    system: System,
    pictures: Sequence[tuple[Path, Box | None]],
    domain: Domain,
    batch_size: int,
    progress: Progress | None,
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Embed (parts of) pictures: a row for each region, and the picture each row belongs to."""
    step = "gallery" if domain is Domain.SHOP else "queries"
    rows: list[NDArray[np.float32]] = []
    embedded = embed_pictures(
        pictures,
        _read_part,
        locator=system.locator,
        encoder=system.encoder,
        domain=domain,
        batch_size=batch_size,
    )
    for done, picture in enumerate(embedded, start=1):
        if picture.error is not None:
            raise DatasetError(
                f"{picture.key[0]}: {picture.error}; every picture of the data set is needed, so "
                "that no query is left out of the figures"
            ) from picture.error
        rows.append(picture.embeddings)
        if progress is not None:
            progress(step, done, len(pictures))
    owners = np.repeat(np.arange(len(rows)), [len(embeddings) for embeddings in rows])
    return np.concatenate(rows), owners


def _read_part(key: tuple[Path, Box | None]) -> RGB:
    path, box = key
    picture = read_picture(path)
    return picture if box is None else crop(picture, box)


def _outcomes(
    queries: Sequence[Query], ranks: QueryRanks, gallery: Sequence[Product]
) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(
            query=query,
            rank=int(rank),
            found=tuple(
                Found(gallery[number].id, float(similarity))
                for number, similarity in zip(numbers, similarities, strict=True)
            ),
            wrong=None if np.isnan(wrong) else float(wrong),
        )
        for query, rank, numbers, similarities, wrong in zip(
            queries, ranks.best, ranks.found, ranks.similarities, ranks.wrong, strict=True
        )
    )
