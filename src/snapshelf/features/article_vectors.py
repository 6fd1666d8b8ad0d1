"""`ArticleVectors`: a user's own features of articles, read from a file and given by product ID."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import FeaturesError, ModelError

__all__ = ["SUFFIXES", "ArticleVectors"]

SUFFIXES = (".npz", ".parquet")

MOST_BYTES = 1 << 32


class ArticleVectors:
    """Vectors of one length by the ID of their product, L2-normalised.

    A product of the file whose vector cannot be used is remembered with the reason: it is an error
    only where that product is asked for.

    Args:
        name: What they are read from, for the errors.
        rows: (N, D) float32, finite, none of zeros alone.
        places: The row of each product by its ID.
        unusable: Why a product's vector cannot be used, by its ID.
    """

    def __init__(
        self,
        name: str,
        rows: NDArray[np.float32],
        places: Mapping[str, int],
        unusable: Mapping[str, str],
    ) -> None:
        self._name = name
        self._rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        self._places, self._unusable = places, unusable

    @property
    def dimension(self) -> int:
        """Length D of a vector."""
        return int(self._rows.shape[1])

    @classmethod
    def read(cls, file: Path, dimension: int | None = None) -> "ArticleVectors":
        """Read a file; nothing in it is run.

        Args:
            file: ``.npz`` with the arrays ``ids`` (N,) and ``vectors`` (N, D), or ``.parquet``
                with the columns ``id`` and ``vector``, a list of numbers.
            dimension: Length of the vectors; those of another cannot be used. None for the length
                that most have.

        Raises:
            ModelError: If there is no such file, it is too large or holds something else, an ID
                comes twice, or no vector can be used.
        """
        if file.suffix not in SUFFIXES:
            raise ModelError(f"{file}: vectors must be in a file {' or '.join(SUFFIXES)}")
        try:
            size = file.stat().st_size
            if size > MOST_BYTES:
                raise ModelError(f"{file} has {size:,} bytes, expected at most {MOST_BYTES:,}")
            ids, vectors = (_read_npz if file.suffix == ".npz" else _read_parquet)(file)
        except ModelError:
            raise
        except FileNotFoundError as error:
            raise ModelError(f"{file} cannot be read: {error.strerror}") from error
        # Whatever a damaged file makes a library stumble over, the file is what is wrong.
        except Exception as error:
            raise ModelError(f"{file} holds no vectors of products: {error}") from error
        return cls._of(file, ids, vectors, dimension)

    @classmethod
    def _of(
        cls, file: Path, ids: list[str], vectors: list[NDArray[np.float64]], dimension: int | None
    ) -> "ArticleVectors":
        twice = [own for own, count in Counter(ids).items() if count > 1]
        if twice:
            raise ModelError(f"{file}: the product {twice[0]!r} comes more than once")
        if dimension is None:
            lengths = Counter(len(vector) for vector in vectors if len(vector))
            dimension = lengths.most_common(1)[0][0] if lengths else 1
        places: dict[str, int] = {}
        unusable: dict[str, str] = {}
        rows: list[NDArray[np.float32]] = []
        for own, vector in zip(ids, vectors, strict=True):
            if reason := _reason(vector, dimension):
                unusable[own] = reason
                continue
            places[own] = len(rows)
            # Of unit length only in the end: of huge numbers the squares would not fit.
            rows.append((vector / np.abs(vector).max()).astype(np.float32))
        if not rows:
            first = next(iter(unusable.items()), None)
            told = "it has no product" if first is None else f"that of {first[0]!r} {first[1]}"
            raise ModelError(f"{file}: no vector can be used: {told}")
        return cls(str(file), np.stack(rows), places, unusable)

    def of(self, product_id: str) -> NDArray[np.float32]:
        """Give the vector of a product.

        Args:
            product_id: Its ID.

        Returns:
            (D,) float32, L2-normalised.

        Raises:
            FeaturesError: If it has none, or none that can be used.
        """
        place = self._places.get(product_id)
        if place is not None:
            found: NDArray[np.float32] = self._rows[place]
            return found
        if reason := self._unusable.get(product_id):
            raise FeaturesError(f"the features of the product {product_id!r}: its vector {reason}")
        raise FeaturesError(
            f"there are no features of the product {product_id!r} in {self._name}; add a vector"
        )


def _reason(vector: NDArray[np.float64], dimension: int) -> str:
    """Say why a vector cannot be used; empty if it can."""
    if len(vector) != dimension:
        return f"has {len(vector)} numbers, expected {dimension}"
    if not np.isfinite(vector).all():
        return "holds NaN or infinity"
    return "" if vector.any() else "is zeros alone"


def _read_npz(file: Path) -> tuple[list[str], list[NDArray[np.float64]]]:
    with np.load(file, allow_pickle=False) as arrays:
        ids, vectors = arrays["ids"], arrays["vectors"]
    if ids.ndim != 1 or ids.dtype.kind not in "UiuS" or vectors.ndim != 2:
        raise ValueError(
            "ids must be (N,) texts or whole numbers and vectors (N, D), got "
            f"{ids.shape} {ids.dtype} and {vectors.shape}"
        )
    if len(ids) != len(vectors) or vectors.dtype.kind not in "fiu":
        raise ValueError(
            f"expected a vector of numbers for each of {len(ids)} ids, got {vectors.shape} "
            f"{vectors.dtype}"
        )
    return [_text(each) for each in ids.tolist()], list(vectors.astype(np.float64))


def _read_parquet(file: Path) -> tuple[list[str], list[NDArray[np.float64]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(file, columns=["id", "vector"])
    ids = table["id"].to_pylist()
    column = table["vector"].cast(pa.list_(pa.float64()))
    if any(not isinstance(own, str | int) for own in ids):
        raise ValueError("id must be texts or whole numbers, without a gap")
    vectors: list[NDArray[np.float64]] = []
    for chunk in column.chunks:
        for each in chunk:
            values = each.values
            vectors.append(np.empty(0) if values is None else values.to_numpy(zero_copy_only=False))
    return [_text(own) for own in ids], vectors


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
