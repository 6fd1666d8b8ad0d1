"""Models in int8: the weights only, or the whole computation."""

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.export.preprocessing_graph import PREPARED
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

__all__ = ["quantise", "quantise_weights"]

FEWEST = 1024
"""Elements of a tensor below which its scales would weigh more than what is won."""

INT8_MOST = 127


def quantise(model: onnx.ModelProto, calibration: NDArray[np.uint8]) -> onnx.ModelProto:
    """Compute in int8: weights for each output channel, activations by what pictures give.

    Static quantisation in the QDQ form: ``x is about (q - zero_point) * scale``. Activations are
    uint8, which processors with VNNI multiply fastest; those without may saturate a sum, so
    measure there.

    Args:
        model: As `network_graph` writes it; left as it is.
        calibration: (N, S, T, 3) uint8, RGB, [0, 255]: prepared pictures like those that the
            model will meet, N >= 1; about a hundred are enough.

    Returns:
        A new model of about a quarter of the size.

    Raises:
        ValueError: If there is no picture.
    """
    if not len(calibration):
        raise ValueError("calibration must hold at least one picture, got none")
    with tempfile.TemporaryDirectory() as folder, _quiet():
        given, cleaned, done = (Path(folder) / name for name in ("given", "cleaned", "done"))
        onnx.save(model, given)
        quant_pre_process(str(given), str(cleaned), skip_symbolic_shape=True)
        quantize_static(
            str(cleaned),
            str(done),
            _Pictures(calibration),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(done)


def quantise_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store weights as int8, ``w is about q * scale`` for each output channel; compute in float32.

    The products are written as a cast and a multiplication, which a runtime works out once, when
    it loads the model; it would repeat a ``DequantizeLinear`` for every picture.

    Args:
        model: As `network_graph` writes it; left as it is.

    Returns:
        A new model of about a quarter of the size.
    """
    stored = onnx.ModelProto()
    stored.CopyFrom(model)
    # The columns of a matrix that is multiplied from the right are the output channels.
    from_right = {node.input[1] for node in stored.graph.node if node.op_type == "MatMul"}
    nodes, scales = [], []
    for tensor in stored.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.ndim < 2 or values.size < FEWEST:
            continue
        axis = values.ndim - 1 if tensor.name in from_right else 0
        others = tuple(each for each in range(values.ndim) if each != axis)
        largest = np.abs(values).max(axis=others, keepdims=True)
        scale = np.where(largest > 0, largest / INT8_MOST, 1).astype(np.float32)
        name = tensor.name
        whole = np.rint(values / scale).astype(np.int8)
        tensor.CopyFrom(numpy_helper.from_array(whole, f"{name}.int8"))
        scales.append(numpy_helper.from_array(scale, f"{name}.scale"))
        cast = f"{name}.cast"
        nodes.append(helper.make_node("Cast", [tensor.name], [cast], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [cast, scales[-1].name], [name]))
    stored.graph.initializer.extend(scales)
    nodes.extend(stored.graph.node)
    del stored.graph.node[:]
    stored.graph.node.extend(nodes)
    return stored


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Hands out one picture after the other."""

    def __init__(self, pictures: NDArray[np.uint8]) -> None:
        self._left: Iterator[NDArray[np.uint8]] = iter(pictures)

    def get_next(self) -> dict[str, NDArray[np.uint8]] | None:
        picture = next(self._left, None)
        return None if picture is None else {PREPARED: picture[None]}


class _quiet:  # noqa: N801
    """Keeps the quantiser from logging, on the root logger, what has been done already."""

    def __enter__(self) -> None:
        self._before = logging.root.manager.disable
        logging.disable(logging.WARNING)

    def __exit__(self, *_: object) -> None:
        logging.disable(self._before)
