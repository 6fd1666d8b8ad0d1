import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from snapshelf.errors import MissingWeightsError, ModelError
from snapshelf.text import text_models
from snapshelf.text.text_models import FINDER, READER, PublishedModel, load_network, model_file


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only weights folder, of a machine without the packages."""
    monkeypatch.setattr(text_models, "find_spec", lambda name: None)
    monkeypatch.setenv("SNAPSHELF_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("SNAPSHELF_DATA", "")
    return tmp_path


def test_a_missing_network_is_told_with_the_places_and_the_command(folder: Path) -> None:
    with pytest.raises(MissingWeightsError) as caught:
        model_file(FINDER)
    message = str(caught.value)
    assert FINDER.file_name in message
    assert str(folder) in message
    assert "pip install 'snapshelf[ocr]'" in message
    assert "\n" not in message


def test_a_weights_folder_comes_first(folder: Path) -> None:
    (folder / READER.file_name).write_bytes(b"")
    assert model_file(READER) == folder / READER.file_name


def test_a_package_is_looked_into_but_not_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = folder / "loud_models"
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('it was imported')")
    (package / "models" / "finder.onnx").write_bytes(b"")
    monkeypatch.undo()
    monkeypatch.syspath_prepend(str(folder))
    model = PublishedModel("finder.onnx", (("loud_models", "models/finder.onnx"),), "")
    assert model_file(model) == package / "models" / "finder.onnx"


@pytest.mark.parametrize("content", [b"", b"no network", b"\x08\x08"])
def test_what_is_not_the_published_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / FINDER.file_name
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"{len(content)} bytes and is not the published PP-OCRv6"):
        load_network(path, FINDER)


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        load_network(tmp_path / "gone.onnx", FINDER)


@pytest.mark.torch
def test_a_network_tells_its_characters(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    shape = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n"])
    twice = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n"])
    node = onnx.helper.make_node("Add", ["x", "x"], ["y"])
    graph = onnx.helper.make_graph([node], "twice", [shape], [twice])
    made = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    made.ir_version = 8
    onnx.helper.set_model_props(made, {"character": "a\nb\n"})
    path = tmp_path / "twice.onnx"
    path.write_bytes(made.SerializeToString())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    network, characters = load_network(path, replace(READER, digest=digest))
    assert characters == ("", "a", "b", " ")
    np.testing.assert_array_equal(network(np.array([1, 2], np.float32)), [2, 4])
