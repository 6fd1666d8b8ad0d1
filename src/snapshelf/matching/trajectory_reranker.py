"""The `TrajectoryReranker` contract: a re-ranker that sees an item of a clip step by step."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from snapshelf.matching.reranker import Reranker
from snapshelf.media.picture import RGB

__all__ = ["TrajectoryReranker"]


@runtime_checkable
class TrajectoryReranker(Reranker, Protocol):
    """A re-ranker whose query may be a trajectory.

    The gallery is described by pictures, as for any re-ranker; a photo searched for is a
    trajectory of one step.
    """

    def describe_trajectory(self, pictures: Sequence[RGB]) -> bytes:
        """Describe an item of a clip; may be called from several threads.

        Args:
            pictures: One for each step in the order of time, at least one; each (H, W, 3) uint8,
                RGB, [0, 255], cut to the item, from 1 x 1, of any sizes.

        Returns:
            What `rerank` needs of it.
        """
        ...
