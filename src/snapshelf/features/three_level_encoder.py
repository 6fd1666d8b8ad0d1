"""`ThreeLevelEncoder`: a picture's whole, best region and parts as one embedding.

Zhan, Shi, Kot: Cross-Domain Shoe Retrieval using a Three-Level Deep Feature Representation,
Section III-B and Fig. 2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain, Encoder
from snapshelf.features.level_weights import LevelWeights
from snapshelf.features.pipeline import crop
from snapshelf.features.whitening import Whitening
from snapshelf.locating.locator import Locator
from snapshelf.locating.part_locator import PartLocator
from snapshelf.media.picture import RGB

__all__ = ["LevelBlocks", "ThreeLevelEncoder", "join_levels"]

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class LevelBlocks:
    """The levels of a batch of pictures, before they are joined.

    Attributes:
        whole: (B, L) float32, L2-normalised; None if its weight is 0.
        region: (B, L) float32, L2-normalised; None if its weight is 0.
        parts: (B, P F) float32, FC1 of each part, of unit length each; None if its weight is 0.
    """

    whole: FloatArray | None = None
    region: FloatArray | None = None
    parts: FloatArray | None = None


def join_levels(
    whole: FloatArray | None,
    region: FloatArray | None,
    parts: FloatArray | None,
    weights: LevelWeights,
) -> FloatArray:
    """Concatenate the levels, so that the cosine of two results is a weighted mean.

    With levels ``f_l`` of unit length and weights ``w_l`` this is the vector of the parts
    ``sqrt(w_l / sum w) f_l``, and the inner product of two such vectors is
    ``sum_l w_l cos(f_l, g_l) / sum_l w_l``. The paper concatenates them without weights.

    Args:
        whole: (B, L) float32, L2-normalised, or None.
        region: (B, L) float32, L2-normalised, or None.
        parts: (B, K) float32, L2-normalised, or None.
        weights: Above 0 for those that are there.

    Returns:
        (B, D) float32, of unit length where all levels are.

    Raises:
        ValueError: If a level with a weight above 0 is missing.
    """
    given = {"whole": whole, "region": region, "parts": parts}
    shares = {name: getattr(weights, name) for name in given if getattr(weights, name) > 0}
    if missing := [name for name in shares if given[name] is None]:
        raise ValueError(f"a level for each weight above 0 is needed, got none of {missing}")
    total = sum(shares.values())
    blocks = [np.sqrt(share / total) * given[name] for name, share in shares.items()]
    return np.concatenate(blocks, axis=1, dtype=np.float32)


class ThreeLevelEncoder:
    """Level 1 is the whole picture, level 2 its best region, level 3 the parts.

    A prepared picture is a stack of patches: the whole, then the region and the parts where those
    levels count. The parts are looked for in the region: elsewhere there are none of the item. On
    the shop side level 2 is the whole picture, as the paper has it for pictures on white. Without
    a projection the levels are compared as they are.

    Args:
        street: Describes patches of street photos, by the pyramid and FC1 behind it.
        shop: Describes patches of shop pictures; may be `street` itself.
        pyramid: Length of the pyramid in a description, at least 0.
        locator: Finds the regions, of which the first is taken.
        parts: Finds the parts of a region.
        weights: Of the levels.
        fingerprint: Hex digest of everything else that decides an embedding.
        parts_projection: Shortens level 3, (P F) to K.
        projection: Shortens the joined levels, D to d.

    Attributes:
        weights: As given.

    Raises:
        ValueError: If the two sides have features of another length.
    """

    def __init__(
        self,
        street: Encoder,
        shop: Encoder,
        *,
        pyramid: int,
        locator: Locator,
        parts: PartLocator,
        weights: LevelWeights,
        fingerprint: str,
        parts_projection: Whitening | None = None,
        projection: Whitening | None = None,
    ) -> None:
        if street.dimension != shop.dimension:
            raise ValueError(
                f"street and shop must be of one length, got {street.dimension}, {shop.dimension}"
            )
        self._sides = {Domain.STREET: street, Domain.SHOP: shop}
        self._locator, self._parts = locator, parts
        self.weights = weights
        self._fingerprint = fingerprint
        self._parts_projection, self._projection = parts_projection, projection
        self._pyramid = pyramid
        self._dimension = int(self._join(self._nothing()).shape[1])
        if projection is not None:
            self._dimension = int(projection.projection.shape[1])

    @property
    def dimension(self) -> int:
        """Length d of an embedding."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides an embedding, as given."""
        return self._fingerprint

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Cut the patches out of a picture; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.
            domain: The side that it comes from.

        Returns:
            (K S, T, 3) uint8, RGB, [0, 255]: K patches of (S, T), one below the other.
        """
        patches = [picture]
        if self.weights.region > 0 or self.weights.parts > 0:
            region = crop(picture, self._locator.locate(picture)[0].box)
            if self.weights.region > 0:
                patches.append(region)
            if self.weights.parts > 0:
                patches.extend(crop(region, box) for box in self._parts(region))
        side = self._sides[domain]
        return np.concatenate([side.prepare(patch, domain) for patch in patches])

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> FloatArray:
        """Embed a batch of prepared pictures.

        Args:
            inputs: (B, K S, T, 3) uint8, RGB, [0, 255], as `prepare` gives them, B >= 1.
            domain: The side that the pictures come from.

        Returns:
            (B, d) float32, L2-normalised.
        """
        joined = self.joined(self.levels(inputs, domain), domain)
        if self._projection is None:
            return joined
        return self._projection.apply(joined, domain)

    def levels(self, inputs: NDArray[np.uint8], domain: Domain) -> LevelBlocks:
        """Describe the levels of a batch of prepared pictures.

        Args:
            inputs: As `encode` takes them.
            domain: The side that the pictures come from.

        Returns:
            The levels whose weight is above 0.
        """
        side, weights = self._sides[domain], self.weights
        first = 1 + (weights.region > 0)
        count = first + (weights.parts > 0) * self._parts.count
        size = (inputs.shape[1] // count, *inputs.shape[2:])
        patches = inputs.reshape(len(inputs), count, *size)
        region_is_whole = domain is Domain.SHOP or (
            first == 2 and np.array_equal(patches[:, 0], patches[:, 1])
        )
        whole = region = parts = None
        if weights.whole > 0 or (weights.region > 0 and region_is_whole):
            whole = self._level(side.encode(np.ascontiguousarray(patches[:, 0]), domain))
        if weights.region > 0:
            region = (
                whole
                if region_is_whole
                else self._level(side.encode(np.ascontiguousarray(patches[:, 1]), domain))
            )
        if weights.parts > 0:
            cut = patches[:, first:].reshape(-1, *size)
            fc1 = _unit(side.encode(np.ascontiguousarray(cut), domain)[:, self._pyramid :])
            parts = fc1.reshape(len(inputs), -1)
        return LevelBlocks(whole if weights.whole > 0 else None, region, parts)

    def joined(self, levels: LevelBlocks, domain: Domain) -> FloatArray:
        """Shorten level 3 and join the levels.

        Args:
            levels: As `levels` gives them.
            domain: The side that the pictures come from.

        Returns:
            (B, D) float32, L2-normalised.
        """
        parts = levels.parts
        if parts is not None and self._parts_projection is not None:
            parts = self._parts_projection.apply(parts, domain)
        return self._join(LevelBlocks(levels.whole, levels.region, parts))

    def _join(self, levels: LevelBlocks) -> FloatArray:
        parts = None if levels.parts is None else _unit(levels.parts)
        return join_levels(levels.whole, levels.region, parts, self.weights)

    def _level(self, features: FloatArray) -> FloatArray:
        """Give level 1 or 2 of what a network says: the pyramid and FC1, or FC1 alone."""
        return features if self.weights.conv5 else _unit(features[:, self._pyramid :])

    def _nothing(self) -> LevelBlocks:
        """Give levels of the right lengths that are zeros."""
        length = self._sides[Domain.STREET].dimension
        fc1 = length - self._pyramid
        kept = length if self.weights.conv5 else fc1
        shortened = self._parts_projection
        in_all = self._parts.count * fc1
        parts = in_all if shortened is None else int(shortened.projection.shape[1])
        blocks = [np.zeros((1, size), np.float32) for size in (kept, kept, parts)]
        names = ("whole", "region", "parts")
        return LevelBlocks(
            *(
                block if getattr(self.weights, name) > 0 else None
                for block, name in zip(blocks, names, strict=True)
            )
        )


def _unit(rows: FloatArray) -> FloatArray:
    """L2-normalise rows; zeros stay zeros."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
