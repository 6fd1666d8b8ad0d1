"""From a similarity to the probability that a match is the product searched for."""

import math
from dataclasses import dataclass

__all__ = ["Calibration"]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A logistic curve over the similarity (Platt scaling).

    Confidence is ``1 / (1 + exp(-(slope * similarity + intercept)))``.

    Attributes:
        slope: Not negative, so a larger similarity never gives a smaller confidence.
        intercept: Shifts the curve.
        threshold: An item is in the catalogue when its best match's confidence, in [0, 1],
            reaches this.
    """

    slope: float = 4.0
    intercept: float = -2.0
    threshold: float = 0.5

    def confidence(self, similarity: float) -> float:
        """Give the confidence of a match.

        Args:
            similarity: Of a `Match`: of embeddings in [-1, 1], of a re-ranker on its own scale.

        Returns:
            Probability in [0, 1].
        """
        logit = self.slope * similarity + self.intercept
        if logit >= 0:
            return 1.0 / (1.0 + math.exp(-logit))
        return math.exp(logit) / (1.0 + math.exp(logit))
