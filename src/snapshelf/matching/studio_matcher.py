"""`StudioMatcher`: the non-linear match of Studio2Shop, as it is trained.

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles, Section 4.1
and the table "Architecture of Studio2Shop" of the appendix.
"""

import numpy as np

from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.folded_matcher import FoldedMatcher

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["StudioMatcher"]


class StudioMatcher(nn.Module):
    """Says how likely a query shows an article, of both their features.

    ``[f, a]`` goes through a batch norm, two layers with a ReLU and a unit with a sigmoid. The
    unit's log-odds are given, from which the loss is computed without an overflow.

    Args:
        dimension: Length D of a feature, of a query's as of an article's, at least 1; the paper's
            is 128.
        hidden: Length H of both hidden layers, at least 1; the paper's is 256.

    Attributes:
        dimension: As given.

    Raises:
        ValueError: If a number is out of range.
    """

    def __init__(self, dimension: int = 128, hidden: int = 256) -> None:
        super().__init__()
        if min(dimension, hidden) < 1:
            raise ValueError(
                f"dimension and hidden must be at least 1, got {dimension} and {hidden}"
            )
        self.dimension = dimension
        self.norm = nn.BatchNorm1d(2 * dimension)
        self.first = nn.Linear(2 * dimension, hidden)
        self.second = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, 1)

    def forward(self, queries: Tensor, articles: Tensor) -> Tensor:
        """Match each query with articles of its own.

        Args:
            queries: (B, D) float.
            articles: (B, M, D) float, M >= 1.

        Returns:
            (B, M) float, log-odds.

        Raises:
            ValueError: If the shapes are others.
        """
        wanted = (len(queries), *articles.shape[1:2], self.dimension)
        if queries.ndim != 2 or tuple(articles.shape) != wanted or queries.shape[1] != wanted[-1]:
            raise ValueError(
                f"queries must be (B, {self.dimension}) and articles (B, M, {self.dimension}), "
                f"got {tuple(queries.shape)} and {tuple(articles.shape)}"
            )
        pairs = torch.cat([queries[:, None].expand_as(articles), articles], dim=2).flatten(0, 1)
        hidden = self.second(self.first(self.norm(pairs)).relu()).relu()
        odds: Tensor = self.output(hidden).reshape(articles.shape[:2])
        return odds

    def fold(self) -> FoldedMatcher:
        """Give the same match, with the statistics of the batch norm as they are now, made fast.

        The norm ``s x + t``, with ``s = gamma / sqrt(var + eps)`` and ``t = beta - s mean``, and
        the first layer ``W y + b`` are one layer ``W s x + (W t + b)``. Folded in float64.
        """
        norm, dimension = self.norm, self.dimension
        mean, variance = norm.running_mean, norm.running_var
        assert mean is not None
        assert variance is not None
        with torch.no_grad():
            scale = norm.weight.double() / (variance.double() + norm.eps).sqrt()
            shift = norm.bias.double() - scale * mean.double()
            first = self.first.weight.double()
            folded = (first * scale).T
            tensors = {
                "street": folded[:dimension],
                "shop": folded[dimension:],
                "bias": first @ shift + self.first.bias.double(),
                "hidden": self.second.weight.T,
                "hidden_bias": self.second.bias,
                "output": self.output.weight[0],
                "offset": self.output.bias,
            }
        # Copies, so that training may go on.
        return FoldedMatcher.from_tensors(
            {
                name: np.array(tensor.detach().float().cpu().numpy(), order="C")
                for name, tensor in tensors.items()
            }
        )
