"""`GistEncoder`: GIST as an encoder."""

import hashlib
import json

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.gist import LENGTH, gist
from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.media.picture import RGB

__all__ = ["GistEncoder"]

VERSION = 1
"""Raised whenever the same picture would give another embedding."""

PREPROCESSING = Preprocessing(size=(128, 128), mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))


class GistEncoder:
    """GIST of a whole picture, 512 numbers; the street and shop sides are the same.

    The hand-crafted baseline of *Cross-Domain Shoe Retrieval using a Three-Level Deep Feature
    Representation*, Table I. It sees no colour. Needs neither torch nor weights.

    Args:
        preprocessing: How pictures become inputs; its size must be square, a multiple of 4 from
            8, and only size, fit, interpolation and background count.

    Raises:
        ValueError: If the inputs are of another shape.
    """

    def __init__(self, preprocessing: Preprocessing = PREPROCESSING) -> None:
        height, width = preprocessing.size
        if height != width or height % 4 or height < 8:
            raise ValueError(
                f"size must be square and a multiple of 4 from 8, got {preprocessing.size}"
            )
        self.preprocessing = preprocessing
        identity = {"version": VERSION, "gist": LENGTH, **preprocessing.to_dict()}
        digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
        self._fingerprint = digest.hexdigest()

    @property
    def dimension(self) -> int:
        """Length D of an embedding: 512."""
        return LENGTH

    @property
    def fingerprint(self) -> str:
        """Hex digest of the version and the preprocessing."""
        return self._fingerprint

    def prepare(
        self,
        picture: RGB,
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.uint8]:
        """Bring one picture to the input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.
            domain: Makes no difference here.

        Returns:
            (S, S, 3) uint8, RGB, [0, 255].
        """
        return prepare(picture, self.preprocessing)

    def encode(
        self,
        inputs: NDArray[np.uint8],
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures.

        Args:
            inputs: (B, S, S, 3) uint8, RGB, [0, 255], B >= 1.
            domain: Makes no difference here.

        Returns:
            (B, 512) float32, L2-normalised; zeros for a plain picture.
        """
        rows = np.stack(
            [gist(cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).astype(np.float64)) for one in inputs]
        )
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        # What a plain picture's rounding leaves is nothing to compare.
        kept = np.where(lengths > 1e-6, rows / np.maximum(lengths, 1e-6), 0)
        return kept.astype(np.float32)
