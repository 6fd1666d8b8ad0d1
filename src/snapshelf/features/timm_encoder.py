"""`TimmEncoder`: any backbone of timm, pooled and normalised, as an encoder."""

import hashlib
import json
import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import ModelError
from snapshelf.features.backbones import (
    create_backbone,
    default_preprocessing,
    feature_map,
    load_hub_backbone,
    load_weights,
)
from snapshelf.features.encoder import Domain
from snapshelf.features.pooling import POOLINGS
from snapshelf.features.preprocessing import Preprocessing, normalise, prepare
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import file_digest
from snapshelf.media.picture import RGB

with torch_extra():
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import normalize

__all__ = ["TimmEncoder"]

PART = 2
"""Most pictures that one thread takes through the backbone at a time on a processor.

Their feature maps stay in the processor's cache, and threads that each have their own pictures
never wait for one another: MobileNetV2 on two cores runs at nearly twice the rate of a batch of
32 shared by both, and at more than that where something else wants the cores too.
"""


class TimmEncoder:
    """The pooled last feature map of a backbone; the street and shop sides are the same.

    Use `create`. Computes in float32. On a processor a batch is shared out among as many threads
    as torch has (``torch.get_num_threads()``); that number is left as it was.

    Attributes:
        backbone: In evaluation mode, without a classifier.
        pooling: Name of the pooling.
        preprocessing: How pictures become inputs.
    """

    def __init__(
        self,
        backbone: nn.Module,
        *,
        pooling: str,
        preprocessing: Preprocessing,
        fingerprint: str,
        device: str = "cpu",
    ) -> None:
        if pooling not in POOLINGS:
            names = ", ".join(POOLINGS)
            raise ValueError(f"pooling must be one of {names}, got {pooling!r}")
        self.backbone = (
            backbone.eval().to(device, torch.float32).to(memory_format=torch.channels_last)
        )
        self.pooling = pooling
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

    @classmethod
    def create(
        cls,
        backbone: str,
        *,
        weights: Path | Literal["hub"],
        options: Mapping[str, Any] | None = None,
        pooling: str = "gap",
        preprocessing: Preprocessing | None = None,
        device: str = "cpu",
    ) -> Self:
        """Make an encoder from a backbone's name and its weights.

        Args:
            backbone: A name of ``timm.list_models()``, with or without a pretrained tag.
            weights: A safetensors file with exactly the backbone's tensors (a classifier in it
                is left out), or ``"hub"`` for the weights that timm publishes, fetched once.
            options: Keyword arguments of ``timm.create_model``, as JSON can hold them.
            pooling: A name of `POOLINGS`.
            preprocessing: None for the one that the published weights were trained for.
            device: A torch device, such as ``cpu`` or ``cuda``.

        Raises:
            ModelError: If the backbone is unknown, or its weights are missing or do not fit.
            ValueError: If the pooling is unknown or the options cannot be kept as JSON.
        """
        options = dict(options or {})
        try:
            json.dumps(options)
        except TypeError as error:
            raise ValueError(f"options must be what JSON can hold, got {options}") from error
        if weights == "hub":
            model, file = load_hub_backbone(backbone, options)
        else:
            model, file = create_backbone(backbone, options), Path(weights)
            load_weights(model, file)
        preprocessing = preprocessing or default_preprocessing(model)
        identity = {
            "backbone": backbone,
            "options": options,
            "pooling": pooling,
            "preprocessing": preprocessing.to_dict(),
            "weights": file_digest(file),
        }
        digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
        return cls(
            model,
            pooling=pooling,
            preprocessing=preprocessing,
            fingerprint=digest.hexdigest(),
            device=device,
        )

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Hex digest of the backbone, options, pooling, preprocessing and the weights' bytes."""
        return self._fingerprint

    def prepare(self, picture: RGB) -> NDArray[np.uint8]:
        """Bring one picture to the input size; may be called from several threads.

        Args:
            picture: (H, W, 3) uint8, RGB, [0, 255], of any size.

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
            (B, D) float32, L2-normalised; zeros where every pooled activation is 0.
        """
        streams = torch.get_num_threads()
        if len(inputs) < 2 or streams < 2 or self._device.type != "cpu":
            return self._encode(inputs)
        size = min(PART, math.ceil(len(inputs) / streams))
        parts = [inputs[start : start + size] for start in range(0, len(inputs), size)]
        try:
            with ThreadPoolExecutor(
                streams, initializer=torch.set_num_threads, initargs=(1,)
            ) as pool:
                return np.concatenate(list(pool.map(self._encode, parts)))
        finally:
            # Each thread has its own number, but a new thread starts with the last one set.
            torch.set_num_threads(streams)

    def embed(self, inputs: Tensor) -> Tensor:
        """Run the network alone: what `encode` does between normalising and NumPy.

        Args:
            inputs: (B, 3, S, T) float32, normalised, on the encoder's device.

        Returns:
            (B, D) float32, L2-normalised.
        """
        return normalize(POOLINGS[self.pooling](feature_map(self.backbone, inputs)))

    def _encode(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed in the calling thread, with as many threads as torch has for it."""
        with torch.inference_mode():
            tensor = torch.from_numpy(normalise(inputs, self.preprocessing)).to(self._device)
            embeddings: NDArray[np.float32] = self.embed(tensor).cpu().numpy()
        return embeddings
