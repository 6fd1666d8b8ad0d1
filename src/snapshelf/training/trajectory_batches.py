"""Batches of trajectories with the pictures that each is compared with."""

from typing import NamedTuple, Protocol

from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.resumable_batches import ResumableBatches
from snapshelf.training.trajectory_draws import TrajectoryDraws

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["FeatureSource", "TrajectoryBatch", "TrajectoryBatches", "TrajectorySource"]


class TrajectoryBatch(NamedTuple):
    """What AsymNet is trained on in one step: pixels, or features of a network that stays as it is.

    Attributes:
        steps: (n, T, 3, H, W) uint8, RGB, [0, 255], or (n, T, D) float32, features.
        pictures: (n, 2 S, 3, H', W') uint8, RGB, [0, 255], or (n, 2 S, D) float32.
        right: (n, 2 S) bool, whether the picture shows the trajectory's product.
    """

    steps: Tensor
    pictures: Tensor
    right: Tensor


class TrajectorySource(Protocol):
    """Gives trajectories and pictures by their numbers; the same seed gives the same view."""

    def trajectory(self, number: int, seed: tuple[int, ...]) -> Tensor:
        """Give (T, 3, H, W) uint8 or (T, D) float32."""
        ...

    def picture(self, number: int, seed: tuple[int, ...]) -> Tensor:
        """Give (3, H', W') uint8 or (D,) float32."""
        ...


class FeatureSource:
    """Features that were computed once, of trajectories and of pictures.

    Layers learn at their usual rates from features whose numbers have a variance of about 1: those
    of unit length are to be given times the root of D.

    Args:
        trajectories: (N, T, D) float32.
        pictures: (P, D) float32.

    Attributes:
        trajectories: As given.
        pictures: As given.

    Raises:
        ValueError: If the shapes are others or a value is not finite.
    """

    def __init__(self, trajectories: Tensor, pictures: Tensor) -> None:
        if trajectories.ndim != 3 or pictures.shape[1:] != trajectories.shape[2:]:
            raise ValueError(
                "trajectories must be (N, T, D) and pictures (P, D), got "
                f"{tuple(trajectories.shape)} and {tuple(pictures.shape)}"
            )
        if not (torch.isfinite(trajectories).all() and torch.isfinite(pictures).all()):
            raise ValueError("features must be finite, got NaN or infinity")
        self.trajectories, self.pictures = trajectories, pictures

    def trajectory(self, number: int, seed: tuple[int, ...]) -> Tensor:  # noqa: ARG002
        """Give (T, D) float32, whatever the seed."""
        return self.trajectories[number]

    def picture(self, number: int, seed: tuple[int, ...]) -> Tensor:  # noqa: ARG002
        """Give (D,) float32, whatever the seed."""
        return self.pictures[number]


class TrajectoryBatches(ResumableBatches[TrajectoryBatch]):
    """Makes the batches that are drawn; `fit` trains on it.

    Args:
        draws: Says which.
        source: Gives them.
        seed: At least 0, of the views.
    """

    def __init__(self, draws: TrajectoryDraws, source: TrajectorySource, *, seed: int = 0) -> None:
        super().__init__(seed)
        self._draws, self._source = draws, source

    def __len__(self) -> int:
        return len(self._draws)

    def _draw(self, number: int) -> TrajectoryBatch:
        rows = self._draws.draw(self._epoch, number)
        seed = (self._seed, self._epoch, number)
        steps = [
            self._source.trajectory(each, (*seed, place))
            for place, each in enumerate(rows.trajectories.tolist())
        ]
        pictures = [
            torch.stack(
                [
                    self._source.picture(each, (*seed, place, order))
                    for order, each in enumerate(own)
                ]
            )
            for place, own in enumerate(rows.pictures.tolist())
        ]
        return TrajectoryBatch(
            torch.stack(steps), torch.stack(pictures), torch.from_numpy(rows.right)
        )
