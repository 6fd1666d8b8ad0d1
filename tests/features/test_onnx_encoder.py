"""OnnxEncoder: real ONNX files, good ones, odd ones and hostile ones."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.onnx_encoder import OnnxEncoder  # noqa: E402
from snapshelf.features.onnx_file import read_onnx_file  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing, prepare  # noqa: E402

SPEC = Preprocessing(size=(6, 8), mean=(0.5,) * 3, std=(0.5,) * 3)
WEIGHTS = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)

# The mean colour times a matrix, L2-normalised.
GRAPH = """
<ir_version: 10, opset_import: ["": 18]>
tiny (uint8[batch, height, width, 3] pictures) => (float[batch, 5] embeddings)
{
    levels = Cast <to = 1> (pictures)
    axes = Constant <value = int64[2] {1, 2}> ()
    mean = ReduceMean <keepdims = 0> (levels, axes)
    turned = MatMul (mean, weights)
    embeddings = LpNormalization <axis = 1, p = 2> (turned)
}
"""


def tiny(text=GRAPH, notes=None, weights=WEIGHTS):
    model = onnx.parser.parse_model(text)
    if "weights)" in text:
        model.graph.initializer.append(numpy_helper.from_array(weights, "weights"))
    if notes is None:
        notes = {"snapshelf.preprocessing": json.dumps(SPEC.to_dict())}
    helper.set_model_props(model, notes)
    return model


def write(folder, model, name="model.onnx"):
    file = folder / name
    file.write_bytes(model.SerializeToString())
    return file


@pytest.fixture
def file(tmp_path):
    return write(tmp_path, tiny())


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 6, 8, 3), np.uint8)


def expected(inputs, weights=WEIGHTS):
    rows = np.stack([one.reshape(-1, 3).astype(np.float64).mean(0) @ weights for one in inputs])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("threads", [None, 1, 2, 3])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 19])
def test_embeds_each_picture_in_its_place(file, threads, count):
    encoder = OnnxEncoder(file, threads=threads)
    result = encoder.encode(pictures(count), Domain.STREET)
    assert (result.dtype, result.shape) == (np.float32, (count, 5))
    np.testing.assert_allclose(result, expected(pictures(count)), atol=1e-5)


def test_prepares_as_the_notes_say(file):
    encoder = OnnxEncoder(file)
    assert encoder.preprocessing == SPEC
    assert encoder.dimension == 5
    picture = np.random.default_rng(2).integers(0, 256, (40, 23, 3), np.uint8)
    assert np.array_equal(encoder.prepare(picture, Domain.STREET), prepare(picture, SPEC))


def test_several_threads_may_encode_at_once(file):
    from concurrent.futures import ThreadPoolExecutor

    encoder = OnnxEncoder(file, threads=2)
    batches = [pictures(7, seed) for seed in range(12)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda batch: encoder.encode(batch, Domain.SHOP), batches))
    for batch, result in zip(batches, results, strict=True):
        np.testing.assert_allclose(result, expected(batch), atol=1e-5)


def test_the_fingerprint_is_that_of_the_bytes(file, tmp_path):
    same = tmp_path / "copy.onnx"
    same.write_bytes(file.read_bytes())
    other = write(tmp_path, tiny(weights=WEIGHTS + np.float32(1e-3)), "other.onnx")
    spec = {**SPEC.to_dict(), "fit": "crop"}
    fit = write(tmp_path, tiny(notes={"snapshelf.preprocessing": json.dumps(spec)}), "fit.onnx")
    prints = [OnnxEncoder(each).fingerprint for each in (file, same, other, fit)]
    assert prints[0] == prints[1] == OnnxEncoder(file, threads=3).fingerprint
    assert len(set(prints)) == 3


class TestRefused:
    def refuse(self, file, message):
        with pytest.raises(ModelError, match=message) as caught:
            OnnxEncoder(file)
        assert "\n" not in str(caught.value)
        assert str(file) in str(caught.value)

    def test_no_file(self, tmp_path):
        self.refuse(tmp_path / "none.onnx", "cannot be read: No such file")

    def test_a_folder(self, tmp_path):
        self.refuse(tmp_path, "cannot be read")

    @pytest.mark.parametrize("content", [b"", b"no model", b"\x00" * 100, b"\xff" * 100, b"\x80"])
    def test_other_bytes(self, tmp_path, content):
        (tmp_path / "model.onnx").write_bytes(content)
        self.refuse(tmp_path / "model.onnx", "is no ONNX file")

    def test_a_file_cut_anywhere(self, file):
        data = file.read_bytes()
        for end in range(0, len(data), 7):
            file.write_bytes(data[:end])
            with pytest.raises(ModelError):
                OnnxEncoder(file)

    def test_bytes_that_changed(self, file):
        """Any answer but a crash: a flipped bit may well leave a model that works."""
        data = file.read_bytes()
        rng = np.random.default_rng(0)
        for _ in range(60):
            changed = bytearray(data)
            changed[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
            file.write_bytes(changed)
            with contextlib.suppress(ModelError):
                OnnxEncoder(file)

    def test_messages_without_end(self, tmp_path):
        nested = b""
        for _ in range(400):  # graph in attribute in node in graph ...
            for tag in (b"\x32", b"\x2a", b"\x0a"):
                length, size = len(nested), b""
                while length > 127:
                    size += bytes([length & 127 | 128])
                    length >>= 7
                nested = tag + size + bytes([length]) + nested
        length = len(nested)
        size = bytes([length & 127 | 128, length >> 7 & 127 | 128, length >> 14])
        (tmp_path / "model.onnx").write_bytes(b"\x3a" + size + nested)
        self.refuse(tmp_path / "model.onnx", "nested more than 64 deep")

    def test_a_larger_file_than_there_can_be(self, file, monkeypatch):
        monkeypatch.setattr("snapshelf.features.onnx_file.MOST_BYTES", 100)
        self.refuse(file, "expected at most 100")

    @pytest.mark.parametrize("place", ["/etc/passwd", "../secret", "weights.bin"])
    def test_weights_in_another_file(self, tmp_path, place):
        (tmp_path / "weights.bin").write_bytes(WEIGHTS.tobytes())
        model = tiny()
        (tensor,) = model.graph.initializer
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=place)
        self.refuse(write(tmp_path, model), "keeps weights in another file, which is refused")

    @pytest.mark.parametrize("where", ["constant", "branch", "sparse", "function"])
    def test_weights_in_another_file_hidden_deep(self, tmp_path, where):
        tensor = TensorProto(name="t", data_type=TensorProto.FLOAT, dims=[3, 5])
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="/etc/passwd")
        model = tiny()
        constant = helper.make_node("Constant", [], ["c"], value=tensor)
        if where == "constant":
            model.graph.node.insert(0, constant)
        elif where == "branch":
            branch = helper.make_graph([constant], "b", [], [])
            model.graph.node.append(helper.make_node("If", ["x"], [], then_branch=branch))
        elif where == "sparse":
            model.graph.sparse_initializer.add().values.CopyFrom(tensor)
        else:
            model.functions.add(name="f", domain="d").node.append(constant)
        with pytest.raises(ModelError, match="in another file"):
            read_onnx_file(write(tmp_path, model))

    def test_an_operator_of_somebody_else(self, tmp_path):
        text = GRAPH.replace('["": 18]', '["": 18, "evil": 1]').replace("MatMul", "evil.MatMul")
        self.refuse(write(tmp_path, tiny(text)), "cannot be loaded by ONNX Runtime")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("pictures", "images", "must have the one input 'pictures'"),
            ("uint8[batch", "float[batch", "must have the one input 'pictures', uint8"),
            ("embeddings", "features", "must have the one output 'embeddings'"),
            ("<axis = 1, p = 2>", "<axis = 1, p = 1>", "embeddings of length 1, got"),
        ],
    )
    def test_an_odd_graph(self, tmp_path, old, new, message):
        self.refuse(write(tmp_path, tiny(GRAPH.replace(old, new))), message)

    def test_an_input_of_three_dimensions(self, tmp_path):
        text = GRAPH.replace("height, width", "width").replace("int64[2] {1, 2}", "int64[1] {1}")
        self.refuse(write(tmp_path, tiny(text)), "uint8 with 4 dimensions, got .* 3")

    def test_one_embedding_for_all(self, tmp_path):
        text = GRAPH.replace("{1, 2}", "{0, 2}").replace("int64[2] {0, 2}", "int64[2] {0, 1}")
        text = text.replace("float[batch, 5]", "float[rows, 5]")
        self.refuse(write(tmp_path, tiny(text)), "must give one embedding for each picture")

    def test_values_that_are_no_numbers(self, tmp_path):
        weights = np.full((3, 5), np.nan, np.float32)
        self.refuse(write(tmp_path, tiny(weights=weights)), "of length 1, got nan")

    @pytest.mark.parametrize(
        ("note", "message"),
        [
            (None, "does not say how pictures are prepared"),
            ("{", "is no JSON"),
            ("[" * 100_000, "is no JSON"),
            ("7", "must be an object"),
            ("{}", "preprocessing"),
            ('{"size": "ab"}', "preprocessing"),
            (json.dumps({**SPEC.to_dict(), "size": [6.5, 8]}), "cannot be run"),
            (json.dumps({**SPEC.to_dict(), "fit": "guess"}), "fit must be one of"),
        ],
    )
    def test_notes(self, tmp_path, note, message):
        notes = {} if note is None else {"snapshelf.preprocessing": note}
        self.refuse(write(tmp_path, tiny(notes=notes)), message)

    def test_an_unknown_provider(self, file):
        with pytest.raises(ValueError, match="provider must be one of cpu, cuda, got 'tpu'"):
            OnnxEncoder(file, provider="tpu")

    def test_a_provider_that_is_not_there(self, file, monkeypatch):
        monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
        with pytest.raises(ModelError, match=r"cannot run models with 'cuda'.*onnxruntime-gpu"):
            OnnxEncoder(file, provider="cuda")

    def test_no_threads(self, file):
        with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
            OnnxEncoder(file, threads=0)


ALONE = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "timm", "onnx", "onnxscript", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
from pathlib import Path
from snapshelf.features.onnx_encoder import OnnxEncoder
print(OnnxEncoder(Path(sys.argv[1])).dimension)
try:
    OnnxEncoder(Path(sys.argv[2]))
except Exception as error:
    print(type(error).__name__)
"""


def test_needs_nothing_of_the_extra_and_keeps_quiet(file, tmp_path):
    bad = write(tmp_path, tiny(GRAPH.replace("MatMul", "NoSuchOperator")), "bad.onnx")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ALONE, str(file), str(bad)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(file).parent,
    )
    assert (done.stdout, done.stderr) == ("5\nModelError\n", "")
