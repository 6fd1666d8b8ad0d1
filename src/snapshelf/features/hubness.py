"""Hubness correction: gallery pictures that attract every query are held back.

In a high-dimensional space a few points are the nearest neighbours of very many (hubs). After
training across domains they are above all the products that were trained on: photos of products
that the network has never seen go to the known ones that resemble them. Conneau, Lample,
Ranzato, Denoyer, Jégou: Word Translation Without Parallel Data, 2018, correct for it by CSLS,
``2 cos(q, g) - r(q) - r(g)``, where ``r(g)`` is the mean similarity of g to its K nearest points of
the other domain. For one query ``r(q)`` changes nothing, so what ranks is ``cos(q, g) - r(g) / 2``.

Here the points of the other domain are a *bank*: embeddings of street photos that training has
seen. So the correction needs nothing of the shop's catalogue but the picture itself, and is kept
in one more number of its embedding.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.media.picture import RGB
from snapshelf.whole_file import write_whole

__all__ = ["CorrectedEncoder", "HubnessCorrection", "hubness", "load_correction"]

TENSOR = "bank"


def hubness(
    gallery: NDArray[np.float32], bank: NDArray[np.float32], neighbours: int
) -> NDArray[np.float32]:
    """Give the mean similarity of each gallery embedding to its nearest of the bank: r(g).

    Conneau et al. 2018, Section 2.3.

    Args:
        gallery: (G, D) float32, L2-normalised.
        bank: (N, D) float32, L2-normalised, N >= neighbours.
        neighbours: K, at least 1.

    Returns:
        (G,) float32 in [-1, 1].

    Raises:
        ValueError: If the shapes do not fit or K is not in [1, N].
    """
    if gallery.ndim != 2 or bank.ndim != 2 or gallery.shape[1] != bank.shape[1]:
        raise ValueError(
            f"gallery and bank must be (G, D) and (N, D), got {gallery.shape} and {bank.shape}"
        )
    if not 1 <= neighbours <= len(bank):
        raise ValueError(f"neighbours must be in [1, {len(bank)}], got {neighbours}")
    similarities = gallery @ bank.T
    nearest = np.partition(similarities, len(bank) - neighbours, axis=1)[:, -neighbours:]
    means: NDArray[np.float32] = nearest.mean(axis=1, dtype=np.float32)
    return means


@dataclass(frozen=True, slots=True, eq=False)
class HubnessCorrection:
    """Puts CSLS into embeddings of one more dimension, compared by inner product as before.

    With ``t = weight * r(g)``, at least 0, a gallery embedding becomes
    ``(sqrt(1 - t^2) g, t)`` and a query ``(q, -1) / sqrt(2)``, both of unit length; their inner
    product, ``(sqrt(1 - t^2) cos(q, g) - t) / sqrt(2)``, ranks as ``cos(q, g) - t`` does, with
    hubs held back a little more. So it is no cosine any more: a picture of the same product
    comes to about 0.3.

    Attributes:
        bank: (N, D) float32, L2-normalised: embeddings of street photos seen in training.
        neighbours: K of `hubness`.
        weight: In [0, 1); 0.5 is CSLS.
    """

    bank: NDArray[np.float32]
    neighbours: int
    weight: float

    def __post_init__(self) -> None:
        """Refuse a bank or numbers that cannot be used.

        Raises:
            ValueError: Names the attribute, what was expected and what came.
        """
        bank = self.bank
        if bank.ndim != 2 or bank.dtype != np.float32 or not np.isfinite(bank).all():
            raise ValueError(f"bank must be (N, D) float32, finite, got {bank.shape} {bank.dtype}")
        if not 1 <= self.neighbours <= len(bank):
            raise ValueError(f"neighbours must be in [1, {len(bank)}], got {self.neighbours}")
        if not 0 <= self.weight < 1:
            raise ValueError(f"weight must be in [0, 1), got {self.weight}")

    @property
    def fingerprint(self) -> str:
        """Hex digest of the bank and the numbers."""
        digest = hashlib.blake2b(f"{self.neighbours} {self.weight!r}".encode(), digest_size=16)
        digest.update(f"{self.bank.shape}".encode() + np.ascontiguousarray(self.bank).tobytes())
        return digest.hexdigest()

    def apply(self, embeddings: NDArray[np.float32], domain: Domain) -> NDArray[np.float32]:
        """Add the number that corrects.

        Args:
            embeddings: (B, D) float32, L2-normalised.
            domain: The side that they come from.

        Returns:
            (B, D + 1) float32, L2-normalised.
        """
        if domain is Domain.STREET:
            last = np.full((len(embeddings), 1), -1, np.float32)
            query: NDArray[np.float32] = np.concatenate([embeddings, last], axis=1)
            return query * np.float32(np.sqrt(0.5))
        held = hubness(embeddings, self.bank, self.neighbours)[:, None]
        last = np.clip(np.float32(self.weight) * held, 0, 1)
        shop: NDArray[np.float32] = np.concatenate(
            [embeddings * np.sqrt(1 - last**2), last], axis=1
        )
        return shop

    def save(self, file: Path, encoder: str) -> None:
        """Write the bank to a safetensors file, as float16.

        Args:
            file: Replaced if it is there.
            encoder: Fingerprint of the encoder whose embeddings the bank holds.
        """
        metadata = {
            "encoder": encoder,
            "neighbours": str(self.neighbours),
            "weight": repr(self.weight),
        }
        write_whole(file, save({TENSOR: self.bank.astype(np.float16)}, metadata=metadata))


class CorrectedEncoder:
    """An encoder whose embeddings are corrected for hubness.

    Args:
        encoder: Any whose embeddings are L2-normalised.
        correction: With a bank of that encoder's embeddings.

    Raises:
        ValueError: If the two are of different dimensions.
    """

    def __init__(self, encoder: Encoder, correction: HubnessCorrection) -> None:
        if correction.bank.shape[1] != encoder.dimension:
            raise ValueError(
                f"correction must be for embeddings of length {encoder.dimension}, "
                f"got {correction.bank.shape[1]}"
            )
        self.encoder = encoder
        self.correction = correction

    @property
    def dimension(self) -> int:
        """Length D + 1 of a corrected embedding."""
        return self.encoder.dimension + 1

    @property
    def fingerprint(self) -> str:
        """Hex digest of the encoder's fingerprint and the correction."""
        parts = f"{self.encoder.fingerprint}\n{self.correction.fingerprint}"
        return hashlib.blake2b(parts.encode(), digest_size=16).hexdigest()

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        """Bring one picture to the encoder's input size.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.
            domain: The side that it comes from.

        Returns:
            (S, T, 3) uint8, RGB, [0, 255].
        """
        return self.encoder.prepare(picture, domain)

    def encode(self, inputs: NDArray[np.uint8], domain: Domain) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures and correct.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], B >= 1.
            domain: The side that the pictures come from.

        Returns:
            (B, D + 1) float32, L2-normalised.
        """
        return self.correction.apply(self.encoder.encode(inputs, domain), domain)


def load_correction(file: Path, encoder: str) -> HubnessCorrection:
    """Read what `HubnessCorrection.save` wrote.

    Args:
        file: A safetensors file.
        encoder: Fingerprint of the encoder that is to be corrected.

    Raises:
        ModelError: If the file cannot be read, holds no correction, or was made with another
            encoder.
    """
    if not file.is_file():
        raise ModelError(f"there is no hubness correction at {file}; expected a .safetensors file")
    try:
        with safe_open(file, "numpy") as stored:
            notes = stored.metadata() or {}
            bank = stored.get_tensor(TENSOR)
        correction = HubnessCorrection(
            bank.astype(np.float32), int(notes["neighbours"]), float(notes["weight"])
        )
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{file} holds no hubness correction: {error}") from error
    if notes.get("encoder") != encoder:
        raise ModelError(
            f"{file} was made with another encoder than the one it is used with; make it again "
            "with `snapshelf train corrected`"
        )
    return correction
