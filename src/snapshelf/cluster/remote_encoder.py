"""`RemoteEncoder`: an encoder whose network runs in replicas of its own."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ClusterError
from snapshelf.features.computing import Computing, computing
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.media.picture import RGB
from snapshelf.shelf.shelf import system_for

__all__ = ["EncoderReplica", "RemoteEncoder"]

LONGEST_S = 30.0
"""Longest wait for embeddings."""


class EncoderReplica:
    """The network of a shelf's system, alone.

    Args:
        shelf: The shelf's folder.
        system: Name or folder of the system; None for the shelf's.
        where: Device and threads.
    """

    def __init__(self, shelf: str, system: str | None, where: Computing) -> None:
        with computing(where):
            self._encoder = system_for(shelf, system).encoder

    def __call__(self, inputs: NDArray[np.uint8], domain: str) -> NDArray[np.float32]:
        """Embed a batch; see `Encoder.encode`."""
        return self._encoder.encode(inputs, Domain(domain))


class RemoteEncoder:
    """Prepares pictures here and has them embedded by `EncoderReplica`.

    Args:
        encoder: The same encoder, for all but its network.
        replicas: Serve's handle.
    """

    def __init__(self, encoder: Encoder, replicas: Any) -> None:
        self._encoder = encoder
        self._replicas = replicas

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._encoder.dimension

    @property
    def fingerprint(self) -> str:
        """That of the encoder."""
        return self._encoder.fingerprint

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Bring one picture to the encoder's input size; see `Encoder.prepare`."""
        return self._encoder.prepare(picture, domain)

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures; see `Encoder.encode`.

        Raises:
            ClusterError: If no replica answers in time.
        """
        try:
            embeddings: NDArray[np.float32] = self._replicas.remote(inputs, str(domain)).result(
                timeout_s=LONGEST_S
            )
        except TimeoutError as error:
            raise ClusterError(
                f"the encoder's replicas gave no embeddings within {LONGEST_S:.0f} s; are they up?"
            ) from error
        return embeddings
