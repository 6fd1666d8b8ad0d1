"""`SimilarityGallery`: pictures of a shop, matched with trajectories by AsymNet's network."""

from collections.abc import Iterator
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.torch_sharing import share_out
from snapshelf.matching.assortment import Found
from snapshelf.matching.folded_similarity import FoldedSimilarity
from snapshelf.matching.leading_rows import leading_rows
from snapshelf.matching.named_weights import FloatArray
from snapshelf.matching.odds import probabilities_of

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["SimilarityGallery"]

BLOCK = 512
"""Pictures that one thread goes through at a time: what lies between stays in the cache, and a
shortlist of 1,000 is enough for two threads. 1,024 would be faster by a twentieth at most."""

TILE = 64
"""Blocks are filled up to a multiple of so many pictures: what processors do with the rest of a
block rounds otherwise, and equal pictures would not be equally similar."""

SUREST = 60.0
"""Log-odds of a step are cut off here: of the probabilities beyond, products would vanish."""


class SimilarityGallery:
    """The pictures' parts of the first layer, computed once, and what goes through all of them.

    With ``relu(p + q) = max(q, -p) + p`` one pass over the pictures' parts q is enough for each
    step's part p, and the added p falls into constants. A fusion node looks at the mean of what is
    below it, so its ``v . x`` is a mean of the steps' ``v . x``: every step needs one product with
    each level's weights and one with the second layer's, of which all but the sums over a block of
    pictures is done before. The tree is evaluated for a block at once, for y and for 1 - y, so
    that the log-odds are as exact near 1 as near 0.

    bfloat16 is no faster: the products are so small that the maxima are half of the time, and
    PyTorch takes those in float32.

    Blocks are shared among threads, and each product is one thread's: what is found is the same to
    the bit whatever their number. May be used from several threads.

    Args:
        similarity: Of trajectories and pictures.
        features: (N, D) float32, of the pictures; N may be 0.

    Attributes:
        similarity: As given.

    Raises:
        ValueError: If the features are of another length or not finite.
    """

    def __init__(self, similarity: FoldedSimilarity, features: FloatArray) -> None:
        self.similarity = similarity
        self.tree = tree = similarity.tree
        length = len(similarity.shop)
        if features.ndim != 2 or features.shape[1] != length:
            raise ValueError(f"features must be (N, {length}), got {features.shape}")
        if not np.isfinite(features).all():
            raise ValueError("features must be finite, got NaN or infinity")
        self._take(similarity.shop_parts(features))
        self._street = torch.from_numpy(similarity.street)
        self._bias = torch.from_numpy(similarity.bias)
        # For each step the second layer, and of each level the node that the step is below.
        rows = [np.broadcast_to(similarity.output, (tree.leaves, len(similarity.output)))]
        level_start = 0
        for size in tree.sizes:
            below = tree.leaves // size
            level = similarity.gates[level_start : level_start + size] / np.float32(below)
            rows.append(np.repeat(level, below, axis=0))
            level_start += size
        self._weights = torch.from_numpy(np.ascontiguousarray(np.stack(rows, axis=1)))

    @classmethod
    def of_parts(cls, similarity: FoldedSimilarity, parts: FloatArray) -> Self:
        """Make a gallery of what `FoldedSimilarity.shop_parts` gave before.

        Args:
            similarity: Of trajectories and pictures.
            parts: (N, K) float32.

        Raises:
            ValueError: If the parts are of another length or not finite.
        """
        width = len(similarity.bias)
        if parts.ndim != 2 or parts.shape[1] != width or not np.isfinite(parts).all():
            raise ValueError(f"parts must be finite, of shape (N, {width}), got {parts.shape}")
        gallery = cls(similarity, np.empty((0, len(similarity.shop)), np.float32))
        gallery._take(parts)
        return gallery

    def __len__(self) -> int:
        """Give the number N of pictures."""
        return len(self._parts)

    def odds(self, states: FloatArray) -> FloatArray:
        """Match trajectories with every picture.

        Args:
            states: (Q, T, H) float32, hidden states.

        Returns:
            (Q, N) float32, log-odds, within 60 of 0.

        Raises:
            ValueError: If the states are of another shape or not finite.
        """
        checked = self._checked(states)
        found = np.empty((len(checked), len(self)), np.float32)
        for row, each in zip(found, checked, strict=True):
            row[:] = self._odds(each, self._parts)
        return found

    def best(self, states: FloatArray, count: int) -> list[Found]:
        """Find the pictures that match each trajectory best.

        Args:
            states: (Q, T, H) float32, hidden states.
            count: Pictures for each trajectory, at least 1; all where there are fewer.

        Returns:
            For each trajectory what was found.

        Raises:
            ValueError: If the states are of another shape or not finite, or the count is below 1.
        """
        if count < 1:
            raise ValueError(f"count must be at least 1, got {count}")
        return [self._best(each, count) for each in self._checked(states)]

    def match(self, states: FloatArray, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Match one trajectory with some pictures: those of a shortlist.

        Args:
            states: (T, H) float32, hidden states.
            rows: (K,) int64, in [0, N).

        Returns:
            (K,) float64, probabilities.

        Raises:
            ValueError: If the states are of another shape or not finite.
        """
        (own,) = self._checked(states[None])
        # By NumPy, in this thread alone: PyTorch's, once woken, would be in the way for a while.
        parts = torch.from_numpy(self._parts.numpy()[rows])
        return probabilities_of(self._odds(own, parts))

    def _take(self, parts: FloatArray) -> None:
        self._parts = torch.from_numpy(np.ascontiguousarray(parts, np.float32))

    def _best(self, states: FloatArray, count: int) -> Found:
        odds = self._odds(states, self._parts)
        rows = leading_rows(odds, count)
        order = np.argsort(-odds[rows], kind="stable")
        return Found(rows[order], probabilities_of(odds[rows[order]]))

    def _odds(self, states: FloatArray, parts: Tensor) -> FloatArray:
        found = np.empty(len(parts), np.float32)
        blocks = range(0, len(parts), BLOCK)
        share_out(blocks, partial(self._match, torch.tensor(states), parts, found))
        return found

    @torch.inference_mode()
    def _match(
        self, states: Tensor, parts: Tensor, found: FloatArray, starts: Iterator[int]
    ) -> None:
        """Match one trajectory with the pictures of some blocks, whose odds go into `found`."""
        own = torch.addmm(self._bias, states, self._street)
        below = -own
        constants = torch.einsum("trk,tk->tr", self._weights, own)
        constants[:, 0] += float(self.similarity.offset[0])
        steps, kinds, width = self._weights.shape
        size = min(BLOCK, len(parts))
        size += -size % TILE
        whole, sums = torch.empty(size, width), torch.empty(steps, kinds, size)
        for start in starts:
            part = parts[start : start + BLOCK]
            many = len(part)
            if short := -many % TILE:
                part = nn.functional.pad(part, (0, 0, 0, short))
            hidden, products = whole[: len(part)], sums[:, :, : len(part)]
            across = hidden.T
            for weights, less, out in zip(self._weights, below, products, strict=True):
                torch.maximum(part, less, out=hidden)
                torch.mm(weights, across, out=out)
            products += constants[:, :, None]
            found[start : start + many] = self._fused(products)[:many].numpy()

    def _fused(self, products: Tensor) -> Tensor:
        """Evaluate the tree of (T, 1 + levels, n) products; give (n,) log-odds."""
        many = products.shape[2]
        odds = products[:, 0].clamp(-SUREST, SUREST)
        right, wrong = odds.sigmoid(), odds.neg().sigmoid()
        levels = zip(self.tree.sizes, self.tree.branches, strict=True)
        for level, (size, branch) in enumerate(levels, 1):
            sums = products[:, level].reshape(size, len(products) // size, many).sum(1)
            fused = (size // branch, branch, many)
            gates = sums.reshape(fused).softmax(1)
            right = (gates * right.reshape(fused)).sum(1)
            wrong = (gates * wrong.reshape(fused)).sum(1)
        return (right / wrong).log()[0]

    def _checked(self, states: FloatArray) -> FloatArray:
        wanted = (self.tree.leaves, len(self.similarity.street))
        if states.ndim != 3 or states.shape[1:] != wanted:
            raise ValueError(
                f"states must be of shape {wanted} for each trajectory, got {states.shape}"
            )
        if not np.isfinite(states).all():
            raise ValueError("states must be finite, got NaN or infinity")
        return np.ascontiguousarray(states, np.float32)
