"""Whether an exported model says the same as the network that it was made from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain, Encoder
from snapshelf.media.picture import RGB

__all__ = ["Parity", "generated_pictures", "parity"]


@dataclass(frozen=True, slots=True)
class Parity:
    """Cosines between the embeddings of two encoders for the same pictures.

    Attributes:
        prepared: The lowest, for pictures that `prepare` brought to the input's size.
        raw: The lowest, for pictures that the model itself brought to it.
        mean: The mean for prepared pictures.
    """

    prepared: float
    raw: float
    mean: float


def generated_pictures(count: int, seed: int = 0) -> list[RGB]:
    """Draw pictures of many shapes: blots of colour at every scale, with some noise.

    Args:
        count: How many, at least 0.
        seed: The same seed draws the same pictures.

    Returns:
        Each (H, W, 3) uint8, RGB, with sides from 40 to 900 pixels.
    """
    from PIL import Image

    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(count):
        width, height = (int(side) for side in rng.integers(40, 901, 2))
        layers = np.zeros((height, width, 3))
        for cells in (2, 5, 12, 30):
            blots = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), np.uint8))
            blots = blots.resize((width, height), Image.Resampling.BICUBIC)
            layers += np.asarray(blots, np.float64) - 127.5
        noise = rng.normal(0, 4, layers.shape)
        pictures.append(np.clip(127.5 + 0.6 * layers + noise, 0, 255).astype(np.uint8))
    return pictures


def parity(network: Encoder, model: Encoder, pictures: list[RGB]) -> Parity:
    """Compare an exported model with its network.

    Args:
        network: What was exported.
        model: What was read back, an `OnnxEncoder`.
        pictures: Each (H, W, 3) uint8, RGB; at least one.

    Returns:
        The cosines.

    Raises:
        ValueError: If there is no picture.
    """
    if not pictures:
        raise ValueError("pictures must hold at least one, got none")
    inputs = np.stack([network.prepare(picture, Domain.SHOP) for picture in pictures])
    right = network.encode(inputs, Domain.SHOP)
    prepared = _cosines(right, model.encode(inputs, Domain.SHOP))
    own = np.concatenate([model.encode(picture[None], Domain.SHOP) for picture in pictures])
    return Parity(
        prepared=float(prepared.min()),
        raw=float(_cosines(right, own).min()),
        mean=float(prepared.mean()),
    )


def _cosines(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float64]:
    products: NDArray[np.float64] = (a.astype(np.float64) * b).sum(1)
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines: NDArray[np.float64] = products / np.maximum(lengths, 1e-12)
    return cosines
