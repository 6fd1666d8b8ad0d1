"""The metric network: how likely it is that two feature vectors show the same product.

Kiapour, Han, Lazebnik, Berg, Berg: Where to Buy It: Matching Street Clothing Photos in Online
Shops, 2015, with the two layers that are asked for by the baseline of Zhan, Shi, Kot: Cross-Domain
Shoe Retrieval using a Three-Level Deep Feature Representation, Table I.
"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from snapshelf.matching.named_weights import FloatArray, NamedWeights
from snapshelf.matching.odds import probabilities_of

__all__ = ["MetricNetwork"]


@dataclass(frozen=True, slots=True, eq=False)
class MetricNetwork(NamedWeights):
    """A hidden layer over a street and a shop feature, and one unit on top.

    ``p = sigmoid(relu(q W_q + g W_g + b) v + c)``: the first layer over ``[q, g]`` falls into a
    part for each, which is computed once for each picture. Two units with a softmax, as
    cross-entropy over same and different wants, are the same as this one.

    Attributes:
        street: (F, H) float32, W_q.
        shop: (F, H) float32, W_g.
        bias: (H,) float32, b.
        output: (H,) float32, v.
        offset: (1,) float32, c.
    """

    street: FloatArray
    shop: FloatArray
    bias: FloatArray
    output: FloatArray
    offset: FloatArray

    def __post_init__(self) -> None:
        """Refuse what is no such network.

        Raises:
            ValueError: If the shapes do not go together or a value is not finite.
        """
        shapes = [getattr(self, field.name).shape for field in fields(self)]
        hidden = self.street.shape[-1:]
        expected = [self.street.shape, self.street.shape, hidden, hidden, (1,)]
        if self.street.ndim != 2 or shapes != expected:
            raise ValueError(
                "street and shop must be (F, H), bias and output (H,) and offset (1,), got "
                f"{shapes}"
            )
        self.check_finite()

    @property
    def hidden(self) -> int:
        """Length H of the hidden layer."""
        return len(self.bias)

    def street_part(self, features: FloatArray) -> FloatArray:
        """Give what a query adds to the hidden layer.

        Args:
            features: (..., F) float32.

        Returns:
            (..., H) float32, with the bias.
        """
        part: FloatArray = features @ self.street + self.bias
        return part

    def shop_part(self, features: FloatArray) -> FloatArray:
        """Give what a gallery item adds to the hidden layer.

        Args:
            features: (..., F) float32.

        Returns:
            (..., H) float32.
        """
        part: FloatArray = features @ self.shop
        return part

    def probabilities(self, street_part: FloatArray, shop_parts: FloatArray) -> NDArray[np.float64]:
        """Say how likely a query shows the product of each gallery item.

        Args:
            street_part: (H,) float32.
            shop_parts: (N, H) float32, N may be 0.

        Returns:
            (N,) float64, in [0, 1].
        """
        hidden = np.maximum(street_part + shop_parts, 0)
        odds = (hidden @ self.output).astype(np.float64) + float(self.offset[0])
        return probabilities_of(odds)
