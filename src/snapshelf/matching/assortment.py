"""`Assortment`: articles of a shop, matched with queries by Studio2Shop's matcher."""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal, NamedTuple, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.leading_rows import leading_rows
from snapshelf.matching.named_weights import FloatArray
from snapshelf.matching.odds import probabilities_of

__all__ = ["PRECISIONS", "Assortment", "Found", "Precision"]

Precision = Literal["auto", "float32", "bfloat16", "int8"]

PRECISIONS: tuple[str, ...] = get_args(Precision)
"""How articles are gone through; ``auto`` is what the processor multiplies fastest in."""

RESCORED = 8
"""Times as many articles as are asked for are matched again in float32."""

LEAST_RESCORED = 512

DEEP = 0.5
"""Of a shortlist that has this share of the articles or more, all articles are gone through: that
is faster than to pick its own."""


class Found(NamedTuple):
    """The articles that match a query best.

    Attributes:
        rows: (K,) int64, their rows, the best first; of equals the first row first.
        probabilities: (K,) float64, in [0, 1], computed in float32.
    """

    rows: NDArray[np.int64]
    probabilities: NDArray[np.float64]


class _Scorer(Protocol):
    """Goes through all articles."""

    def odds(self, street_parts: FloatArray) -> FloatArray:
        """Give (Q, N) float32, log-odds, of (Q, H) float32."""
        ...


class Assortment:
    """The articles of a shop, and what goes through all of them, for several queries at once.

    In less than float32 articles are found, and of those found float32 says which are best and
    how likely. That needs the extra `torch`; where it is missing NumPy computes in float32.

    Args:
        matcher: Of queries and articles.
        parts: (N, H) float32, finite, `FoldedMatcher.shop_parts` of the articles; N may be 0.
        precision: One of `PRECISIONS`.

    Attributes:
        precision: What is used, ``float32``, ``bfloat16`` or ``int8``.

    Raises:
        ModelError: If less than float32 is asked for without torch.
        ValueError: If the parts are of another length, or the precision is unknown.
    """

    def __init__(
        self, matcher: FoldedMatcher, parts: FloatArray, *, precision: Precision = "auto"
    ) -> None:
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
        self._matcher, self._parts = matcher, _checked(parts, len(matcher.bias), "parts")
        self._has_torch = True
        try:
            from snapshelf.matching.torch_scoring import fastest_precision
        except ModelError:
            if precision in ("bfloat16", "int8"):
                raise
            self._has_torch, precision = False, "float32"
        self.precision: Literal["float32", "bfloat16", "int8"] = (
            fastest_precision() if precision == "auto" else precision
        )

    def __len__(self) -> int:
        """Give the number N of articles."""
        return len(self._parts)

    def odds(self, street_parts: FloatArray) -> FloatArray:
        """Match queries with every article, in the assortment's precision.

        Args:
            street_parts: (Q, H) float32, finite, `FoldedMatcher.street_parts` of the queries. The
                result has Q * N numbers: give a few at a time.

        Returns:
            (Q, N) float32, log-odds. In bfloat16 they have three significant digits, in int8 two.

        Raises:
            ValueError: If the parts are of another shape.
        """
        checked = _checked(street_parts, len(self._matcher.bias), "street_parts")
        return self._fast.odds(checked)

    def best(
        self,
        street_parts: FloatArray,
        count: int | None,
        shortlists: Sequence[NDArray[np.int64]] | None = None,
    ) -> list[Found]:
        """Find the articles that match each query best, in one pass for all queries.

        Args:
            street_parts: (Q, H) float32, finite, `FoldedMatcher.street_parts` of the queries.
            count: Articles for each query, at least 1; all where there are fewer, or for None,
                and then all of them are matched in float32.
            shortlists: For each query the articles (K,) int64 that are looked at, in [0, N), in
                any order; None for all.

        Returns:
            For each query what was found; with shortlists, `Found.rows` are places in them.

        Raises:
            ValueError: If the parts are of another shape, or the count is below 1.
        """
        if count is not None and count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        checked = _checked(street_parts, len(self._matcher.bias), "street_parts")
        if shortlists is None:
            shortlists = [np.arange(len(self))] * len(checked)
        found: dict[int, Found] = {}
        deep = [n for n, rows in enumerate(shortlists) if len(rows) >= max(1, DEEP * len(self))]
        if deep:
            scorer = self._exact if count is None else self._fast
            # Together: the articles come from memory once for all queries.
            for n, odds in zip(deep, scorer.odds(checked[deep]), strict=True):
                found[n] = self._best(checked[n], shortlists[n], odds[shortlists[n]], count)
        return [
            found.get(n) or _leading(self._picked(checked[n], rows), count)
            for n, rows in enumerate(shortlists)
        ]

    def _best(
        self,
        street_part: FloatArray,
        shortlist: NDArray[np.int64],
        odds: FloatArray,
        count: int | None,
    ) -> Found:
        if count is None or self.precision == "float32":
            return _leading(odds, count)
        places = leading_rows(odds, max(RESCORED * count, LEAST_RESCORED))
        best = _leading(self._picked(street_part, shortlist[places]), count)
        return Found(places[best.rows], best.probabilities)

    def _picked(self, street_part: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        """Match some articles, in float32."""
        odds: FloatArray = self._scorer("float32", self._parts[rows]).odds(street_part[None])[0]
        return odds

    @cached_property
    def _exact(self) -> _Scorer:
        return self._scorer("float32", self._parts)

    @cached_property
    def _fast(self) -> _Scorer:
        if self.precision == "float32":
            return self._exact
        return self._scorer(self.precision, self._parts)

    def _scorer(
        self, precision: Literal["float32", "bfloat16", "int8"], parts: FloatArray
    ) -> _Scorer:
        if not self._has_torch:
            return _NumpyScorer(self._matcher, parts)
        from snapshelf.matching.torch_scoring import FloatScorer, Int8Scorer

        if precision == "int8":
            return Int8Scorer(self._matcher, parts)
        return FloatScorer(self._matcher, parts, precision)


class _NumpyScorer:
    def __init__(self, matcher: FoldedMatcher, parts: FloatArray) -> None:
        self._matcher, self._parts = matcher, parts

    def odds(self, street_parts: FloatArray) -> FloatArray:
        found = np.empty((len(street_parts), len(self._parts)), np.float32)
        for row, each in zip(found, street_parts, strict=True):
            row[:] = self._matcher.odds(each, self._parts)
        return found


def _leading(odds: FloatArray, count: int | None) -> Found:
    """Sort the largest; log-odds tell articles apart where all probabilities round to 1."""
    rows = leading_rows(odds, len(odds) if count is None else count)
    rows = rows[np.argsort(-odds[rows], kind="stable")]
    return Found(rows, probabilities_of(odds[rows]))


def _checked(parts: FloatArray, length: int, name: str) -> FloatArray:
    """Refuse parts of another length."""
    if parts.ndim != 2 or parts.shape[1] != length:
        raise ValueError(f"{name} must be of length {length}, one row each, got {parts.shape}")
    return np.ascontiguousarray(parts, np.float32)
