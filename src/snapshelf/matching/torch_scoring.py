"""Studio2Shop's matcher over many articles by PyTorch, in float32, bfloat16 or int8."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.torch_sharing import share_out
from snapshelf.matching.folded_matcher import FoldedMatcher
from snapshelf.matching.named_weights import FloatArray

with torch_extra():
    import torch

__all__ = ["FloatScorer", "Int8Scorer", "fastest_precision"]

BLOCK = 512
"""Articles that one thread takes through both layers at a time: what lies between stays in the
cache, and so do they themselves while one query after the other is matched with them. With 1,024
all articles would take a twentieth less, and a shortlist of 1,000 one thread alone."""

TILE = 64
"""Blocks are filled up to a multiple of so many articles: what processors do with the rest of a
block rounds otherwise, and equal articles would not be equally likely."""

LARGEST = 127
"""What int8 holds on both sides of 0."""

BFLOAT16 = ("amx_bf16", "avx512_bf16", "bf16", "sve_bf16")
INT8 = ("amx_int8", "avx512_vnni", "avx_vnni")


def fastest_precision() -> Literal["float32", "bfloat16", "int8"]:
    """Say what the processor multiplies fastest in."""
    # Older versions of PyTorch do not tell; float32 is right everywhere.
    look = getattr(torch.cpu, "get_capabilities", None)
    able = {} if look is None else look()
    if any(able.get(name, False) for name in INT8) and _multiplies_int8():
        return "int8"
    return "bfloat16" if any(able.get(name, False) for name in BFLOAT16) else "float32"


def _multiplies_int8() -> bool:
    try:
        torch._int_mm(torch.ones(TILE, 64, dtype=torch.int8), torch.ones(64, 64, dtype=torch.int8))
    except (AttributeError, RuntimeError):
        return False
    return True


class FloatScorer:
    """Articles' parts in floating point, and the layers behind them; for any number of threads.

    Blocks are shared among threads, and each product is one thread's: odds are the same to the bit
    whatever their number. NumPy would do for float32, but shares each product among threads of its
    own, which wait for one another, and awake, so that PyTorch's lack the processors.

    Args:
        matcher: Of queries and articles.
        parts: (N, H) float32, the articles' parts of the first layer.
        precision: What is computed in.
    """

    def __init__(
        self,
        matcher: FoldedMatcher,
        parts: FloatArray,
        precision: Literal["float32", "bfloat16"] = "float32",
    ) -> None:
        kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._parts = torch.from_numpy(parts).to(kind)
        self._hidden = torch.from_numpy(matcher.hidden).to(kind)
        self._hidden_bias = torch.from_numpy(matcher.hidden_bias)
        self._output = torch.from_numpy(matcher.output).to(kind)
        self._offset = matcher.offset

    def odds(self, street_parts: FloatArray) -> FloatArray:
        """Match queries with all articles.

        Args:
            street_parts: (Q, H) float32.

        Returns:
            (Q, N) float32, log-odds; of three significant digits in bfloat16.
        """
        kind = self._parts.dtype
        rounded = torch.from_numpy(street_parts).to(kind)
        # Of the rounded numbers, so that the largest of both and what is added are one; each query
        # by itself, so that it finds the same to the bit whatever is asked for beside it.
        hidden = self._hidden.float()
        biases = torch.empty(len(rounded), len(self._hidden_bias), dtype=kind)
        for bias, each in zip(biases, rounded, strict=True):
            bias.copy_(each.float() @ hidden + self._hidden_bias)
        belows = -rounded
        found = np.empty((len(rounded), len(self._parts)), np.float32)

        @torch.inference_mode()
        def match(starts: Iterator[int]) -> None:
            first = torch.zeros(BLOCK, belows.shape[1], dtype=kind)
            second = torch.zeros(BLOCK, biases.shape[1], dtype=kind)
            third = torch.zeros(BLOCK, dtype=kind)
            # A number below 0 is below 0 as a whole number of the same bits too, and of those
            # PyTorch takes many more at a time.
            bits = second.view(torch.int16 if kind == torch.bfloat16 else torch.int32)
            for start in starts:
                part = self._parts[start : start + BLOCK]
                length = len(part)
                filled = -(-length // TILE) * TILE
                for row, below, bias in zip(found, belows, biases, strict=True):
                    torch.maximum(part, below, out=first[:length])
                    torch.addmm(bias, first[:filled], self._hidden, out=second[:filled])
                    bits[:filled].clamp_min_(0)
                    torch.mv(second[:filled], self._output, out=third[:filled])
                    row[start : start + length] = third[:length].float().numpy()

        share_out(range(0, len(self._parts), BLOCK), match)
        found += self._offset
        return found


class Int8Scorer:
    """Articles' parts in int8, and the layers behind them; for any number of threads.

    Each unit of the first layer has a scale of its own, by its largest part, that goes into the
    second layer's weights, and each unit of the second one has one by those. A query's part beyond
    the scale is as good as one at its end: where it is lower, no article passes the unit, and
    where it is higher, all do and it falls into the bias as it is.

    Args:
        matcher: Of queries and articles.
        parts: (N, H) float32, the articles' parts of the first layer.
    """

    def __init__(self, matcher: FoldedMatcher, parts: FloatArray) -> None:
        self._scale = _scale(np.abs(parts).max(0, initial=0))
        self._parts = torch.empty(parts.shape, dtype=torch.int8)
        for start in range(0, len(parts), BLOCK):
            block = np.rint(parts[start : start + BLOCK] / self._scale)
            self._parts[start : start + BLOCK] = torch.from_numpy(block)
        scaled = matcher.hidden * self._scale[:, None]
        self._hidden_scale = _scale(np.abs(scaled).max(0))
        self._exact_hidden = scaled / self._hidden_scale
        self._rounded_hidden = np.rint(self._exact_hidden)
        self._hidden = torch.from_numpy(self._rounded_hidden.astype(np.int8))
        self._hidden_bias, self._offset = matcher.hidden_bias, matcher.offset
        self._output = torch.from_numpy(matcher.output * self._hidden_scale)

    def odds(self, street_parts: FloatArray) -> FloatArray:
        """Match queries with all articles.

        Args:
            street_parts: (Q, H) float32.

        Returns:
            (Q, N) float32, log-odds, of two significant digits.
        """
        own = street_parts / self._scale
        below = np.clip(np.rint(-own), -LARGEST, LARGEST)
        beyond, fixed = np.maximum(own - LARGEST, 0), self._hidden_bias / self._hidden_scale
        added = np.empty((len(own), len(fixed)), np.float32)
        # Each query by itself, so that it finds the same whatever is asked for beside it.
        for row, over, under in zip(added, beyond, below, strict=True):
            row[:] = over @ self._exact_hidden - under @ self._rounded_hidden + fixed
        biases = torch.from_numpy(added)
        belows = torch.from_numpy(below.astype(np.int8))
        found = np.empty((len(own), len(self._parts)), np.float32)

        @torch.inference_mode()
        def match(starts: Iterator[int]) -> None:
            first = torch.zeros(BLOCK, belows.shape[1], dtype=torch.int8)
            product = torch.zeros(BLOCK, biases.shape[1], dtype=torch.int32)
            second = torch.zeros(BLOCK, biases.shape[1])
            bits = second.view(torch.int32)
            for start in starts:
                part = self._parts[start : start + BLOCK]
                length = len(part)
                for row, query, bias in zip(found, belows, biases, strict=True):
                    torch.maximum(part, query, out=first[:length])
                    torch._int_mm(first[:length], self._hidden, out=product[:length])
                    second[:length].copy_(product[:length]).add_(bias)
                    bits[:length].clamp_min_(0)
                    odds = torch.mv(second[:length], self._output)
                    row[start : start + length] = odds.numpy()

        share_out(range(0, len(self._parts), BLOCK), match)
        found += self._offset
        return found


def _scale(largest: FloatArray) -> FloatArray:
    """Give what one step of int8 stands for; 1 where there is nothing to tell apart."""
    scale: FloatArray = np.where(largest > 0, largest / LARGEST, 1).astype(np.float32)
    return scale
