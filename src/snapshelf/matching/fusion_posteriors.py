"""How fusion nodes learn from posteriors while the single similarities stay as they are.

Cheng, Wu, Liu, Hua: Video2Shop, Section 4.3, Eq. 7 to 11, for trees of any depth: "each SSN is
expanded recursively into a fusion node and a set of sub-SSN networks". In the printed equations
the indices i and j change places; they are read as Jordan and Jacobs (1994) have them.
"""

from collections.abc import Sequence
from typing import NamedTuple

from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.expert_fusion import siblings
from snapshelf.matching.fusion_tree import FusionTree

with torch_extra():
    import torch
    from torch import Tensor
    from torch.nn.functional import logsigmoid

__all__ = ["Posteriors", "fusion_gradients", "fusion_posteriors"]


class Posteriors(NamedTuple):
    """What is known of the fusion nodes once the right answer is.

    Attributes:
        nodes: For each level (..., N), h: how likely a node has given the answer, if its parent
            has; siblings sum to 1.
        likelihood: (...), the logarithm of how likely the tree found the answer, Eq. 9.
    """

    nodes: list[Tensor]
    likelihood: Tensor


def fusion_posteriors(
    odds: Tensor, gates: Sequence[Tensor], right: Tensor, tree: FusionTree
) -> Posteriors:
    """Weigh the fusion nodes by how well those below them found the right answer.

    Eq. 7 and 8 by Bayes' rule: ``h = g P / sum of g P over the siblings``, with P of a leaf its
    similarity y where the pair matches and 1 - y where it does not, and P of a node the sum of
    g P over the nodes below it.

    Args:
        odds: (..., T) float, the log-odds of the single similarities.
        gates: For each level (..., N), log g.
        right: (...) bool, whether the pair matches.
        tree: Their shape.

    Raises:
        ValueError: If `right` is of another type or shape.
    """
    if right.dtype != torch.bool or right.shape != odds.shape[:-1]:
        raise ValueError(
            f"right must be bool of shape {tuple(odds.shape[:-1])}, got {right.dtype} of shape "
            f"{tuple(right.shape)}"
        )
    likely = logsigmoid(torch.where(right.unsqueeze(-1), odds, -odds))
    nodes = []
    for gate, branch in zip(gates, tree.branches, strict=True):
        joint = siblings(gate + likely, branch)
        nodes.append(joint.softmax(-1).flatten(-2))
        likely = joint.logsumexp(-1)
    return Posteriors(nodes, likely.squeeze(-1))


def fusion_gradients(
    inputs: Sequence[Tensor], gates: Sequence[Tensor], nodes: Sequence[Tensor], tree: FusionTree
) -> Tensor:
    """Give the direction in which the fusion nodes' weights make the right answers likelier.

    Eq. 10 and 11, without the learning rate: ``sum_t h_above (h - g) x``, where h_above is the
    product of the posteriors of all nodes above, 1 for the last level. With everything below them
    held fixed it is the gradient of Eq. 9.

    Args:
        inputs: For each level (..., N, K), x.
        gates: For each level (..., N), log g.
        nodes: For each level (..., N), h.
        tree: Their shape.

    Returns:
        (nodes, K), level behind level: the sum over all leading dimensions.
    """
    found: list[Tensor] = []
    above = torch.ones_like(nodes[-1])
    for level in range(len(tree.branches) - 1, -1, -1):
        pull = above * (nodes[level] - gates[level].exp())
        flat = inputs[level].flatten(0, -3)
        found.append(torch.einsum("tn,tnk->nk", pull.flatten(0, -2), flat))
        if level:
            above = (above * nodes[level]).repeat_interleave(tree.branches[level - 1], -1)
    return torch.cat(found[::-1])
