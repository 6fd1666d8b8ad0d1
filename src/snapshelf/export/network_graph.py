"""A PyTorch network as an ONNX graph: prepared pictures in, L2-normalised embeddings out."""

import logging
import warnings

from snapshelf.errors import ModelError
from snapshelf.export.preprocessing_graph import OPSET, PREPARED
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import onnx
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import normalize

__all__ = ["EMBEDDINGS", "network_graph"]

EMBEDDINGS = "embeddings"
"""The graph's output."""


class _Embedding(nn.Module):
    """What `NetworkEncoder` does between a batch of prepared pictures and its embeddings."""

    factor: Tensor
    offset: Tensor

    def __init__(self, network: nn.Module, spec: Preprocessing) -> None:
        super().__init__()
        self.network = network
        std = torch.tensor(spec.std, dtype=torch.float64)
        factor, offset = 1 / (255 * std), -torch.tensor(spec.mean, dtype=torch.float64) / std
        self.register_buffer("factor", factor.float().reshape(1, 3, 1, 1))
        self.register_buffer("offset", offset.float().reshape(1, 3, 1, 1))

    def forward(self, inputs: Tensor) -> Tensor:
        planes = inputs.permute(0, 3, 1, 2).float()
        return normalize(self.network(planes * self.factor + self.offset))


def network_graph(network: nn.Module, spec: Preprocessing) -> onnx.ModelProto:
    """Write a network, with the normalising before and after it, in ONNX.

    Args:
        network: In evaluation mode, on the CPU; called with (B, 3, S, T) float32, normalised,
            gives (B, D) float32.
        spec: Holds the input's size, mean and standard deviation.

    Returns:
        A model with the input ``inputs``, (B, S, T, 3) uint8, RGB, [0, 255], of any B, and the
        output `EMBEDDINGS`, (B, D) float32, L2-normalised.

    Raises:
        ModelError: If the network does something that cannot be written in ONNX.
    """
    module = _Embedding(network, spec).eval()
    # A batch of one would be taken for a constant.
    example = torch.zeros(2, *spec.size, 3, dtype=torch.uint8)
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            # The exporter warns of its own parts that will change.
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                module,
                (example,),
                dynamo=True,
                verbose=False,
                opset_version=OPSET,
                input_names=[PREPARED],
                output_names=[EMBEDDINGS],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
            )
    except torch.onnx.errors.OnnxExporterError as error:
        reason = str(error.__cause__ or error).strip().partition("\n")[0]
        raise ModelError(
            f"the network {type(network).__name__} cannot be written in ONNX: {reason}"
        ) from error
    finally:
        exporter.setLevel(level)
    if program is None:
        raise ModelError(f"the network {type(network).__name__} cannot be written in ONNX")
    return _without_notes(program.model_proto)


def _without_notes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop the exporter's notes on each node: stack traces with paths of this machine."""
    for part in (model.graph, *model.graph.node, *model.graph.input, *model.graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for value in (*model.graph.value_info, *model.graph.initializer):
        value.ClearField("metadata_props")
        value.ClearField("doc_string")
    return model
