"""`RememberingEncoder`: embeds each picture once, whoever asks for it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain, Encoder
from snapshelf.media.picture import RGB

__all__ = ["Memory", "RememberingEncoder"]


class Memory(Protocol):
    """Where values are kept by keys: `Remembered` in a file, `Recent` for a moment."""

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the values of those keys that are there."""
        ...

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values."""
        ...


class RememberingEncoder:
    """Gives what another encoder gives, and remembers it by that one's fingerprint and the input.

    Args:
        encoder: Embeds what is not there yet.
        remembered: Where embeddings are kept, 4 bytes a number.
    """

    def __init__(self, encoder: Encoder, remembered: Memory) -> None:
        self._encoder = encoder
        self._remembered = remembered

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._encoder.dimension

    @property
    def fingerprint(self) -> str:
        """That of the encoder: the embeddings are the same."""
        return self._encoder.fingerprint

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Bring one picture to the encoder's input size.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255].
            domain: The side that it comes from.
        """
        return self._encoder.prepare(picture, domain)

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> NDArray[np.float32]:
        """Embed those pictures of a batch that have not been embedded yet.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255].
            domain: The side that the pictures come from.

        Returns:
            (B, D) float32, L2-normalised.
        """
        keys = [self._key(one, domain) for one in inputs]
        found = self._remembered.get(keys)
        new = [number for number, key in enumerate(keys) if key not in found]
        if new:
            rows = self._encoder.encode(inputs[new], domain).astype("<f4")
            made = {keys[number]: row.tobytes() for number, row in zip(new, rows, strict=True)}
            self._remembered.put(made)
            found |= made
        return self._rows([found[key] for key in keys])

    def _key(self, one: NDArray[np.uint8], domain: Domain) -> bytes:
        what = f"embedding {self._encoder.fingerprint} {domain} {one.shape}"
        digest = hashlib.blake2b(what.encode(), digest_size=16)
        digest.update(one.tobytes())
        return digest.digest()

    def _rows(self, values: Sequence[bytes]) -> NDArray[np.float32]:
        flat = np.frombuffer(b"".join(values), "<f4").astype(np.float32)
        return flat.reshape(len(values), self.dimension)
