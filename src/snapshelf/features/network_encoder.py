"""`NetworkEncoder`: any PyTorch network that gives one vector per picture, as an encoder."""

import math
from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.computing import current
from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.torch_sharing import share_out
from snapshelf.media.picture import RGB

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import normalize

__all__ = ["NetworkEncoder"]

PART = 2
"""Most pictures that one thread takes through the network at a time on a processor.

Their feature maps stay in the processor's cache, and threads that each have their own pictures
never wait for one another: MobileNetV2 on two cores runs at nearly twice the rate of a batch of
32 shared by both, and at more than that where something else wants the cores too.
"""

Network = TypeVar("Network", bound=nn.Module)


class NetworkEncoder(Generic[Network]):
    """A network's L2-normalised output; the street and shop sides are the same.

    Computes in float32. On a processor a batch is shared out among as many threads as torch has
    (``torch.get_num_threads()``); that number is left as it was.

    Args:
        network: Called with (B, 3, S, T) float32, normalised; gives (B, D) float32. It is put
            into evaluation mode and moved to the device.
        preprocessing: How pictures become inputs.
        fingerprint: Hex digest of everything that decides an embedding.
        device: A torch device, such as ``cpu`` or ``cuda``; None for what `computing` tells.

    Attributes:
        network: As given, in evaluation mode.
        preprocessing: As given.

    Raises:
        ModelError: If the network does not take inputs of that size.
    """

    def __init__(
        self,
        network: Network,
        *,
        preprocessing: Preprocessing,
        fingerprint: str,
        device: str | None = None,
    ) -> None:
        device = current().device if device is None else device
        self.network = network.eval().to(device, torch.float32)
        self.network.to(memory_format=torch.channels_last)
        self.preprocessing = preprocessing
        self._fingerprint = fingerprint
        self._device = torch.device(device)
        probe = torch.zeros(1, 3, *preprocessing.size, device=self._device)
        try:
            with torch.inference_mode():
                self._dimension = self.embed(probe).shape[1]
        except (RuntimeError, AssertionError) as error:
            raise ModelError(
                f"the backbone does not take inputs of {preprocessing.size} pixels: {error}"
            ) from error

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that decides an embedding, as given."""
        return self._fingerprint

    def prepare(
        self,
        picture: RGB,
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.uint8]:
        """Bring one picture to the input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.
            domain: Makes no difference here.

        Returns:
            (S, T, 3) uint8, RGB, [0, 255].
        """
        return prepare(picture, self.preprocessing)

    def encode(
        self,
        inputs: NDArray[np.uint8],
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], B >= 1.
            domain: Makes no difference here.

        Returns:
            (B, D) float32, L2-normalised; zeros where the network gives zeros.
        """
        streams = torch.get_num_threads()
        if len(inputs) < 2 or streams < 2 or self._device.type != "cpu":
            return self._encode(inputs)
        size = min(PART, math.ceil(len(inputs) / streams))
        embeddings = np.empty((len(inputs), self._dimension), np.float32)

        def encode(starts: Iterator[int]) -> None:
            for start in starts:
                part = slice(start, start + size)
                embeddings[part] = self._encode(inputs[part])

        share_out(range(0, len(inputs), size), encode)
        return embeddings

    def embed(self, inputs: Tensor) -> Tensor:
        """Run the network alone: what `encode` does between normalising and NumPy.

        Args:
            inputs: (B, 3, S, T) float32, normalised, on the encoder's device.

        Returns:
            (B, D) float32, L2-normalised.
        """
        return normalize(self.network(inputs))

    def _encode(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed in the calling thread, with as many threads as torch has for it."""
        with torch.inference_mode():
            tensor = torch.from_numpy(normalise(inputs, self.preprocessing)).to(self._device)
            embeddings: NDArray[np.float32] = self.embed(tensor).cpu().numpy()
        return embeddings
