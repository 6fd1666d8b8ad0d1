"""`FoldedMatcher`: the non-linear match of Studio2Shop, with all that can be done before a query.

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles, Section 4.1.
"""

from dataclasses import dataclass, fields

import numpy as np

from snapshelf.matching.named_weights import FloatArray, NamedWeights

__all__ = ["FoldedMatcher"]

BLOCK = 1024
"""Articles that go through both layers at a time: what lies between stays in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class FoldedMatcher(NamedWeights):
    """A first layer that falls into a query's and an article's part, and two more layers.

    ``x = relu(relu(f W_f + a W_a + b) W + c) v + d`` are the log-odds that the query with the
    feature f shows the article with the feature a. A batch norm before the first layer is folded
    into it, and ``a W_a`` is computed once for each article. As
    ``relu(p + g) = max(g, -p) + p``, one pass over the articles' parts g is enough: the added p
    falls into the second layer's bias, which becomes ``p W + c``.

    Attributes:
        street: (D, H) float32, W_f.
        shop: (D, H) float32, W_a.
        bias: (H,) float32, b.
        hidden: (H, K) float32, W.
        hidden_bias: (K,) float32, c.
        output: (K,) float32, v.
        offset: (1,) float32, d.
    """

    street: FloatArray
    shop: FloatArray
    bias: FloatArray
    hidden: FloatArray
    hidden_bias: FloatArray
    output: FloatArray
    offset: FloatArray

    def __post_init__(self) -> None:
        """Refuse what is no such matcher.

        Raises:
            ValueError: If the shapes do not go together or a value is not finite.
        """
        shapes = {field.name: getattr(self, field.name).shape for field in fields(self)}
        if self.street.ndim == 2 and self.hidden.ndim == 2:
            length, first = self.street.shape
            second = self.hidden.shape[1]
            expected: dict[str, tuple[int, ...]] = {
                "street": (length, first),
                "shop": (length, first),
                "bias": (first,),
                "hidden": (first, second),
                "hidden_bias": (second,),
                "output": (second,),
                "offset": (1,),
            }
        else:
            expected = {}
        if shapes != expected or not self.street.size or not self.hidden.size:
            raise ValueError(
                "street and shop must be (D, H), bias (H,), hidden (H, K), hidden_bias and output "
                f"(K,) and offset (1,), got {shapes}"
            )
        self.check_finite()

    @property
    def dimension(self) -> int:
        """Length D of a feature."""
        return len(self.street)

    def street_parts(self, features: FloatArray) -> FloatArray:
        """Give what queries add to the first layer.

        Args:
            features: (..., D) float32.

        Returns:
            (..., H) float32, with the bias.
        """
        parts: FloatArray = features @ self.street + self.bias
        return parts

    def shop_parts(self, features: FloatArray) -> FloatArray:
        """Give what articles add to the first layer.

        Args:
            features: (..., D) float32.

        Returns:
            (..., H) float32.
        """
        parts: FloatArray = features @ self.shop
        return parts

    def odds(self, street_part: FloatArray, shop_parts: FloatArray) -> FloatArray:
        """Match one query with articles, in float32.

        Args:
            street_part: (H,) float32.
            shop_parts: (N, H) float32, N may be 0.

        Returns:
            (N,) float32, log-odds; `probabilities_of` makes probabilities of them.
        """
        below = -street_part
        bias = street_part @ self.hidden + self.hidden_bias
        found = np.empty(len(shop_parts), np.float32)
        size = min(BLOCK, len(shop_parts))
        first = np.empty((size, len(below)), np.float32)
        second = np.empty((size, len(bias)), np.float32)
        for start in range(0, len(shop_parts), BLOCK):
            block = shop_parts[start : start + BLOCK]
            one, two = first[: len(block)], second[: len(block)]
            np.maximum(block, below, out=one)
            np.matmul(one, self.hidden, out=two)
            two += bias
            np.maximum(two, 0, out=two)
            np.matmul(two, self.output, out=found[start : start + BLOCK])
        found += self.offset
        return found
