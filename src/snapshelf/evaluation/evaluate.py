"""Evaluate a system on a data set: embed the gallery and the queries, rank, measure."""

from collections.abc import Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from snapshelf.catalog.product import Product
from snapshelf.datasets.clips.clip_dataset import ClipDataset
from snapshelf.datasets.dataset import Dataset, Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation.clip_search import clip_queries, clips_of, search_clips
from snapshelf.evaluation.evaluation import Evaluation, Found, Outcome, ProductChoice
from snapshelf.evaluation.gallery_search import search_gallery
from snapshelf.evaluation.metrics import (
    average_precision_at,
    mean_rank,
    median_rank,
    top_k,
    top_percent,
)
from snapshelf.evaluation.query_ranks import QueryRanks
from snapshelf.evaluation.searched_queries import Progress, SearchedQueries
from snapshelf.systems.system import System

__all__ = ["by_products", "evaluate", "evaluate_by_products", "measure"]


def evaluate(
    system: System,
    dataset: Dataset | ClipDataset,
    *,
    split: str = "test",
    products: ProductChoice = "all",
    batch_size: int = 32,
    progress: Progress | None = None,
) -> Evaluation:
    """Search the whole gallery with every query of a split, and measure what comes out.

    The gallery is always every product. A product's similarity to a query, by the system's
    distance, is the largest over the query's regions and the product's images and their regions;
    ties count against the system. Where the system has a re-ranker, it judges the first products
    that each of a query's regions finds, as in a search. A query that has a box is cut to it
    first. A query whose picture is an image of its right product as well is not compared with
    that image. No query is ever left out of the figures: one unreadable picture is an error. Of a
    data set of clips each clip is a query, see `search_clips`.

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
    if not takes_part.any():
        raise DatasetError(
            f"the split {split} of the data set {dataset.name} has no query of {products} "
            "products, expected at least one"
        )
    searched = _search(system, dataset, split, queries, takes_part, batch_size, progress)
    return _evaluation(system.name, dataset, split, products, searched)


def evaluate_by_products(
    system: System,
    dataset: Dataset | ClipDataset,
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
    everything = np.ones(len(queries), np.bool_)
    searched = _search(system, dataset, split, queries, everything, batch_size, progress)
    return by_products(system.name, dataset, split, searched)


def by_products(
    name: str, dataset: Dataset | ClipDataset, split: str, searched: SearchedQueries
) -> dict[ProductChoice, Evaluation]:
    """Measure what a search gave, for each choice of products that has a query.

    Args:
        name: Of what found.
        dataset: Says which products are seen.
        split: Where the queries come from.
        searched: All of them, or some.
    """
    choices: tuple[ProductChoice, ...] = get_args(ProductChoice)
    taking = {choice: _takes_part(dataset, searched.queries, choice) for choice in choices}
    return {
        choice: _evaluation(name, dataset, split, choice, searched.select(takes))
        for choice, takes in taking.items()
        if takes.any()
    }


def _search(
    system: System,
    dataset: Dataset | ClipDataset,
    split: str,
    queries: Sequence[Query],
    takes_part: NDArray[np.bool_],
    batch_size: int,
    progress: Progress | None,
) -> SearchedQueries:
    """Search with those queries that take part, or with their clips."""
    numbers = np.flatnonzero(takes_part).tolist()
    if isinstance(dataset, ClipDataset):
        clips = clips_of(dataset, split)
        return search_clips(
            system, dataset, [clips[number] for number in numbers], batch_size, progress
        )
    chosen = [queries[number] for number in numbers]
    return search_gallery(system, dataset, chosen, batch_size, progress)


def _evaluation(
    name: str,
    dataset: Dataset | ClipDataset,
    split: str,
    products: ProductChoice,
    searched: SearchedQueries,
) -> Evaluation:
    """Measure what a search gave."""
    categories = np.array([query.category for query in searched.queries])
    return Evaluation(
        data=dataset.name,
        split=split,
        system=name,
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


def _queries(dataset: Dataset | ClipDataset, split: str) -> Sequence[Query]:
    """Give the queries of a split, or its clips as queries; there must be one."""
    if isinstance(dataset, ClipDataset):
        return clip_queries(dataset, clips_of(dataset, split))
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
    dataset: Dataset | ClipDataset, queries: Sequence[Query], products: ProductChoice
) -> NDArray[np.bool_]:
    """Say which queries take part, (Q,) bool."""
    if products == "all":
        return np.ones(len(queries), np.bool_)
    wanted = products == "seen"
    return np.array(
        [all(dataset.is_seen(product) == wanted for product in query.products) for query in queries]
    )


def _outcomes(
    queries: Sequence[Query], ranks: QueryRanks, gallery: Sequence[Product]
) -> tuple[Outcome, ...]:
    return tuple(
        Outcome(
            query=query,
            ranks=tuple(int(rank) for rank in own),
            found=tuple(
                Found(gallery[number].id, float(similarity), float(gain))
                for number, similarity, gain in zip(numbers, similarities, added, strict=True)
            ),
            wrong=None if np.isnan(wrong) else float(wrong),
            wrong_added=0.0 if np.isnan(wrong) else float(wrong_added),
        )
        for query, own, numbers, similarities, added, wrong, wrong_added in zip(
            queries,
            np.split(ranks.ranks, ranks.starts[1:-1]),
            ranks.found,
            ranks.similarities,
            ranks.added,
            ranks.wrong,
            ranks.wrong_added,
            strict=True,
        )
    )
