"""`SimilarityNetwork`: how alike a trajectory and a picture are, as it is trained.

Cheng, Wu, Liu, Hua: Video2Shop, Section 4.
"""

from typing import NamedTuple, Self

import numpy as np

from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.expert_fusion import fused_odds, log_gates, node_features
from snapshelf.matching.folded_similarity import FoldedSimilarity
from snapshelf.matching.fusion_tree import FusionTree

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import linear

__all__ = ["Leaves", "SimilarityNetwork"]


class Leaves(NamedTuple):
    """What the single similarity network gives for each step of each pair.

    Attributes:
        hidden: (B, M, T, K) float, at least 0: x, of the first layer.
        odds: (B, M, T) float: z, the log-odds of Eq. 2.
    """

    hidden: Tensor
    odds: Tensor


class SimilarityNetwork(nn.Module):
    """One single similarity network for all steps, and the weights of the fusion nodes.

    ``z = relu(h W_h + m W_m + b) v + d`` of a hidden state h and a picture's features m: two
    layers, "256 (fc1) and 1 (fc2)". The paper prints no activation between them; without one they
    would be a single layer. The fusion nodes start at 0, that is, with the mean of all steps.

    Args:
        states: Length H of a hidden state, at least 1.
        features: Length D of a picture's features, at least 1.
        hidden: Length K of the first layer, at least 1.
        tree: Of the fusion nodes; its leaves are a trajectory's steps.

    Attributes:
        states: As given.
        features: As given.
        tree: As given.

    Raises:
        ValueError: If a number is out of range.
    """

    def __init__(
        self, states: int, features: int, *, hidden: int = 256, tree: FusionTree | None = None
    ) -> None:
        super().__init__()
        if min(states, features, hidden) < 1:
            raise ValueError(
                "states, features and hidden must be at least 1, got "
                f"{states}, {features} and {hidden}"
            )
        self.tree = tree or FusionTree()
        self.states, self.features = states, features
        self.first = nn.Linear(states + features, hidden)
        self.second = nn.Linear(hidden, 1)
        self.gates = nn.Parameter(torch.zeros(self.tree.nodes, hidden))

    @classmethod
    def unfold(cls, folded: FoldedSimilarity) -> Self:
        """Make the network of what `fold` gave, to train it further."""
        tensors = {name: torch.from_numpy(each) for name, each in folded.tensors().items()}
        states, hidden = folded.street.shape
        network = cls(states, len(folded.shop), hidden=hidden, tree=folded.tree)
        with torch.no_grad():
            network.first.weight.copy_(torch.cat([tensors["street"], tensors["shop"]]).T)
            network.first.bias.copy_(tensors["bias"])
            network.second.weight.copy_(tensors["output"][None])
            network.second.bias.copy_(tensors["offset"])
            network.gates.copy_(tensors["gates"])
        return network

    def single_parameters(self) -> list[nn.Parameter]:
        """Give the weights of the single similarity network, W of Eq. 5."""
        return [*self.first.parameters(), *self.second.parameters()]

    def leaves(self, states: Tensor, features: Tensor) -> Leaves:
        """Match every step of each trajectory with pictures of its own.

        Each part of the first layer is computed once: a trajectory's for all its pictures, and a
        picture's for all steps.

        Args:
            states: (B, T, H) float, T the tree's leaves.
            features: (B, M, D) float.

        Raises:
            ValueError: If the shapes are others.
        """
        wanted = (self.states, self.features)
        if (
            states.ndim != 3
            or features.ndim != 3
            or len(states) != len(features)
            or states.shape[1] != self.tree.leaves
            or (states.shape[2], features.shape[2]) != wanted
        ):
            raise ValueError(
                f"states must be (B, {self.tree.leaves}, {wanted[0]}) and features "
                f"(B, M, {wanted[1]}), got {tuple(states.shape)} and {tuple(features.shape)}"
            )
        of_state, of_image = self._parts()
        own = linear(states, of_state, self.first.bias)[:, None]
        shown = linear(features, of_image)[:, :, None]
        hidden = (own + shown).relu()
        return Leaves(hidden, self.second(hidden)[..., 0])

    def fuse(self, leaves: Leaves) -> Tensor:
        """Fuse the similarities of the steps by the tree.

        Args:
            leaves: As `leaves` gives them.

        Returns:
            (B, M) float, log-odds.
        """
        inputs = node_features(leaves.hidden, self.tree)
        return fused_odds(leaves.odds, log_gates(inputs, self.gates, self.tree), self.tree)

    def forward(self, states: Tensor, features: Tensor) -> Tensor:
        """Match trajectories with pictures of their own.

        Args:
            states: (B, T, H) float, T the tree's leaves.
            features: (B, M, D) float.

        Returns:
            (B, M) float, log-odds of the global similarity Y.
        """
        return self.fuse(self.leaves(states, features))

    def fold(self) -> FoldedSimilarity:
        """Give the same match as it is now, with all that can be done before a query split off."""
        with torch.no_grad():
            of_state, of_image = self._parts()
            tensors = {
                "street": of_state.T,
                "shop": of_image.T,
                "bias": self.first.bias,
                "output": self.second.weight[0],
                "offset": self.second.bias,
                "gates": self.gates,
                "branches": torch.tensor(self.tree.branches),
            }
        # Copies, so that training may go on.
        return FoldedSimilarity.from_tensors(
            {
                name: np.array(tensor.detach().float().cpu().numpy(), order="C")
                for name, tensor in tensors.items()
            }
        )

    def _parts(self) -> tuple[Tensor, Tensor]:
        """Give W_h and W_m, transposed."""
        return self.first.weight[:, : self.states], self.first.weight[:, self.states :]
