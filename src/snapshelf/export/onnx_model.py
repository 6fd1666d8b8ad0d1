"""A network and its preprocessing as one ONNX file that says what it is."""

import hashlib
import json
import os
from pathlib import Path

from snapshelf import __version__
from snapshelf.export.half import store_half
from snapshelf.export.network_graph import EMBEDDINGS, network_graph
from snapshelf.export.preprocessing_graph import preprocessing_graph
from snapshelf.features.onnx_encoder import METADATA
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import onnx
    import onnx.compose
    from torch import nn

__all__ = ["complete_model", "export_onnx", "save_model", "weights_digest"]


def export_onnx(
    network: nn.Module,
    preprocessing: Preprocessing,
    file: Path,
    *,
    half: bool = True,
    licence: str = "",
) -> None:
    """Write a network to an ONNX file that needs neither PyTorch nor other code.

    The model takes ``pictures``, (B, H, W, 3) uint8, RGB, of any size, prepares them, and gives
    ``embeddings``, (B, D) float32, L2-normalised. Pictures that `prepare` has brought to the
    input's size give what the network gives.

    Args:
        network: In evaluation mode, on the CPU; called with (B, 3, S, T) float32, normalised,
            gives (B, D) float32.
        preprocessing: How pictures become inputs.
        file: Written as a whole or not at all.
        half: Store weights as float16; the computation is in float32 either way.
        licence: What is noted in the file about its weights.

    Raises:
        ModelError: If the network or its preprocessing cannot be written in ONNX.
    """
    core = network_graph(network, preprocessing)
    model = store_half(core) if half else core
    save_model(complete_model(model, preprocessing, weights_digest(network), licence), file)


def complete_model(
    core: onnx.ModelProto, preprocessing: Preprocessing, weights: str, licence: str = ""
) -> onnx.ModelProto:
    """Put the preprocessing before a network's graph, and note what the model is.

    Args:
        core: As `network_graph` writes it, quantised or not.
        preprocessing: The one that the graph was written for.
        weights: Hex digest of the network's weights.
        licence: What is noted about the weights.

    Returns:
        A model from ``pictures`` to ``embeddings``, checked.
    """
    # The names of the two graphs' values must not meet.
    model = onnx.compose.add_prefix(
        core, "network.", rename_inputs=False, rename_outputs=False, inplace=False
    )
    front = preprocessing_graph(preprocessing)
    nodes = [*front.graph.node, *model.graph.node]
    del model.graph.node[:], model.graph.input[:]
    model.graph.node.extend(nodes)
    model.graph.input.extend(front.graph.input)
    notes = {
        "preprocessing": json.dumps(preprocessing.to_dict()),
        "weights": weights,
        "version": __version__,
        "licence": licence,
    }
    onnx.helper.set_model_props(
        model, {f"{METADATA}{name}": text for name, text in notes.items() if text}
    )
    model.producer_name, model.producer_version = "snapshelf", __version__
    model.graph.name = EMBEDDINGS
    onnx.checker.check_model(model, full_check=True)
    return model


def save_model(model: onnx.ModelProto, file: Path) -> None:
    """Write a model to a file, beside it first, so that there is never half a file.

    Args:
        model: The model.
        file: Its folder must exist.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_bytes(model.SerializeToString())
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def weights_digest(network: nn.Module) -> str:
    """Give the hex digest of a network's tensors: their names, types, shapes and values.

    Args:
        network: Anywhere; only read.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
