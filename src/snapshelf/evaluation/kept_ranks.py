"""Where the right products came, kept in a file so that no system is evaluated twice."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.clip_dataset import ClipDataset, ClipItem, ClipTrainingData
from snapshelf.datasets.dataset import Dataset
from snapshelf.datasets.training_item import TrainingData, TrainingItem
from snapshelf.errors import DatasetError
from snapshelf.evaluation.evaluation import Evaluation, ProductChoice
from snapshelf.evaluation.query_ranks import group_starts
from snapshelf.evaluation.query_values import query_values
from snapshelf.whole_file import write_whole

__all__ = ["KeptRanks", "digest_of", "queries_digest", "training_digest", "write_json"]


@dataclass(frozen=True, slots=True, eq=False)
class KeptRanks:
    """The ranks of the right products of every query.

    Attributes:
        gallery: Number of products in the gallery.
        ranks: By choice of products, for each query that takes part the ranks of its right
            products, from 1, ascending; at least one.
    """

    gallery: int
    ranks: Mapping[ProductChoice, Sequence[Sequence[int]]]

    @classmethod
    def of(cls, evaluations: Mapping[ProductChoice, Evaluation]) -> Self:
        """Take the ranks from evaluations of one system, at least one."""
        first = next(iter(evaluations.values()))
        return cls(
            first.gallery,
            {
                choice: [outcome.ranks for outcome in evaluation.outcomes]
                for choice, evaluation in evaluations.items()
            },
        )

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read what `write` wrote.

        Raises:
            DatasetError: If the file cannot be read or holds something else.
        """
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            gallery = values["gallery"]
            ranks = {
                choice: values["ranks"][choice]
                for choice in get_args(ProductChoice)
                if choice in values["ranks"]
            }
            if not ranks or not all(_are_ranks(each) for each in ranks.values()):
                raise ValueError("expected the ranks of each query's right products, from 1")
            return cls(int(gallery), ranks)
        except (OSError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise DatasetError(
                f"{file} does not hold the figures of an evaluation ({error}); remove it, and the "
                "system is evaluated again"
            ) from error

    def write(self, file: Path, *, of: Mapping[str, Any]) -> None:
        """Write the ranks; whole or not at all.

        Args:
            file: An existing one is replaced.
            of: What they are the ranks of, for people to read.
        """
        write_json(file, {"of": dict(of), "gallery": self.gallery, "ranks": dict(self.ranks)})

    def values(self, products: ProductChoice, metric: str) -> NDArray[np.float64]:
        """Give what each query counts for in a metric, (Q,) float64; see `query_values`."""
        own = self.ranks[products]
        starts = group_starts(np.array([len(each) for each in own]))
        ranks = np.concatenate(own).astype(np.int64)
        return query_values(metric, ranks, starts, gallery=self.gallery)


def _are_ranks(queries: Any) -> bool:
    """Whether these are the ranks of at least one query."""
    return (
        isinstance(queries, list)
        and len(queries) > 0
        and all(isinstance(own, list) and own and own == sorted(own) for own in queries)
        and all(type(rank) is int and rank >= 1 for own in queries for rank in own)
    )


def write_json(file: Path, values: Mapping[str, Any]) -> None:
    """Write a JSON object; whole or not at all.

    Args:
        file: An existing one is replaced.
        values: As JSON can hold them.
    """
    write_whole(file, (json.dumps(values) + "\n").encode())


def digest_of(values: Any) -> str:
    """Give a hex digest of values that JSON can hold; the order of keys makes no difference."""
    text = json.dumps(values, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def training_digest(data: Sequence[TrainingData] | Sequence[ClipTrainingData]) -> str:
    """Give a hex digest of what is trained on, wherever its folder is.

    It covers the products, their attributes and boxes, and the names and sizes of their pictures;
    of clips, how many there are of each product.

    Args:
        data: The data sets, in order.

    Raises:
        DatasetError: If a data set is not in its published layout, or a picture is missing.
    """
    return digest_of(
        [
            {
                "name": one.name,
                "items": (
                    [_clip_item(item) for item in one.training_clips()]
                    if isinstance(one, ClipTrainingData)
                    else [_item(item) for item in one.training_items()]
                ),
            }
            for one in data
        ]
    )


def _item(item: TrainingItem) -> list[Any]:
    return [
        item.product_id,
        [_file(path) for path in item.street],
        [_file(path) for path in item.shop],
        sorted(item.attributes.items()),
        sorted((path.name, box) for path, box in item.boxes.items()),
    ]


def _clip_item(item: ClipItem) -> list[Any]:
    """Tell of clips by their number and the first one's ID, since there may be endless many."""
    shop = [[*_file(path), box] for path, box in item.shop]
    return [item.product_id, item.category, shop, len(item.clips), item.clips[0].id]


def queries_digest(dataset: Dataset | ClipDataset, split: str) -> str:
    """Give a hex digest of what is searched, and with what, wherever its folder is.

    Of clips it covers the categories too, within which they may be searched for.

    Args:
        dataset: The data set.
        split: One of its splits.

    Raises:
        DatasetError: If the split is not as published, or a picture is missing.
    """
    told: dict[str, Any]
    if isinstance(dataset, ClipDataset):
        told = {
            "queries": [
                [clip.id, sorted(clip.products), clip.category] for clip in dataset.clips(split)
            ],
            "categories": [product.category for product in dataset.products()],
        }
    else:
        told = {
            "queries": [
                [_file(query.picture), sorted(query.products), query.box]
                for query in dataset.queries(split)
            ]
        }
    return digest_of(
        told
        | {
            "name": dataset.name,
            "gallery": [
                [product.id, [_file(dataset.root / image) for image in product.images]]
                for product in dataset.products()
            ],
            "seen": [product.id for product in dataset.products() if dataset.is_seen(product.id)],
        }
    )


def _file(path: Path) -> list[Any]:
    """Give a picture's name and size."""
    try:
        return [path.name, path.stat().st_size]
    except OSError as error:
        raise DatasetError(
            f"{path}: the file cannot be read ({error.strerror}); every picture of the data set is "
            "needed"
        ) from error
