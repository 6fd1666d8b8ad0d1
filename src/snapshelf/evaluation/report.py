"""An evaluation as a page: the figures, where the right products came, and pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from snapshelf.catalog.product import Product
from snapshelf.datasets.clips.clip_dataset import ClipDataset
from snapshelf.datasets.clips.spread_frames import middle_frame
from snapshelf.datasets.dataset import Dataset
from snapshelf.errors import DatasetError, PictureError
from snapshelf.evaluation.embedded_pictures import read_picture
from snapshelf.evaluation.evaluation import Evaluation, Outcome
from snapshelf.media.encode import encode_jpeg
from snapshelf.pages.render import data_uri, render

__all__ = ["write_report"]

LABELS: Mapping[str, str] = {
    "top1": "Top-1",
    "top5": "Top-5",
    "top10": "Top-10",
    "top20": "Top-20",
    "top50": "Top-50",
    "top1pct": "Top-1%",
    "map7": "mAP@7",
    "mean_rank": "Mean rank",
    "median_rank": "Median rank",
}

LAST_RANKS = (1, 2, 3, 5, 10, 20, 50)
"""Where the first bins of the histogram end; then at 100, 200, 500, 1,000 and so on."""

SIDE = 160
"""Longest side of a picture; with `MISSES` and `HITS` this keeps the page below 5 MB."""

MISSES = 12
HITS = 6


@dataclass(frozen=True, slots=True)
class _Bin:
    """A range of ranks: its queries, their share, the share up to its end, its bar (0-100)."""

    first: int
    last: int
    queries: int
    share: float
    so_far: float
    bar: float


@dataclass(frozen=True, slots=True)
class _Shown:
    """A picture of the page; `similarity` and `is_right` are for products that were found."""

    title: str
    picture: str
    similarity: float = 0.0
    is_right: bool = False


@dataclass(frozen=True, slots=True)
class _ShownOutcome:
    """A query, its right product (and the number of others) and what was found."""

    rank: int
    query: _Shown
    right: _Shown
    others: int
    found: tuple[_Shown, ...]


def write_report(evaluation: Evaluation, dataset: Dataset | ClipDataset, path: Path) -> None:
    """Write an evaluation as one HTML file that needs no other.

    It holds the figures, the table by category, the histogram of ranks, how to read them, and
    the pictures of a few queries that were found at first and a few that were not; of a clip
    the frame in the middle. It is at most 5 MB.

    Args:
        evaluation: What to show.
        dataset: The data set that it is about, for titles and pictures; a picture or clip that
            cannot be read is left blank.
        path: Where to write; an existing file is replaced.

    Raises:
        OSError: If the file cannot be written.
    """
    products = {product.id: product for product in dataset.products()}
    # A clip's query has the clip's name in the data set's folder as its picture.
    clips = (
        {dataset.root / clip.id: clip for clip in dataset.clips(evaluation.split)}
        if isinstance(dataset, ClipDataset)
        else {}
    )

    @cache
    def picture(file: Path) -> str:
        try:
            shown = middle_frame(clips[file]) if file in clips else read_picture(file)
            return data_uri(encode_jpeg(shown, longest_side=SIDE))
        except (PictureError, DatasetError):
            return ""

    def show(product: Product, similarity: float = 0.0, is_right: bool = False) -> _Shown:
        source = picture(dataset.root / product.images[0]) if product.images else ""
        return _Shown(product.title or product.id, source, similarity, is_right)

    def show_outcome(outcome: Outcome) -> _ShownOutcome:
        right = outcome.query.products
        first = next((f.product for f in outcome.found if f.product in right), min(right))
        return _ShownOutcome(
            rank=outcome.rank,
            query=_Shown(outcome.query.picture.name, picture(outcome.query.picture)),
            right=show(products[first]),
            others=len(right) - 1,
            found=tuple(
                show(products[found.product], found.similarity, found.product in right)
                for found in outcome.found
            ),
        )

    missed = [outcome for outcome in evaluation.outcomes if outcome.rank > 1]
    found = [outcome for outcome in evaluation.outcomes if outcome.rank == 1]
    context = {
        "evaluation": evaluation,
        "of_what": "clips" if isinstance(dataset, ClipDataset) else "photos",
        "labels": LABELS,
        "bins": _bins([outcome.rank for outcome in evaluation.outcomes], evaluation.gallery),
        "one_percent": -(-evaluation.gallery // 100),
        "missed": len(missed),
        "misses": [show_outcome(outcome) for outcome in _spread(missed, MISSES)],
        "hits": [show_outcome(outcome) for outcome in _spread(found, HITS)],
    }
    path.write_text(render("report.html.jinja", context), encoding="utf-8")


def _bins(ranks: Sequence[int], gallery: int) -> list[_Bin]:
    """Count the queries in ranges of ranks that grow, up to the gallery's size."""
    ends = list(LAST_RANKS)
    while ends[-1] < gallery:
        ends.append(ends[-3] * 10)
    ends = [end for end in ends if end < gallery] + [gallery]
    upto = np.searchsorted(np.sort(ranks), ends, side="right")
    counts = np.diff(upto, prepend=0)
    return [
        _Bin(
            first=first + 1,
            last=last,
            queries=int(count),
            share=count / len(ranks),
            so_far=total / len(ranks),
            bar=100 * count / counts.max(),
        )
        for first, last, count, total in zip([0, *ends[:-1]], ends, counts, upto, strict=True)
    ]


def _spread(outcomes: Sequence[Outcome], count: int) -> list[Outcome]:
    """Take at most `count` outcomes, evenly spaced."""
    if len(outcomes) <= count:
        return list(outcomes)
    return [outcomes[(2 * number + 1) * len(outcomes) // (2 * count)] for number in range(count)]
