"""From a similarity to the probability that a match is the product searched for."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over the similarity (Platt scaling).

    Confidence is ``1 / (1 + exp(-(slope * embedded + added_slope * added + intercept)))``. What
    re-ranking has `added` to the similarity of the embeddings is evidence of another kind, which a
    single curve over their sum takes for too much.

    Attributes:
        slope: Of the similarity of the embeddings; not negative, so that a larger one never gives a
            smaller confidence.
        intercept: Shifts the curve.
        threshold: An item is in the catalogue when its best match's confidence, in [0, 1],
            reaches this.
        added_slope: Of what re-ranking has added; not negative. None: the same as `slope`, so
            that the curve is one over the whole similarity.
    """

    slope: float = 4.0
    intercept: float = -2.0
    threshold: float = 0.5
    added_slope: float | None = None

    def confidence(self, similarity: float, added: float = 0.0) -> float:
        """Give the confidence of a first match.

        Args:
            similarity: Of a `Match`: of embeddings in [-1, 1], of a re-ranker on its own scale.
            added: What of it re-ranking has added to that of the embeddings; may be negative.

        Returns:
            Probability in [0, 1].
        """
        if self.added_slope is None:
            logit = self.slope * similarity + self.intercept
        else:
            embedded = similarity - added
            logit = self.slope * embedded + self.added_slope * added + self.intercept
        if logit >= 0:
            return 1.0 / (1.0 + math.exp(-logit))
        return math.exp(logit) / (1.0 + math.exp(logit))

    def confidences(self, matches: Iterable[tuple[float, float]]) -> list[float]:
        """Give the confidences of an item's matches, of which at most one is the product.

        The curve says how likely the first of a ranking is right, whether or not the product is
        sold. A later match is the first of what is left once those before it are known to be
        wrong, so its confidence is that of the curve times the probability that they are: ``c_k =
        p_k (1 - p_1) ... (1 - p_(k-1))``. All of them sum to at most 1.

        Where re-ranking has put a match before one that the curve takes for likelier, the later
        one is given no more: what is recommended most stands first. Nothing hangs on the matches
        behind one, so that it does not matter how many are asked for.

        Args:
            matches: Similarity and what of it re-ranking has added, the best match first.

        Returns:
            Probabilities in [0, 1], none larger than the one before.
        """
        left, most = 1.0, 1.0
        found = []
        for similarity, added in matches:
            own = self.confidence(similarity, added)
            most = min(own * left, most)
            found.append(most)
            left *= 1.0 - own
        return found
