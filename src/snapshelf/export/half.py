"""Weights in half precision: half the file, the same computation in float32."""

import numpy as np

from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import onnx
    from onnx import TensorProto, helper, numpy_helper

__all__ = ["store_half"]


def store_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store a model's matrices and filters as float16, cast to float32 when it is loaded.

    Vectors (biases, means, variances) are few and stay as they are; so does a tensor with a
    value that float16 cannot hold, which ends at 65,504.

    Args:
        model: A model whose weights are float32 initializers; left as it is.

    Returns:
        A new model.
    """
    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    casts = []
    for tensor in stored.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        values = numpy_helper.to_array(tensor)
        with np.errstate(over="ignore"):
            halved = values.astype(np.float16)
        if not np.array_equal(np.isfinite(halved), np.isfinite(values)):
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(halved, f"{name}.half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *stored.graph.node]
    del stored.graph.node[:]
    stored.graph.node.extend(nodes)
    return stored
