"""Exported models say what their networks say, for prepared pictures and for raw ones."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.torch

from torch import nn  # noqa: E402

from snapshelf import __version__  # noqa: E402
from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.export.half import store_half  # noqa: E402
from snapshelf.export.network_graph import network_graph  # noqa: E402
from snapshelf.export.onnx_model import (  # noqa: E402
    complete_model,
    export_onnx,
    save_model,
    weights_digest,
)
from snapshelf.export.parity import generated_pictures, parity  # noqa: E402
from snapshelf.export.quantising import quantise, quantise_weights  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.mirrored import Mirrored  # noqa: E402
from snapshelf.features.network_encoder import NetworkEncoder  # noqa: E402
from snapshelf.features.onnx_encoder import OnnxEncoder  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402

SPEC = Preprocessing(size=(32, 40), mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2))


class Tiny(nn.Module):
    """Convolutions, a norm and a linear layer: 2,900 parameters."""

    def __init__(self, seed=1, width=16, dimension=24):
        super().__init__()
        torch.manual_seed(seed)
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 3, 2, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU6(),
            nn.Conv2d(width, width, 3, 2, 1),
            nn.Hardswish(),
        )
        self.head = nn.Linear(width, dimension)
        norm = self.layers[1]
        norm.running_mean.uniform_(-0.3, 0.3)
        norm.running_var.uniform_(0.5, 2)
        self.eval()

    def forward(self, inputs):
        return self.head(self.layers(inputs).mean((2, 3)))


@pytest.fixture(scope="module")
def network():
    return Tiny()


@pytest.fixture(scope="module")
def core(network):
    return network_graph(network, SPEC)


def as_encoder(model, folder, spec=SPEC, name="model.onnx"):
    save_model(complete_model(model, spec, "0" * 32), folder / name)
    return OnnxEncoder(folder / name)


def torch_encoder(network, spec=SPEC):
    return NetworkEncoder(network, preprocessing=spec, fingerprint="0")


@pytest.mark.parametrize("half", [False, True])
def test_says_what_the_network_says(network, core, tmp_path, half):
    model = as_encoder(store_half(core) if half else core, tmp_path)
    found = parity(torch_encoder(network), model, generated_pictures(12))
    assert found.prepared >= 0.9999
    assert found.raw >= 0.99
    assert model.dimension == 24
    assert model.preprocessing == SPEC


def test_agrees_with_the_equations(core, tmp_path):
    """A reference that shares nothing with the export: float64, written out."""
    inputs = np.random.default_rng(5).integers(0, 256, (3, 32, 40, 3), np.uint8)
    scaled = (inputs / 255.0 - np.array(SPEC.mean)) / np.array(SPEC.std)
    double = Tiny().double()
    with torch.no_grad():
        expected = double(torch.from_numpy(scaled.transpose(0, 3, 1, 2))).numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    result = as_encoder(core, tmp_path).encode(inputs, Domain.STREET)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, atol=3e-6)


def test_mirror_images_are_in_the_graph(tmp_path):
    network = Mirrored(Tiny())
    model = as_encoder(network_graph(network, SPEC), tmp_path)
    found = parity(torch_encoder(network), model, generated_pictures(12))
    assert found.prepared >= 0.9999
    inputs = np.random.default_rng(7).integers(0, 256, (3, 32, 40, 3), np.uint8)
    turned = np.ascontiguousarray(inputs[:, :, ::-1])
    one, other = (model.encode(each, Domain.STREET) for each in (inputs, turned))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"fit": "pad", "background": (10, 200, 90)},
        {"fit": "crop", "crop_pct": 0.875},
        {"fit": "squash", "interpolation": "bilinear"},
        {"fit": "pad", "crop_pct": 0.9, "interpolation": "bilinear"},
    ],
)
def test_prepares_raw_pictures_itself(network, core, tmp_path, changes):
    spec = replace(SPEC, **changes)
    model = as_encoder(core, tmp_path, spec)
    found = parity(torch_encoder(network, spec), model, generated_pictures(12))
    assert found.prepared >= 0.99999
    assert found.raw >= 0.995


def test_half_the_weights(core):
    full, halved = core.graph.initializer, store_half(core).graph.initializer
    sizes = [
        sum(len(onnx.numpy_helper.to_array(each).tobytes()) for each in part)
        for part in (full, halved)
    ]
    assert 0.5 < sizes[1] / sizes[0] < 0.6


def test_what_float16_cannot_hold_stays(network, tmp_path):
    huge = Tiny()
    with torch.no_grad():
        huge.head.weight[0, 0] = 70_000.0
    graph = store_half(network_graph(huge, SPEC))
    types = {tensor.name: tensor.data_type for tensor in graph.graph.initializer}
    kept = [name for name in types if name.endswith("head.weight")]
    assert [types[name] for name in kept] == [onnx.TensorProto.FLOAT]
    assert any(kind == onnx.TensorProto.FLOAT16 for kind in types.values())
    model = as_encoder(graph, tmp_path)
    assert parity(torch_encoder(huge), model, generated_pictures(3)).prepared >= 0.9999


def test_the_graph_given_is_left_as_it_is(core):
    before = core.SerializeToString()
    store_half(core)
    quantise_weights(core)
    complete_model(core, SPEC, "0")
    assert core.SerializeToString() == before


def test_int8_weights_are_the_rounded_ones(core, tmp_path):
    from onnx import numpy_helper

    stored = quantise_weights(core)
    given = {each.name: numpy_helper.to_array(each) for each in core.graph.initializer}
    now = {each.name: numpy_helper.to_array(each) for each in stored.graph.initializer}
    names = [name.removesuffix(".int8") for name in now if name.endswith(".int8")]
    assert names
    for name in names:
        whole, scale = now[f"{name}.int8"], now[f"{name}.scale"]
        assert whole.dtype == np.int8
        off = np.abs(whole * scale.astype(np.float64) - given[name])
        assert (off <= scale / 2 * 1.0001).all()
        assert np.abs(whole.astype(int)).max() == 127
    inputs = np.random.default_rng(0).integers(0, 256, (4, 32, 40, 3), np.uint8)
    close = as_encoder(stored, tmp_path).encode(inputs, Domain.SHOP)
    right = as_encoder(core, tmp_path, name="core.onnx").encode(inputs, Domain.SHOP)
    cosines = (close * right).sum(1)
    assert (cosines >= 0.999).all()
    assert (close != right).any()


def test_int8_weights_of_a_channel_of_zeros():
    empty = Tiny()
    with torch.no_grad():
        empty.layers[3].weight[2] = 0
    stored = quantise_weights(network_graph(empty, SPEC))
    for tensor in stored.graph.initializer:
        assert np.isfinite(onnx.numpy_helper.to_array(tensor)).all()


def test_int8_computation_is_close(network, core, tmp_path):
    encoder = torch_encoder(network)
    calibration = np.stack(
        [encoder.prepare(each, Domain.SHOP) for each in generated_pictures(24, seed=7)]
    )
    model = as_encoder(quantise(core, calibration), tmp_path)
    kinds = {node.op_type for node in onnx.load(tmp_path / "model.onnx").graph.node}
    assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    found = parity(encoder, model, generated_pictures(12))
    assert 0.97 <= found.prepared < 0.999999


def test_int8_computation_needs_a_picture(core):
    with pytest.raises(ValueError, match="at least one picture"):
        quantise(core, np.empty((0, 32, 40, 3), np.uint8))


def test_the_file_says_what_it_is(network, tmp_path):
    export_onnx(network, SPEC, tmp_path / "model.onnx", licence="Apache-2.0")
    model = onnx.load(tmp_path / "model.onnx")
    notes = {each.key: each.value for each in model.metadata_props}
    assert Preprocessing.from_dict(json.loads(notes["snapshelf.preprocessing"])) == SPEC
    assert notes["snapshelf.weights"] == weights_digest(network)
    assert notes["snapshelf.version"] == __version__
    assert notes["snapshelf.licence"] == "Apache-2.0"
    assert b"/site-packages/" not in model.SerializeToString(), "paths of this machine"
    assert b".py" not in model.SerializeToString()


def test_the_digest_of_weights_tells_each_of_them(network):
    same, other = Tiny(), Tiny()
    with torch.no_grad():
        other.layers[1].running_var[3] += 1
    assert weights_digest(network) == weights_digest(same) != weights_digest(other)


def test_the_same_network_gives_the_same_file(network, core, tmp_path):
    export_onnx(network, SPEC, tmp_path / "a")
    again = complete_model(store_half(core), SPEC, weights_digest(network))
    assert (tmp_path / "a").read_bytes() == again.SerializeToString()


def test_a_network_that_onnx_cannot_express(tmp_path):
    class Odd(nn.Module):
        def forward(self, inputs):
            return inputs.mean((2, 3)) if inputs.sum() > 0 else inputs.amax((2, 3))

    with pytest.raises(ModelError, match="Odd cannot be written in ONNX"):
        export_onnx(Odd(), SPEC, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_file_that_was_there(tmp_path, network):
    file = tmp_path / "model.onnx"
    file.write_bytes(b"before")
    with pytest.raises(ModelError, match="lanczos cannot be exported"):
        export_onnx(network, replace(SPEC, interpolation="lanczos"), file)
    assert file.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [file]


def test_mobilenet(tmp_path):
    """A real network, with random weights."""
    import timm

    torch.manual_seed(0)
    spec = Preprocessing(size=(96, 96), mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bilinear")
    network = timm.create_model("mobilenetv2_100", num_classes=0).eval()
    export_onnx(network, spec, tmp_path / "model.onnx")
    found = parity(
        torch_encoder(network, spec), OnnxEncoder(tmp_path / "model.onnx"), generated_pictures(4)
    )
    assert found.prepared >= 0.9999
    assert found.raw >= 0.99
