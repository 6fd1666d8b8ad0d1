"""`RecentEncoder`: for parts of a system that ask for the same picture one soon after the other."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain, Encoder
from snapshelf.media.picture import RGB

__all__ = ["RecentEncoder"]

KEPT = 1024
"""More than the pictures that indexing has under way at a time."""

Key = tuple[Domain, bytes]


class RecentEncoder:
    """Gives what another encoder gives, and works out what was asked a moment ago no second time.

    Args:
        encoder: Embeds.
        kept: Embeddings that are kept, those asked last, at least 1.

    Raises:
        ValueError: If `kept` is below 1.
    """

    def __init__(self, encoder: Encoder, kept: int = KEPT) -> None:
        if kept < 1:
            raise ValueError(f"kept must be at least 1, got {kept}")
        self._encoder, self._kept = encoder, kept
        self._recent: OrderedDict[Key, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._encoder.dimension

    @property
    def fingerprint(self) -> str:
        """That of the encoder: the embeddings are the same."""
        return self._encoder.fingerprint

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Bring one picture to the encoder's input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: The side that it comes from.
        """
        return self._encoder.prepare(picture, domain)

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> NDArray[np.float32]:
        """Embed those pictures of a batch that were not asked lately; from several threads.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255].
            domain: The side that the pictures come from.

        Returns:
            (B, D) float32.
        """
        keys = [(domain, hashlib.blake2b(one.tobytes(), digest_size=16).digest()) for one in inputs]
        found = self._known(keys)
        new = [number for number, key in enumerate(keys) if key not in found]
        if new:
            rows = self._encoder.encode(inputs[new], domain)
            made = {keys[number]: row for number, row in zip(new, rows, strict=True)}
            self._keep(made)
            found |= made
        return np.stack([found[key] for key in keys])

    def _known(self, keys: Sequence[Key]) -> dict[Key, NDArray[np.float32]]:
        with self._lock:
            found = {key: self._recent[key] for key in keys if key in self._recent}
            for key in found:
                self._recent.move_to_end(key)
        return found

    def _keep(self, made: dict[Key, NDArray[np.float32]]) -> None:
        with self._lock:
            self._recent.update(made)
            while len(self._recent) > self._kept:
                self._recent.popitem(last=False)
