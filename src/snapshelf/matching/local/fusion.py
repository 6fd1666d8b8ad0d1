"""Deep similarity and verified key points put together, so that neither drowns the other.

A handful of matches agree on some mapping by chance, on any two pictures; beyond that every further
one makes it surer that both show the same print. So a candidate's similarity is that of the
embeddings, and on top of it

    ``max(weight + colour * agreement, 0) * log(1 + max(inliers - chance, 0))``

where `agreement` in [-1, 1] says whether the colours fit as well: varieties of a product often
share a print. Where key points say nothing, as on an apple, the embeddings' order stays as it was.
Where text is read too, ``text * similarity`` of the words is added (`matching.word_similarity`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import DatasetError

__all__ = ["Fusion", "Shortlisted", "fit_fusion"]


@dataclass(frozen=True, slots=True)
class Fusion:
    """How much verified key points add to a similarity.

    Attributes:
        weight: At least 0, of each step of the logarithm, in units of the embeddings' similarity.
        colour: At least 0, how much of that hangs on the colours.
        chance: At least 0: so many inliers say nothing.
        text: At least 0, of the words' similarity; only where text is read.
    """

    weight: float
    colour: float
    chance: float
    text: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the number, what was expected and what came.
        """
        for name in ("weight", "colour", "chance", "text"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(
                    f"{name} must be a number of at least 0, got {getattr(self, name)}"
                )

    def similarity(
        self,
        deep: NDArray[np.float64],
        inliers: NDArray[np.int64],
        agreement: NDArray[np.float64],
        words: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Put embeddings, key points and words together.

        Args:
            deep: (K,) float64, similarities of the embeddings.
            inliers: (K,) int64, at least 0.
            agreement: (K,) float64, of the colours, in [-1, 1].
            words: (K,) float64, similarities of the texts, at least 0; None where none was read.

        Returns:
            (K,) float64, at least `deep`.
        """
        surplus = np.log1p(np.maximum(inliers - self.chance, 0))
        fused: NDArray[np.float64] = (
            deep + np.maximum(self.weight + self.colour * agreement, 0) * surplus
        )
        return fused if words is None else fused + self.text * words


@dataclass(frozen=True, slots=True, eq=False)
class Shortlisted:
    """A training query's shortlist.

    Attributes:
        deep: (K,) float64, similarities of the embeddings.
        inliers: (K,) int64.
        agreement: (K,) float64, of the colours.
        right: (K,) bool.
        words: (K,) float64, similarities of the texts; None where none was read.
    """

    deep: NDArray[np.float64]
    inliers: NDArray[np.int64]
    agreement: NDArray[np.float64]
    right: NDArray[np.bool_]
    words: NDArray[np.float64] | None = None

    @property
    def has_choice(self) -> bool:
        """Whether there is a right candidate to prefer to a wrong one."""
        return bool(self.right.any() and not self.right.all())


CHANCES = (0.0, 2.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)
"""Tried for `Fusion.chance`."""

START = (20.0, 0.1, 0.05, 0.05)
"""Scale, weight, colour and text that the search for better ones begins at."""


def fit_fusion(queries: Sequence[Shortlisted]) -> Fusion:
    """Fit the fusion by maximum likelihood.

    The probability that a candidate is right is taken to be the softmax, over the query's
    shortlist, of a scale times its similarity (a conditional logit; McFadden: Conditional Logit
    Analysis of Qualitative Choice Behavior, 1974). Scale, weight and colour, and text where it was
    read, are fitted for each of `CHANCES`; the likeliest of all is taken.

    Args:
        queries: Those without a choice between right and wrong make no difference.

    Raises:
        DatasetError: If none has one.
    """
    from scipy.optimize import minimize

    queries = [query for query in queries if query.has_choice]
    if not queries:
        raise DatasetError("no training photo has its product in its shortlist: nothing to fit on")
    start = START if any(query.words is not None for query in queries) else START[:-1]
    best: tuple[float, Fusion] | None = None
    for chance in CHANCES:

        def loss(parameters: NDArray[np.float64], chance: float = chance) -> float:
            scale, weight, colour, *text = (float(value) for value in np.exp(parameters))
            fusion = Fusion(weight, colour, chance, *text)
            return float(np.mean([_surprise(query, fusion, scale) for query in queries]))

        bounds = [(-12.0, 8.0)] * len(start)
        found = minimize(loss, np.log(start), method="Nelder-Mead", bounds=bounds)
        _, weight, colour, *text = (round(float(value), 5) for value in np.exp(found.x))
        if best is None or found.fun < best[0]:
            best = float(found.fun), Fusion(weight, colour, chance, *text)
    assert best is not None, "CHANCES is not empty"
    return best[1]


def _surprise(query: Shortlisted, fusion: Fusion, scale: float) -> float:
    """Give the negative log-probability that a right candidate is chosen."""
    fused = fusion.similarity(query.deep, query.inliers, query.agreement, query.words)
    logits = scale * fused
    logits -= logits.max()
    total = np.log(np.exp(logits).sum())
    # At float's end an impossible choice is surprising, not infinitely so.
    return float(total - np.log(max(np.exp(logits[query.right]).sum(), 1e-300)))
