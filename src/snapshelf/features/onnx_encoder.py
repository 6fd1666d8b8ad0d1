"""`OnnxEncoder`: an exported network, run by ONNX Runtime; needs no PyTorch."""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from snapshelf.errors import ModelError
from snapshelf.features.computing import current
from snapshelf.features.encoder import Domain
from snapshelf.features.onnx_file import read_onnx_file
from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.media.picture import RGB

__all__ = ["METADATA", "PROVIDERS", "OnnxEncoder"]

METADATA = "snapshelf."
"""What the names of our notes in a model begin with."""

PROVIDERS: Mapping[str, str] = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""What runs the model: our names to those of ONNX Runtime."""

PART = 4
"""Most pictures that one thread takes through the model at a time on a processor.

Threads that each have their own pictures never wait for one another: two of them on two cores
take 1.1 to 1.9 times as many through MobileNetV2 as one batch of 32 shared by both, most where
something else wants the cores, too. Parts of 1 to 16 differ by less than the noise.
"""

FATAL = 4
"""The runtime's log level: what it complains of comes as an exception, too."""

_RUNTIME_ERRORS = (
    errors.EPFail,
    errors.Fail,
    errors.InvalidArgument,
    errors.InvalidGraph,
    errors.InvalidProtobuf,
    errors.NoModel,
    errors.NotImplemented,
    errors.RuntimeException,
    RuntimeError,
    ValueError,
)


class OnnxEncoder:
    """The embeddings of an ONNX model; the street and shop sides are the same.

    The model takes ``pictures``, (B, H, W, 3) uint8, and gives ``embeddings``, (B, D) float32,
    L2-normalised; it says in its notes how pictures are prepared. `snapshelf export` writes such
    files. Loading one runs no code: no operators but the runtime's own are known, and a file that
    refers to other files is refused.

    Args:
        file: The model.
        provider: A name of `PROVIDERS`. The embeddings are the same up to rounding, so it is no
            part of the fingerprint. None for what `computing` tells.
        threads: Number of threads on the processor, at least 1; None for what `computing` tells,
            else one for each processor that this process may use.

    Raises:
        ModelError: If the file cannot be read, is no such model, or the provider is not there.
        ValueError: If the provider is unknown or `threads` is below 1.
    """

    def __init__(
        self, file: Path, *, provider: str | None = None, threads: int | None = None
    ) -> None:
        provider = current().device if provider is None else provider
        threads = current().threads if threads is None else threads
        if provider not in PROVIDERS:
            names = ", ".join(PROVIDERS)
            raise ValueError(f"provider must be one of {names}, got {provider!r}")
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be at least 1, got {threads}")
        data = read_onnx_file(file)
        self._session = _open(file, data, provider)
        try:
            _check_ends(file, self._session)
            notes = self._session.get_modelmeta().custom_metadata_map
        except UnicodeDecodeError as error:
            raise ModelError(f"the model {file} holds a name or note that is no text") from error
        self._preprocessing = _preprocessing(file, notes)
        self._threads = (threads or _processors()) if provider == "cpu" else 1
        self._fingerprint = hashlib.blake2b(b"onnx\n" + data, digest_size=16).hexdigest()
        self._dimension = self._probe(file)

    @property
    def dimension(self) -> int:
        """Length D of an embedding."""
        return self._dimension

    @property
    def fingerprint(self) -> str:
        """Hex digest of the model's bytes, which hold the preprocessing, too."""
        return self._fingerprint

    @property
    def preprocessing(self) -> Preprocessing:
        """How pictures become inputs."""
        return self._preprocessing

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
        return prepare(picture, self._preprocessing)

    def encode(
        self,
        inputs: NDArray[np.uint8],
        domain: Domain,  # noqa: ARG002
    ) -> NDArray[np.float32]:
        """Embed a batch of prepared pictures.

        Args:
            inputs: (B, S, T, 3) uint8, RGB, [0, 255], B >= 1. The model prepares pictures of
                any other size by itself, nearly as `prepare` does.
            domain: Makes no difference here.

        Returns:
            (B, D) float32, L2-normalised; zeros where the network gives zeros.
        """
        if len(inputs) < 2 or self._threads < 2:
            return self._run(inputs)
        size = min(PART, math.ceil(len(inputs) / self._threads))
        parts = [inputs[start : start + size] for start in range(0, len(inputs), size)]
        with ThreadPoolExecutor(self._threads, thread_name_prefix="snapshelf-onnx") as pool:
            return np.concatenate(list(pool.map(self._run, parts)))

    def _run(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed in the calling thread."""
        embeddings: NDArray[np.float32] = self._session.run(None, {"pictures": inputs})[0]
        return embeddings

    def _probe(self, file: Path) -> int:
        """Run the model once on something grey; gives the length of an embedding."""
        try:
            grey = np.full((2, *self._preprocessing.size, 3), 127, np.uint8)
            embeddings = self._run(grey)
        except (*_RUNTIME_ERRORS, TypeError, MemoryError) as error:
            raise ModelError(f"the model {file} cannot be run: {_first_line(error)}") from error
        if embeddings.ndim != 2 or len(embeddings) != 2 or not embeddings.shape[1]:
            raise ModelError(
                f"the model {file} must give one embedding for each picture, (2, D) for two, "
                f"got {embeddings.shape}; export it anew"
            )
        lengths = np.linalg.norm(embeddings, axis=1)
        if not np.all((np.abs(lengths - 1) < 1e-3) | (lengths == 0)):
            raise ModelError(
                f"the model {file} must give embeddings of length 1, got {lengths[0]:.4g}; "
                "export it anew"
            )
        return int(embeddings.shape[1])


def _open(file: Path, data: bytes, provider: str) -> onnxruntime.InferenceSession:
    """Make a session from a model's bytes, so that what was checked is what is run."""
    wanted = PROVIDERS[provider]
    if wanted not in onnxruntime.get_available_providers():
        raise ModelError(
            f"the installed ONNX Runtime cannot run models with {provider!r}; "
            "install the package onnxruntime-gpu in place of onnxruntime, or use 'cpu'"
        )
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(data, options, providers=[wanted])
    except _RUNTIME_ERRORS as error:
        raise ModelError(
            f"the model {file} cannot be loaded by ONNX Runtime {onnxruntime.__version__}: "
            f"{_first_line(error)}"
        ) from error
    if session.get_providers()[0] != wanted:
        raise ModelError(
            f"ONNX Runtime cannot start {provider!r} on this machine, though it is built for it; "
            "check the driver, or use 'cpu'"
        )
    return session


def _check_ends(file: Path, session: onnxruntime.InferenceSession) -> None:
    """Refuse a model that takes or gives something else than pictures and embeddings."""
    inputs = [(each.name, each.type, len(each.shape)) for each in session.get_inputs()]
    outputs = [(each.name, each.type) for each in session.get_outputs()]
    if inputs != [("pictures", "tensor(uint8)", 4)]:
        raise ModelError(
            f"the model {file} must have the one input 'pictures', uint8 with 4 dimensions, "
            f"got {inputs}; `snapshelf export` writes such models"
        )
    if outputs != [("embeddings", "tensor(float)")]:
        raise ModelError(
            f"the model {file} must have the one output 'embeddings', float, got {outputs}; "
            "`snapshelf export` writes such models"
        )


def _preprocessing(file: Path, notes: Mapping[str, str]) -> Preprocessing:
    """Read how pictures are prepared from a model's notes."""
    text = notes.get(f"{METADATA}preprocessing")
    if text is None:
        raise ModelError(
            f"the model {file} does not say how pictures are prepared: "
            f"the note {METADATA}preprocessing is missing; `snapshelf export` writes it"
        )
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(
            f"the model {file}: {METADATA}preprocessing is no JSON: {error}"
        ) from error
    if not isinstance(values, dict):
        raise ModelError(f"the model {file}: {METADATA}preprocessing must be an object")
    try:
        return Preprocessing.from_dict(values)
    except ModelError as error:
        raise ModelError(f"the model {file}: {error}") from error


def _processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
