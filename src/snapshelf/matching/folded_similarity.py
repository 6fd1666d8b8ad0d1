"""`FoldedSimilarity`: AsymNet's similarity network, split into a trajectory's and a picture's part.

Cheng, Wu, Liu, Hua: Video2Shop, Section 4.
"""

from dataclasses import dataclass, fields

import numpy as np

from snapshelf.matching.fusion_tree import FusionTree
from snapshelf.matching.named_weights import FloatArray, NamedWeights

__all__ = ["FoldedSimilarity"]


@dataclass(frozen=True, slots=True, eq=False)
class FoldedSimilarity(NamedWeights):
    """The weights of a `SimilarityNetwork`, as a file holds them and `SimilarityGallery` uses them.

    The first layer ``relu(h W_h + b + m W_m)`` falls into a part for each step of a trajectory and
    one for each picture, which is computed once.

    Attributes:
        street: (H, K) float32, W_h.
        shop: (D, K) float32, W_m.
        bias: (K,) float32, b.
        output: (K,) float32, v of the second layer.
        offset: (1,) float32, d of the second layer.
        gates: (nodes, K) float32, of the fusion nodes, level behind level.
        branches: (levels,) float32, whole numbers: the shape of the tree.
    """

    street: FloatArray
    shop: FloatArray
    bias: FloatArray
    output: FloatArray
    offset: FloatArray
    gates: FloatArray
    branches: FloatArray

    def __post_init__(self) -> None:
        """Refuse what is no such network.

        Raises:
            ValueError: If the shapes do not go together or a value is not finite.
        """
        self.check_finite()
        shapes = {field.name: getattr(self, field.name).shape for field in fields(self)}
        if self.branches.ndim != 1 or (self.branches != np.round(self.branches)).any():
            raise ValueError(f"branches must be whole numbers, got {self.branches.tolist()}")
        tree, width = self.tree, self.bias.shape[-1:]
        expected = {
            "street": (*self.street.shape[:1], *width),
            "shop": (*self.shop.shape[:1], *width),
            "bias": width,
            "output": width,
            "offset": (1,),
            "gates": (tree.nodes, *width),
            "branches": (len(tree.branches),),
        }
        if shapes != expected or not all(map(np.size, (self.street, self.shop, self.bias))):
            raise ValueError(
                "street must be (H, K), shop (D, K), bias and output (K,), offset (1,) and gates "
                f"({tree.nodes}, K) for the tree {tree}, got {shapes}"
            )

    @property
    def tree(self) -> FusionTree:
        """The shape of the tree."""
        return FusionTree(tuple(int(branch) for branch in self.branches.tolist()))

    def street_parts(self, states: FloatArray) -> FloatArray:
        """Give what the steps of trajectories add to the first layer.

        Args:
            states: (..., H) float32.

        Returns:
            (..., K) float32, with the bias.
        """
        parts: FloatArray = states @ self.street + self.bias
        return parts

    def shop_parts(self, features: FloatArray) -> FloatArray:
        """Give what pictures add to the first layer.

        Args:
            features: (..., D) float32.

        Returns:
            (..., K) float32.
        """
        parts: FloatArray = features @ self.shop
        return parts
