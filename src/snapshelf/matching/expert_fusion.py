"""A hierarchical mixture of experts over a trajectory's steps: gates, and what they fuse.

Cheng, Wu, Liu, Hua: Video2Shop, Section 4.2, after Jordan, Jacobs: Hierarchical Mixtures of
Experts and the EM Algorithm, 1994. Everything is in logarithms, so that nothing is lost where a
similarity is all but 0 or 1.
"""

from collections.abc import Sequence

from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.fusion_tree import FusionTree

with torch_extra():
    import torch
    from torch import Tensor
    from torch.nn.functional import logsigmoid

__all__ = ["fused_odds", "leaf_shares", "log_gates", "node_features", "siblings"]


def node_features(hidden: Tensor, tree: FusionTree) -> list[Tensor]:
    """Give what each fusion node looks at: x_ij of a leaf, and means of it further up.

    Section 4.2: "x_j is an average pooling vector from multiple x_ij".

    Args:
        hidden: (..., T, K) float, what the first layer of the single similarity network gives
            for each step.
        tree: Of T leaves.

    Returns:
        For each level (..., N, K), N its nodes.

    Raises:
        ValueError: If there is another number of steps.
    """
    if hidden.ndim < 2 or hidden.shape[-2] != tree.leaves:
        raise ValueError(
            f"hidden must be (..., {tree.leaves}, K) for the tree {tree}, got {tuple(hidden.shape)}"
        )
    found = [hidden]
    for branch in tree.branches[:-1]:
        below = found[-1]
        *leading, nodes, width = below.shape
        found.append(below.reshape(*leading, nodes // branch, branch, width).mean(-2))
    return found


def log_gates(inputs: Sequence[Tensor], weights: Tensor, tree: FusionTree) -> list[Tensor]:
    """Give the weight of each fusion node among its siblings.

    Eq. 3 and 4, read with the sum over the siblings k of a node (both indices of the printed sum
    are the node's own)::

        g = exp(v . x) / sum_k exp(v_k . x_k)

    Args:
        inputs: For each level (..., N, K), as `node_features` gives them.
        weights: (nodes, K), v, level behind level.
        tree: Their shape.

    Returns:
        For each level (..., N), log g.

    Raises:
        ValueError: If the weights are of another shape.
    """
    if weights.shape != (tree.nodes, inputs[0].shape[-1]):
        raise ValueError(
            f"weights must be ({tree.nodes}, {inputs[0].shape[-1]}) for the tree {tree}, got "
            f"{tuple(weights.shape)}"
        )
    levels = torch.split(weights, list(tree.sizes))
    both = zip(inputs, levels, tree.branches, strict=True)
    return [siblings((x * v).sum(-1), branch).log_softmax(-1).flatten(-2) for x, v, branch in both]


def fused_odds(odds: Tensor, gates: Sequence[Tensor], tree: FusionTree) -> Tensor:
    """Give the log-odds of the global similarity.

    Eq. 6, level by level: ``P = sum_j g_j sum_i g_i|j y_ij``, and the same of 1 - y, of whose
    logarithms the log-odds are the difference.

    Args:
        odds: (..., T) float, the log-odds z of the single similarities, Eq. 2.
        gates: For each level (..., N), log g.
        tree: Their shape.

    Returns:
        (...) float, ``log(P / (1 - P))``.
    """
    right, wrong = logsigmoid(odds), logsigmoid(-odds)
    for gate, branch in zip(gates, tree.branches, strict=True):
        right = siblings(gate + right, branch).logsumexp(-1)
        wrong = siblings(gate + wrong, branch).logsumexp(-1)
    return (right - wrong).squeeze(-1)


def leaf_shares(gates: Sequence[Tensor], tree: FusionTree) -> Tensor:
    """Give what each step has of the whole: the product of the gates above it.

    Args:
        gates: For each level (..., N), log g.
        tree: Their shape.

    Returns:
        (..., T), in [0, 1], summing to 1.
    """
    total = gates[-1]
    for gate, branch in zip(gates[-2::-1], tree.branches[-2::-1], strict=True):
        total = (siblings(gate, branch) + total.unsqueeze(-1)).flatten(-2)
    return total.exp()


def siblings(values: Tensor, branch: int) -> Tensor:
    """Give the values of a level's nodes, those under one node together.

    Args:
        values: (..., N), N divisible by `branch`.
        branch: How many are under one node.

    Returns:
        (..., N / branch, branch).
    """
    return values.reshape(*values.shape[:-1], values.shape[-1] // branch, branch)
