"""One embedding for each training item, as the network gives it now."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.embedding_network import EmbeddingNetwork
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.training.picture_store import PictureStore
from snapshelf.training.plain_pictures import run_on_pictures
from snapshelf.training.training_set import TrainingSet

__all__ = ["embed_items"]

SHORTEST = 1e-12
"""Length below which an embedding counts as zero, as in PyTorch's own normalisation."""


def embed_items(
    network: EmbeddingNetwork,
    training_set: TrainingSet,
    store: PictureStore,
    preprocessing: Preprocessing,
    *,
    views: int = 3,
    scale: float | None = None,
    batch_size: int = 32,
) -> NDArray[np.float32]:
    """Embed the items: the mean over an item's first shop pictures.

    Zhan, Shi, Kot: Street-to-Shop Shoe Retrieval, Section 3.4, embed "the training shoe items" and
    don't say what stands for an item that has several pictures; the mean of the shop side is
    this project's choice. An item without shop pictures is embedded by its street photos.

    Args:
        network: Put into evaluation mode for the time, on its device.
        training_set: The items.
        store: Holds their pictures.
        preprocessing: How pictures become inputs; nothing is augmented.
        views: Most pictures of an item, at least 1.
        scale: None for the embeddings as they come; a number for L2-normalised ones times it.
        batch_size: Pictures at a time, at least 1.

    Returns:
        (N, D) float32.
    """
    owners: list[int] = []
    numbers: list[int] = []
    for item, pictures in enumerate(training_set.pictures):
        chosen = pictures.of("shop")[:views]
        owners.extend([item] * len(chosen))
        numbers.extend(chosen)
    sums = np.zeros((len(training_set.items), network.dimension), np.float64)
    done = 0
    for batch in run_on_pictures(
        network, network.features, store.picture, numbers, preprocessing, batch_size=batch_size
    ):
        embeddings = batch.astype(np.float64)
        if scale is not None:
            lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
            embeddings *= scale / np.maximum(lengths, SHORTEST)
        np.add.at(sums, owners[done : done + len(batch)], embeddings)
        done += len(batch)
    counts = np.bincount(owners, minlength=len(sums))
    return (sums / counts[:, None]).astype(np.float32)
