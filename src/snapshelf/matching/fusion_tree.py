"""`FusionTree`: the shape of the tree that fuses the similarities of a trajectory's steps.

Cheng, Wu, Liu, Hua: Video2Shop, Section 4.2 and Fig. 4.
"""

import math
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

__all__ = ["FusionTree"]

MOST_LEAVES = 4096


@dataclass(frozen=True, slots=True)
class FusionTree:
    """How many nodes of a level are fused into one of the next, level by level.

    A level's nodes are its *fusion nodes*: each has a weight vector, and siblings share 1 among
    them. Level 0 has a node for each leaf, that is, for each step of a trajectory; the root, which
    fuses the last level, has no weight and is not counted. The default has 32, 16, 8, 4 and 2
    nodes, 62 in all.

    Attributes:
        branches: Of each level, from the leaves to the root, how many nodes are fused into one;
            at least one number, each at least 2.

    Raises:
        ValueError: If there is no level, a number is below 2, or there are more than 4096 leaves.

    Example:
        >>> tree = FusionTree.from_text("2-4-4")
        >>> tree.leaves, tree.sizes
        (32, (32, 16, 4))
    """

    branches: tuple[int, ...] = (2, 2, 2, 2, 2)

    def __post_init__(self) -> None:
        if not self.branches or min(self.branches) < 2 or math.prod(self.branches) > MOST_LEAVES:
            raise ValueError(
                f"branches must be at least one number, each from 2, of at most {MOST_LEAVES} "
                f"leaves in all, got {list(self.branches)}"
            )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read a shape as Fig. 4 writes it.

        Args:
            text: The branches from the leaves to the root, with hyphens between, such as
                ``2-2-2-4``.

        Raises:
            ValueError: If it is none.
        """
        parts = text.split("-")
        # int() alone would take signs, spaces and underscores too.
        if not all(part.isascii() and part.isdecimal() and len(part) <= 4 for part in parts):
            raise ValueError(
                f"a tree must be whole numbers with hyphens between, as 2-4-4, got {text[:80]!r}"
            )
        return cls(tuple(map(int, parts)))

    def __str__(self) -> str:
        return "-".join(map(str, self.branches))

    @property
    def leaves(self) -> int:
        """The number T of leaves: steps of a trajectory."""
        return math.prod(self.branches)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Fusion nodes of each level, from the leaves."""
        fused = accumulate(
            self.branches[:-1], lambda nodes, branch: nodes // branch, initial=self.leaves
        )
        return tuple(fused)

    @property
    def nodes(self) -> int:
        """Fusion nodes of all levels: the rows of the weights, level behind level."""
        return sum(self.sizes)
