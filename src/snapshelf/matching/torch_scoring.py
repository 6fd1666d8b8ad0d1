"""Studio2Shop's matcher over all articles by PyTorch, in float32 or bfloat16."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.named_weights import FloatArray

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["TorchScorer", "has_bfloat16"]

BLOCKS = {torch.float32: 1024, torch.bfloat16: 12_500}
"""Articles that go through both layers at a time. In float32 what lies between stays in the
cache; products in bfloat16 are so fast that starting them costs more than that saves."""

CAPABILITIES = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")


def has_bfloat16() -> bool:
    """Say whether the processor has instructions for products in bfloat16."""
    # Older versions of PyTorch do not tell; float32 is right everywhere.
    look = getattr(torch.cpu, "get_capabilities", None)
    return look is not None and any(look().get(name, False) for name in CAPABILITIES)


class TorchScorer:
    """The articles' parts, and the layers behind them; may be used from several threads.

    NumPy would do for float32, but its threads and PyTorch's, which wait awake for a while, get
    in each other's way where both are used by turns.

    Args:
        matcher: Of queries and articles.
        parts: (N, H) float32, the articles' parts of the first layer.
        precision: What `odds` computes in.
    """

    def __init__(
        self, matcher: FoldedMatcher, parts: FloatArray, precision: Literal["float32", "bfloat16"]
    ) -> None:
        self._exact_parts = torch.from_numpy(parts)
        self._type = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._parts = self._exact_parts.to(self._type)
        self._hidden = torch.from_numpy(matcher.hidden)
        self._hidden_bias = torch.from_numpy(matcher.hidden_bias)
        self._output = torch.from_numpy(matcher.output)
        self._offset = float(matcher.offset[0])

    def odds(self, street_part: FloatArray) -> FloatArray:
        """Match one query with all articles, in the scorer's precision.

        Args:
            street_part: (H,) float32.

        Returns:
            (N,) float32, log-odds; of three significant digits in bfloat16.
        """
        return self._odds(street_part, self._parts)

    def exact_odds(self, street_part: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
        """Match one query with some articles, in float32.

        Args:
            street_part: (H,) float32.
            rows: (K,) int64.

        Returns:
            (K,) float32, log-odds.
        """
        return self._odds(street_part, self._exact_parts[torch.from_numpy(rows)])

    @torch.inference_mode()
    def _odds(self, street_part: FloatArray, parts: Tensor) -> FloatArray:
        kind = parts.dtype
        hidden, output = self._hidden.to(kind), self._output.to(kind)
        rounded = torch.from_numpy(street_part).to(kind)
        # Of the rounded numbers, so that the largest of both and what is added are one.
        bias = (rounded.float() @ hidden.float() + self._hidden_bias).to(kind)
        below, block = -rounded, BLOCKS[kind]
        count, size = len(parts), min(block, len(parts))
        found = torch.empty(count, dtype=kind)
        first = torch.empty(size, len(below), dtype=kind)
        second = torch.empty(size, len(bias), dtype=kind)
        # A number below 0 is below 0 as a whole number of the same bits too, and of those
        # PyTorch takes many more at a time.
        bits = second.view(torch.int16 if kind == torch.bfloat16 else torch.int32)
        for start in range(0, count, block):
            part = parts[start : start + block]
            length = len(part)
            torch.maximum(part, below, out=first[:length])
            torch.addmm(bias, first[:length], hidden, out=second[:length])
            bits[:length].clamp_min_(0)
            torch.mv(second[:length], output, out=found[start : start + block])
        odds: FloatArray = found.float().numpy() + np.float32(self._offset)
        return odds
