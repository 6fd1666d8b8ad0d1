"""Studio2Shop's matcher over all articles by PyTorch, in float32 or bfloat16."""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.torch_sharing import share_out
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.named_weights import FloatArray

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["TorchScorer", "has_bfloat16"]

BLOCKS = {torch.float32: 1024, torch.bfloat16: 4096}
"""Articles that one thread takes through both layers at a time. In float32 what lies between stays
in the cache; products in bfloat16 are so fast that starting them costs more than that saves."""

CAPABILITIES = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")


def has_bfloat16() -> bool:
    """Say whether the processor has instructions for products in bfloat16."""
    # Older versions of PyTorch do not tell; float32 is right everywhere.
    look = getattr(torch.cpu, "get_capabilities", None)
    return look is not None and any(look().get(name, False) for name in CAPABILITIES)


class TorchScorer:
    """The articles' parts, and the layers behind them; may be used from several threads.

    Blocks are shared among threads, and each product is one thread's: odds are the same to the bit
    whatever their number. NumPy would do for float32, but shares each product among threads of its
    own, which wait for one another, and awake, so that PyTorch's lack the processors.

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
        # By NumPy, in this thread alone: PyTorch's, once woken, would be in the way for a while.
        return self._odds(street_part, torch.from_numpy(self._exact_parts.numpy()[rows]))

    def _odds(self, street_part: FloatArray, parts: Tensor) -> FloatArray:
        found = np.empty(len(parts), np.float32)
        blocks = range(0, len(parts), BLOCKS[parts.dtype])
        share_out(blocks, partial(self._match, torch.from_numpy(street_part), parts, found))
        found += np.float32(self._offset)
        return found

    @torch.inference_mode()
    def _match(
        self, street_part: Tensor, parts: Tensor, found: FloatArray, starts: Iterator[int]
    ) -> None:
        """Match one query with the articles of some blocks, all but the offset."""
        kind = parts.dtype
        hidden, output = self._hidden.to(kind), self._output.to(kind)
        rounded = street_part.to(kind)
        # Of the rounded numbers, so that the largest of both and what is added are one.
        bias = (rounded.float() @ hidden.float() + self._hidden_bias).to(kind)
        below, block = -rounded, BLOCKS[kind]
        size = min(block, len(parts))
        first = torch.empty(size, len(below), dtype=kind)
        second = torch.empty(size, len(bias), dtype=kind)
        odds = torch.empty(size, dtype=kind)
        # A number below 0 is below 0 as a whole number of the same bits too, and of those
        # PyTorch takes many more at a time.
        bits = second.view(torch.int16 if kind == torch.bfloat16 else torch.int32)
        for start in starts:
            part = parts[start : start + block]
            length = len(part)
            torch.maximum(part, below, out=first[:length])
            torch.addmm(bias, first[:length], hidden, out=second[:length])
            bits[:length].clamp_min_(0)
            torch.mv(second[:length], output, out=odds[:length])
            found[start : start + length] = odds[:length].float().numpy()
