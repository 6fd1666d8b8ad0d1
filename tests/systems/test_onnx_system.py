"""Systems of ONNX files in folders."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from onnx import helper, numpy_helper  # noqa: E402

from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.preprocessing import Preprocessing  # noqa: E402
from snapshelf.locating import WholePicture  # noqa: E402
from snapshelf.matching import Calibration  # noqa: E402
from snapshelf.systems.onnx import onnx_from_folder, onnx_settings  # noqa: E402

SPEC = Preprocessing(size=(6, 8), mean=(0.5,) * 3, std=(0.5,) * 3)
CALIBRATION = Calibration(slope=7.5, intercept=-5.0, threshold=0.2)
GRAPH = """
<ir_version: 10, opset_import: ["": 18]>
tiny (uint8[batch, height, width, 3] pictures) => (float[batch, 3] embeddings)
{
    levels = Cast <to = 1> (pictures)
    axes = Constant <value = int64[2] {1, 2}> ()
    mean = ReduceMean <keepdims = 0> (levels, axes)
    shifted = Add (mean, shift)
    embeddings = LpNormalization <axis = 1, p = 2> (shifted)
}
"""


@pytest.fixture
def folder(tmp_path):
    model = onnx.parser.parse_model(GRAPH)
    shift = numpy_helper.from_array(np.array([1, -2, 3], np.float32), "shift")
    model.graph.initializer.append(shift)
    helper.set_model_props(model, {"snapshelf.preprocessing": json.dumps(SPEC.to_dict())})
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    settings = onnx_settings("model.onnx", CALIBRATION)
    (tmp_path / "system.json").write_text(json.dumps(settings))
    return tmp_path


def load(folder, **changes):
    return onnx_from_folder(folder, {"system": "onnx", "model": "model.onnx", **changes})


def test_a_folder_is_a_system(folder):
    settings = json.loads((folder / "system.json").read_text())
    system = onnx_from_folder(folder, settings)
    assert system.name == str(folder)
    assert isinstance(system.locator, WholePicture)
    assert system.calibration == CALIBRATION
    inputs = system.encoder.prepare(np.full((9, 9, 3), 200, np.uint8), Domain.SHOP)[None]
    embedding = system.encoder.encode(inputs, Domain.SHOP)
    row = inputs[0].reshape(-1, 3).mean(0) + np.array([1, -2, 3])
    np.testing.assert_allclose(embedding[0], row / np.linalg.norm(row), atol=1e-6)


def test_a_calibration_may_tell_what_reranking_adds(folder):
    own = replace(CALIBRATION, added_slope=1.5)
    assert load(folder, calibration=asdict(own)).calibration == own
    assert load(folder, calibration=asdict(CALIBRATION)).calibration == CALIBRATION


def test_the_calibration_may_be_left_out(folder):
    assert load(folder).calibration == Calibration()
    assert load(folder).fingerprint == load(folder, calibration=asdict(CALIBRATION)).fingerprint


NUMBERS = asdict(CALIBRATION)
BAD = [
    ({"model": 7}, "model must be a str, got 7"),
    ({"model": "../model.onnx"}, "model must be a file in this folder, got '../model.onnx'"),
    ({"model": "/etc/passwd"}, "a file in this folder"),
    ({"model": ""}, "a file in this folder, got ''"),
    ({"model": ".."}, "a file in this folder"),
    ({"model": "nul\0"}, "a file in this folder"),
    ({"model": "none.onnx"}, "cannot be read: No such file"),
    ({"model": "system.json"}, "is no ONNX file"),
    ({"modle": "x"}, "unknown setting 'modle'; expected system, model, calibration, notes"),
    ({"calibration": 3}, "calibration must be a dict, got 3"),
    ({"calibration": {}}, "must hold the numbers slope, intercept, threshold"),
    ({"calibration": {**NUMBERS, "slope": "7"}}, "must hold the numbers"),
    ({"calibration": {**NUMBERS, "slope": True}}, "must hold the numbers"),
    ({"calibration": {**NUMBERS, "more": 1}}, "must hold the numbers"),
    ({"calibration": {**NUMBERS, "slope": float("nan")}}, "must hold the numbers"),
    ({"calibration": {**NUMBERS, "slope": None}}, "must hold the numbers"),
    ({"calibration": {**NUMBERS, "added_slope": "7"}}, "may hold added_slope"),
    ({"calibration": {**NUMBERS, "slope": -1}}, "slopes of at least 0"),
    ({"calibration": {**NUMBERS, "added_slope": -1}}, "slopes of at least 0"),
    ({"calibration": {**NUMBERS, "threshold": 1.5}}, r"threshold in \[0, 1\]"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_a_bad_setting_is_named(folder, changes, message):
    with pytest.raises(ModelError, match=message):
        load(folder, **changes)


def test_a_missing_model_is_named(folder):
    with pytest.raises(ModelError, match="the setting 'model' is missing"):
        onnx_from_folder(folder, {"system": "onnx"})
