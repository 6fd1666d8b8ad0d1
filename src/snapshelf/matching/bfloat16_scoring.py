"""Studio2Shop's matcher in bfloat16, on processors that multiply matrices in it."""

import numpy as np

from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.folded_matcher import FloatArray, FoldedMatcher

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["Bfloat16Scorer", "has_bfloat16"]

BLOCK = 12_500
"""Articles that go through both layers at a time. The products are so fast that starting them
costs more than what smaller blocks save by staying in the cache."""

CAPABILITIES = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")


def has_bfloat16() -> bool:
    """Say whether the processor has instructions for products in bfloat16."""
    # Older versions of PyTorch do not tell; float32 is right everywhere.
    look = getattr(torch.cpu, "get_capabilities", None)
    return look is not None and any(look().get(name, False) for name in CAPABILITIES)


class Bfloat16Scorer:
    """The articles' parts in bfloat16; may be used from several threads.

    Args:
        matcher: Of queries and articles.
        parts: (N, H) float32, the articles' parts of the first layer.
    """

    def __init__(self, matcher: FoldedMatcher, parts: FloatArray) -> None:
        self._parts = torch.from_numpy(parts).bfloat16()
        self._hidden = torch.from_numpy(matcher.hidden).bfloat16()
        self._hidden_bias = torch.from_numpy(matcher.hidden_bias)
        self._output = torch.from_numpy(matcher.output).bfloat16()
        self._offset = float(matcher.offset[0])

    def odds(self, street_part: FloatArray) -> FloatArray:
        """Match one query with all articles.

        Args:
            street_part: (H,) float32.

        Returns:
            (N,) float32, log-odds of three significant digits.
        """
        with torch.inference_mode():
            rounded = torch.from_numpy(street_part).bfloat16()
            # Of the rounded numbers, so that the largest of both and what is added are one.
            bias = (rounded.float() @ self._hidden.float() + self._hidden_bias).bfloat16()
            found: FloatArray = self._odds(-rounded, bias).float().numpy()
        found += np.float32(self._offset)
        return found

    def _odds(self, below: Tensor, bias: Tensor) -> Tensor:
        count, size = len(self._parts), min(BLOCK, len(self._parts))
        found = torch.empty(count, dtype=torch.bfloat16)
        first = torch.empty(size, len(below), dtype=torch.bfloat16)
        second = torch.empty(size, len(bias), dtype=torch.bfloat16)
        # A number below 0 is below 0 as a whole number of the same bits too, and of those
        # PyTorch takes many more at a time.
        bits = second.view(torch.int16)
        for start in range(0, count, BLOCK):
            block = self._parts[start : start + BLOCK]
            length = len(block)
            torch.maximum(block, below, out=first[:length])
            torch.addmm(bias, first[:length], self._hidden, out=second[:length])
            bits[:length].clamp_min_(0)
            torch.mv(second[:length], self._output, out=found[start : start + BLOCK])
        return found
