"""`Assortment`: all articles of a shop, matched with queries by Studio2Shop's matcher."""

from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.leading_rows import leading_rows
from snapshelf.matching.named_weights import FloatArray
from snapshelf.matching.odds import probabilities_of

__all__ = ["PRECISIONS", "Assortment", "Found", "Precision"]

Precision = Literal["auto", "float32", "bfloat16"]

PRECISIONS: tuple[str, ...] = get_args(Precision)
"""How articles are gone through; ``auto`` is bfloat16 where the processor multiplies in it."""

RESCORED = 8
"""Times as many articles as are asked for are matched again in float32."""

LEAST_RESCORED = 512


class Found(NamedTuple):
    """The articles that match a query best.

    Attributes:
        rows: (K,) int64, their rows, the best first; of equals the first row first.
        probabilities: (K,) float64, in [0, 1], computed in float32.
    """

    rows: NDArray[np.int64]
    probabilities: NDArray[np.float64]


class _Scorer(Protocol):
    """Goes through all articles for one query."""

    def odds(self, street_part: FloatArray) -> FloatArray:
        """Give (N,) float32, log-odds."""
        ...

    def exact_odds(self, street_part: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        """Give (K,) float32, log-odds of some articles, computed in float32."""
        ...


class Assortment:
    """The articles' parts of the first layer, computed once, and what goes through all of them.

    In bfloat16 articles are found, and of those found float32 says which are best and how likely.
    It needs the extra `torch`; where that is missing NumPy computes in float32.

    Args:
        matcher: Of queries and articles.
        features: (N, D) float32, of the articles; N may be 0.
        precision: One of `PRECISIONS`.

    Attributes:
        matcher: As given.
        precision: What is used, ``float32`` or ``bfloat16``.

    Raises:
        ModelError: If bfloat16 is asked for without torch.
        ValueError: If the features are of another length or not finite, or the precision is
            unknown.
    """

    def __init__(
        self, matcher: FoldedMatcher, features: FloatArray, *, precision: Precision = "auto"
    ) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
        self.matcher = matcher
        self._parts = matcher.shop_parts(_checked(features, matcher.dimension, "features"))
        self._scorer: _Scorer
        try:
            from snapshelf.matching.torch_scoring import TorchScorer, has_bfloat16
        except ModelError:
            if precision == "bfloat16":
                raise
            self.precision: Literal["float32", "bfloat16"] = "float32"
            self._scorer = _NumpyScorer(matcher, self._parts)
            return
        if precision == "auto":
            precision = "bfloat16" if has_bfloat16() else "float32"
        self.precision = precision
        self._scorer = TorchScorer(matcher, self._parts, precision)

    def __len__(self) -> int:
        """Give the number N of articles."""
        return len(self._parts)

    def odds(self, queries: FloatArray) -> FloatArray:
        """Match queries with every article, in the assortment's precision.

        Args:
            queries: (Q, D) float32. The result has Q * N numbers: give a few at a time.

        Returns:
            (Q, N) float32, log-odds. In bfloat16 they have three significant digits.

        Raises:
            ValueError: If the queries are of another shape or not finite.
        """
        parts = self.matcher.street_parts(_checked(queries, self.matcher.dimension, "queries"))
        found = np.empty((len(queries), len(self)), np.float32)
        for row, part in zip(found, parts, strict=True):
            row[:] = self._scorer.odds(part)
        return found

    def best(self, queries: FloatArray, count: int) -> list[Found]:
        """Find the articles that match each query best.

        Args:
            queries: (Q, D) float32.
            count: Articles for each query, at least 1; all where there are fewer.

        Returns:
            For each query what was found.

        Raises:
            ValueError: If the queries are of another shape or not finite, or the count is below 1.
        """
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        parts = self.matcher.street_parts(_checked(queries, self.matcher.dimension, "queries"))
        return [self._best(part, count) for part in parts]

    def match(self, query: FloatArray, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Match one query with some articles, in float32: those of a shortlist.

        Args:
            query: (D,) float32.
            rows: (K,) int64, in [0, N).

        Returns:
            (K,) float64, probabilities.

        Raises:
            ValueError: If the query is of another shape or not finite.
        """
        part = self.matcher.street_parts(_checked(query[None], self.matcher.dimension, "query")[0])
        # By NumPy, like what finds shortlists: see `TorchScorer` on its threads and PyTorch's.
        return probabilities_of(self.matcher.odds(part, self._parts[rows]))

    def _best(self, part: FloatArray, count: int) -> Found:
        odds = self._scorer.odds(part)
        if self.precision == "float32":
            rows = leading_rows(odds, count)
            exact = odds[rows]
        else:
            rows = leading_rows(odds, max(RESCORED * count, LEAST_RESCORED))
            exact = self._scorer.exact_odds(part, rows)
        order = np.argsort(-exact, kind="stable")[:count]
        return Found(rows[order], probabilities_of(exact[order]))


class _NumpyScorer:
    def __init__(self, matcher: FoldedMatcher, parts: FloatArray) -> None:
        self._matcher, self._parts = matcher, parts

    def odds(self, street_part: FloatArray) -> FloatArray:
        return self._matcher.odds(street_part, self._parts)

    def exact_odds(self, street_part: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        return self._matcher.odds(street_part, self._parts[rows])


def _checked(features: FloatArray, dimension: int, name: str) -> FloatArray:
    """Refuse features that no match can be made of."""
    if features.ndim != 2 or features.shape[1] != dimension:
        raise ValueError(
            f"{name} must be of length {dimension}, one row each, got shape {features.shape}"
        )
    wrong = np.flatnonzero(~np.isfinite(features).all(1))
    if len(wrong):
        listed = ", ".join(str(row) for row in wrong[:5])
        raise ValueError(
            f"{name} must be finite, got NaN or infinity in {len(wrong)} of {len(features)} rows, "
            f"row {listed}"
        )
    return np.ascontiguousarray(features, np.float32)
