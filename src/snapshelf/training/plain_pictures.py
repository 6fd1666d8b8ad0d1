"""What a network makes of pictures as they are, without any augmentation."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.preprocessing import Preprocessing, normalise, prepare
from snapshelf.features.torch_extra import torch_extra
from snapshelf.media.picture import RGB

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["run_on_pictures"]


def run_on_pictures(
    network: nn.Module,
    run: Callable[[Tensor], Tensor],
    picture: Callable[[int], RGB],
    numbers: Sequence[int],
    preprocessing: Preprocessing,
    *,
    batch_size: int = 32,
) -> Iterator[NDArray[np.float32]]:
    """Run a part of a network on pictures, a batch at a time.

    Args:
        network: Put into evaluation mode until the last batch is drawn, on its device.
        run: A part of the network, from (B, 3, H, W) inputs to (B, D).
        picture: Gives a picture by its number, as `PictureStore.picture` does.
        numbers: Which of them.
        preprocessing: How they become inputs.
        batch_size: Pictures at a time, at least 1.

    Yields:
        (B, D) float32 of the next B <= batch_size pictures, in their order.
    """
    device = next(network.parameters()).device
    was_training = network.training
    network.eval()
    try:
        for start in range(0, len(numbers), batch_size):
            chosen = numbers[start : start + batch_size]
            inputs = np.stack([prepare(picture(each), preprocessing) for each in chosen])
            with torch.inference_mode():
                made = run(torch.from_numpy(normalise(inputs, preprocessing)).to(device))
            yield made.float().cpu().numpy()
    finally:
        network.train(was_training)
