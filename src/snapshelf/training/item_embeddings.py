"""One embedding for each training item, as the network gives it now."""

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.embedding_network import EmbeddingNetwork
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.picture_store import PictureStore
from snapshelf.training.training_set import TrainingSet

with torch_extra():
    import torch
    from torch.nn.functional import normalize

__all__ = ["embed_items"]


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
    device = next(network.parameters()).device
    sums = np.zeros((len(training_set.items), network.dimension), np.float64)
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(numbers), batch_size):
                part = slice(start, start + batch_size)
                inputs = np.stack(
                    [prepare(store.picture(number), preprocessing) for number in numbers[part]]
                )
                embeddings = network.features(
                    torch.from_numpy(normalise(inputs, preprocessing)).to(device)
                ).float()
                if scale is not None:
                    embeddings = normalize(embeddings) * scale
                np.add.at(sums, owners[part], embeddings.cpu().numpy())
    finally:
        network.train(was_training)
    counts = np.bincount(owners, minlength=len(sums))
    return (sums / counts[:, None]).astype(np.float32)
