"""Whitening: embeddings centred for each domain, turned and shortened, and made even.

Jégou, Chum: Negative evidences and co-occurrences in image retrieval: the benefit of PCA and
whitening, ECCV 2012; here with a mean of its own for the street and the shop side, since the two
lie apart whatever they show.
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

__all__ = ["WhitenedEncoder", "Whitening", "fit_whitening", "load_whitening", "shrinkage"]

LEAST_VARIANCE = 1e-12
"""Of an axis, as a share of the largest; below it there is nothing to divide by."""

TENSORS = ("street_mean", "shop_mean", "projection")


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """A mean for each domain, and a projection that both share.

    Attributes:
        street_mean: (D,) float32.
        shop_mean: (D,) float32.
        projection: (D, d) float32: the leading eigenvectors, each divided by its deviation to
            the power asked for.
    """

    street_mean: NDArray[np.float32]
    shop_mean: NDArray[np.float32]
    projection: NDArray[np.float32]

    @property
    def fingerprint(self) -> str:
        """Hex digest of the means and the projection."""
        digest = hashlib.blake2b(digest_size=16)
        for name in TENSORS:
            array = np.ascontiguousarray(getattr(self, name), np.float32)
            digest.update(f"{name} {array.shape}\n".encode() + array.tobytes())
        return digest.hexdigest()

    def apply(self, embeddings: NDArray[np.float32], domain: Domain) -> NDArray[np.float32]:
        """Whiten: ``y = (x - mean of the domain) @ projection``, then ``y / |y|``.

        Args:
            embeddings: (B, D) float32.
            domain: The side that they come from.

        Returns:
            (B, d) float32, L2-normalised; zeros where nothing is left.
        """
        mean = self.street_mean if domain is Domain.STREET else self.shop_mean
        turned = (embeddings - mean) @ self.projection
        lengths = np.linalg.norm(turned, axis=1, keepdims=True)
        return (turned / np.where(lengths > 0, lengths, 1)).astype(np.float32)

    def save(self, file: Path, encoder: str) -> None:
        """Write a safetensors file.

        Args:
            file: Replaced if it is there.
            encoder: Fingerprint of the encoder whose embeddings this was fitted to.
        """
        tensors = {name: np.ascontiguousarray(getattr(self, name)) for name in TENSORS}
        write_whole(file, save(tensors, metadata={"encoder": encoder}))


class WhitenedEncoder:
    """An encoder whose embeddings are whitened.

    Args:
        encoder: Any.
        whitening: Fitted to the embeddings of that encoder.

    Raises:
        ValueError: If the two are of different dimensions.
    """

    def __init__(self, encoder: Encoder, whitening: Whitening) -> None:
        expected = whitening.projection.shape[0]
        if encoder.dimension != expected:
            raise ValueError(
                f"whitening must be for embeddings of length {encoder.dimension}, got {expected}"
            )
        self.encoder = encoder
        self.whitening = whitening

    @property
    def dimension(self) -> int:
        """Length d of a whitened embedding."""
        return int(self.whitening.projection.shape[1])

    @property
    def fingerprint(self) -> str:
        """Hex digest of the encoder's fingerprint and the whitening."""
        parts = f"{self.encoder.fingerprint}\n{self.whitening.fingerprint}"
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
        """Embed a batch of prepared pictures and whiten.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], B >= 1.
            domain: The side that the pictures come from.

        Returns:
            (B, d) float32, L2-normalised.
        """
        return self.whitening.apply(self.encoder.encode(inputs, domain), domain)


def fit_whitening(
    street: NDArray[np.float32],
    shop: NDArray[np.float32],
    *,
    dimension: int,
    power: float = 0.0,
) -> Whitening:
    """Learn a whitening from the embeddings of training pictures.

    With ``z`` the embeddings less the mean of their own domain, ``S = mean(z z^T)`` and its
    shrunk form ``C = (1 - a) S + a tr(S) / D I`` (see `shrinkage`), of eigenvectors ``u_k`` and
    eigenvalues ``l_k`` in falling order, the projection's columns are ``u_k / l_k^power`` for
    the first `dimension` k. Power 0 is a plain PCA, and 0.5 whitens.

    Args:
        street: (N, D) float32, N >= 2.
        shop: (M, D) float32, M >= 2.
        dimension: d, in [1, D].
        power: In [0, 0.5].

    Returns:
        The whitening.

    Raises:
        ValueError: If shapes do not fit, a value is not finite, there are too few rows, or a
            number is out of range; or if `power` is above 0 and embeddings do not vary.
    """
    for name, rows in (("street", street), ("shop", shop)):
        if rows.ndim != 2 or len(rows) < 2 or not np.isfinite(rows).all():
            raise ValueError(
                f"{name} must be (N, D), finite, with N of at least 2, got {rows.shape}"
            )
    length = street.shape[1]
    if shop.shape[1] != length:
        raise ValueError(f"street and shop must be of one length, got {length}, {shop.shape[1]}")
    if not 1 <= dimension <= length:
        raise ValueError(f"dimension must be in [1, {length}], got {dimension}")
    if not 0 <= power <= 0.5:
        raise ValueError(f"power must be in [0, 0.5], got {power}")
    means = street.mean(0, dtype=np.float64), shop.mean(0, dtype=np.float64)
    centred = np.concatenate([street - means[0], shop - means[1]])
    covariance = centred.T @ centred / len(centred)
    share = shrinkage(centred)
    covariance *= 1 - share
    covariance[np.diag_indices(length)] += share * np.square(centred).mean()
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1][:dimension], vectors[:, ::-1][:, :dimension]
    # An eigenvector's sign is arbitrary; fixed, so that the same data give the same file.
    largest = np.abs(vectors).argmax(0)
    vectors = vectors * np.sign(vectors[largest, np.arange(dimension)])
    if power and not values[-1] > LEAST_VARIANCE * max(values[0], LEAST_VARIANCE):
        raise ValueError(
            f"power must be 0 for {len(centred)} embeddings that vary in fewer than {dimension} "
            f"directions, got {power}; give more pictures or a smaller dimension"
        )
    projection = vectors / values**power if power else vectors
    return Whitening(
        street_mean=means[0].astype(np.float32),
        shop_mean=means[1].astype(np.float32),
        projection=np.ascontiguousarray(projection, np.float32),
    )


def shrinkage(centred: NDArray[np.float64]) -> float:
    """Give how far a covariance of few samples should be drawn towards the identity.

    Ledoit, Wolf: A well-conditioned estimator for large-dimensional covariance matrices, 2004:
    ``a = min(b, d) / d`` with ``d = |S - m I|^2``, ``m = tr(S) / D`` and
    ``b = mean_i |z_i z_i^T - S|^2 / n``, in the Frobenius norm.

    Args:
        centred: (n, D) float64, with mean 0.

    Returns:
        a, in [0, 1]: near 0 for many samples; 0 where they do not vary.
    """
    count, length = centred.shape
    covariance = centred.T @ centred / count
    squared = float(np.square(covariance).sum())
    spread: float = squared - float(np.trace(covariance)) ** 2 / length
    # |z z^T - S|^2 = |z|^4 - 2 z^T S z + |S|^2, and the mean of z^T S z is |S|^2.
    noise = (float((np.square(centred).sum(1) ** 2).mean()) - squared) / count
    if spread <= 0:
        return 1.0 if squared > 0 else 0.0
    return float(min(max(noise, 0.0), spread) / spread)


def load_whitening(file: Path, encoder: str) -> Whitening:
    """Read what `Whitening.save` wrote.

    Args:
        file: A safetensors file.
        encoder: Fingerprint of the encoder that is to be whitened.

    Raises:
        ModelError: If the file cannot be read, does not hold a whitening, or was fitted to
            another encoder.
    """
    if not file.is_file():
        raise ModelError(f"there is no whitening at {file}; expected a .safetensors file")
    try:
        with safe_open(file, "numpy") as stored:
            fitted = (stored.metadata() or {}).get("encoder")
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise ModelError(f"{file} cannot be read as safetensors: {error}") from error
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    length = shapes.get("street_mean", ())
    is_whitening = (
        set(shapes) == set(TENSORS)
        and len(length) == 1
        and shapes["shop_mean"] == length
        and shapes["projection"][:1] == length
        and len(shapes["projection"]) == 2
        and 1 <= shapes["projection"][1] <= length[0]
        and all(t.dtype == np.float32 and np.isfinite(t).all() for t in tensors.values())
    )
    if not is_whitening:
        raise ModelError(
            f"{file} holds no whitening: expected street_mean and shop_mean (D,) and projection "
            f"(D, d), float32 and finite, got {shapes}"
        )
    if fitted != encoder:
        raise ModelError(
            f"{file} was fitted to another encoder than the one it is used with; train "
            "the system again"
        )
    return Whitening(**tensors)
