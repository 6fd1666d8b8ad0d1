"""What a network makes of stored pictures as they are, without any augmentation."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.embedding_network import EmbeddingNetwork
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.picture_store import PictureStore

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["run_on_pictures"]


def run_on_pictures(
    network: EmbeddingNetwork,
    run: Callable[[Tensor], Tensor],
    store: PictureStore,
    numbers: Sequence[int],
    preprocessing: Preprocessing,
    *,
    batch_size: int = 32,
) -> NDArray[np.float32]:
    """Run a part of a network on stored pictures.

    Args:
        network: Put into evaluation mode for the time, on its device.
        run: A method of the network, from (B, 3, H, W) inputs to (B, D).
        store: Holds the pictures.
        numbers: Which of them, at least one.
        preprocessing: How they become inputs.
        batch_size: Pictures at a time, at least 1.

    Returns:
        (len(numbers), D) float32.
    """
    device = next(network.parameters()).device
    parts = []
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            for start in range(0, len(numbers), batch_size):
                chosen = numbers[start : start + batch_size]
                inputs = np.stack([prepare(store.picture(each), preprocessing) for each in chosen])
                made = run(torch.from_numpy(normalise(inputs, preprocessing)).to(device))
                parts.append(made.float().cpu().numpy())
    finally:
        network.train(was_training)
    rows: NDArray[np.float32] = np.concatenate(parts)
    return rows
