"""Where the right products came, kept in a file so that no system is evaluated twice."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.dataset import Dataset
from snapshelf.datasets.training_item import TrainingData
from snapshelf.errors import DatasetError
from snapshelf.evaluation.evaluation import Evaluation, ProductChoice
from snapshelf.whole_file import write_whole

__all__ = ["KeptRanks", "digest_of", "queries_digest", "training_digest", "write_json"]


@dataclass(frozen=True, slots=True, eq=False)
class KeptRanks:
    """The ranks of the right products of every query.

    Attributes:
        gallery: Number of products in the gallery.
        ranks: By choice of products (Q,) int64, for each query that takes part the rank of its
            best right product, from 1.
    """

    gallery: int
    ranks: Mapping[ProductChoice, NDArray[np.int64]]

    @classmethod
    def of(cls, evaluations: Mapping[ProductChoice, Evaluation]) -> Self:
        """Take the ranks from evaluations of one system, at least one."""
        first = next(iter(evaluations.values()))
        return cls(
            first.gallery,
            {
                choice: np.array([outcome.rank for outcome in evaluation.outcomes], np.int64)
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
                choice: np.array(values["ranks"][choice])
                for choice in get_args(ProductChoice)
                if choice in values["ranks"]
            }
            whole = all(each.ndim == 1 and each.dtype == np.int64 for each in ranks.values())
            if not (ranks and whole and all(each.min() >= 1 for each in ranks.values())):
                raise ValueError("expected ranks from 1")
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
        ranks = {choice: each.tolist() for choice, each in self.ranks.items()}
        write_json(file, {"of": dict(of), "gallery": self.gallery, "ranks": ranks})

    def found(self, products: ProductChoice, k: int) -> NDArray[np.bool_]:
        """Say for each query whether a right product is among the first k, (Q,) bool."""
        within: NDArray[np.bool_] = self.ranks[products] <= k
        return within


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


def training_digest(data: Sequence[TrainingData]) -> str:
    """Give a hex digest of what is trained on, wherever its folder is.

    It covers the products, their attributes and boxes, and the names and sizes of their pictures.

    Args:
        data: The data sets, in order.

    Raises:
        DatasetError: If a data set is not in its published layout, or a picture is missing.
    """
    return digest_of(
        [
            {
                "name": one.name,
                "items": [
                    [
                        item.product_id,
                        [_file(path) for path in item.street],
                        [_file(path) for path in item.shop],
                        sorted(item.attributes.items()),
                        sorted((path.name, box) for path, box in item.boxes.items()),
                    ]
                    for item in one.training_items()
                ],
            }
            for one in data
        ]
    )


def queries_digest(dataset: Dataset, split: str) -> str:
    """Give a hex digest of what is searched, and with what, wherever its folder is.

    Args:
        dataset: The data set.
        split: One of its splits.

    Raises:
        DatasetError: If the split is not as published, or a picture is missing.
    """
    return digest_of(
        {
            "name": dataset.name,
            "gallery": [
                [product.id, [_file(dataset.root / image) for image in product.images]]
                for product in dataset.products()
            ],
            "queries": [
                [_file(query.picture), sorted(query.products), query.box]
                for query in dataset.queries(split)
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
