"""`snapshelf export`: a folder of a small network becomes a model, and a system again."""

import json

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytestmark = pytest.mark.torch

from snapshelf.cli.export import export  # noqa: E402
from snapshelf.errors import ModelError  # noqa: E402
from snapshelf.features.encoder import Domain  # noqa: E402
from snapshelf.features.onnx_encoder import OnnxEncoder  # noqa: E402
from snapshelf.systems.onnx import onnx_from_folder  # noqa: E402
from snapshelf.systems.registry import load_system  # noqa: E402

SIZE = {"size": [64, 64], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A system of the smallest network of timm's, with random weights."""
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("system")
    save_file(timm.create_model("test_resnet").state_dict(), folder / "w.safetensors")
    settings = {"system": "timm", "backbone": "test_resnet", "weights": "w.safetensors"}
    (folder / "system.json").write_text(json.dumps({**settings, "preprocessing": SIZE}))
    return folder


@pytest.fixture
def run(folder):
    """Run the command alone; a mistake that the main command tells in one line is raised."""
    app = typer.Typer()
    app.command()(export)

    def run(*arguments, system=folder):
        result = CliRunner().invoke(app, [str(system), *map(str, arguments)])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


def embed(encoder, seed=0):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (5, 7, 3), np.uint8).repeat(30, 0).repeat(20, 1)
    return encoder.encode(encoder.prepare(picture, Domain.SHOP)[None], Domain.SHOP)[0]


def test_a_folder_becomes_a_system(run, folder, tmp_path):
    out = tmp_path / "exported"
    done = run("--onnx", out)
    assert done.exit_code == 0, done.output
    assert sorted(each.name for each in out.iterdir()) == ["model.onnx", "system.json"]
    assert "cosine with PyTorch on 8 generated pictures: at least 1.00000" in done.output
    assert f"--system {out}" in done.output
    system = onnx_from_folder(out, json.loads((out / "system.json").read_text()))
    original = load_system(folder)
    assert system.calibration == original.calibration
    assert embed(system.encoder) @ embed(original.encoder) >= 0.9999
    # A folder that the command wrote may be written again.
    assert run("--onnx", out, "--half").exit_code == 0
    halved = OnnxEncoder(out / "model.onnx")
    assert halved.fingerprint != system.encoder.fingerprint
    assert embed(halved) @ embed(original.encoder) >= 0.9999


def test_a_locator_that_is_left_behind_is_told(run, folder, tmp_path):
    from snapshelf.locating.edge_boxes import EdgeBoxes
    from snapshelf.locating.locator_file import save_locator
    from snapshelf.locating.ranked_proposals import RankedProposals

    save_locator(tmp_path / "locator", RankedProposals(EdgeBoxes()))
    located = tmp_path / "located"
    located.mkdir()
    settings = {"system": "located", "base": str(folder), "locator": str(tmp_path / "locator")}
    (located / "system.json").write_text(json.dumps(settings))
    told = "the system's locator is not part of it"
    assert told not in run("--onnx", tmp_path / "a", system=folder).output
    assert told in run("--onnx", tmp_path / "b", system=located).output


def test_int8_of_the_weights_and_of_the_computation(run, folder, tmp_path):
    pictures = tmp_path / "pictures" / "deeper"
    pictures.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(12):
        cells = rng.integers(0, 256, (5, 6, 3), np.uint8)
        Image.fromarray(cells).resize((90, 70)).save(pictures / f"{number}.jpg")
    (pictures / "note.txt").write_text("no picture")
    right = embed(load_system(folder).encoder)
    kinds = {}
    for name, more in (("weights", []), ("computed", ["--calibrate", tmp_path / "pictures"])):
        file = tmp_path / f"{name}.onnx"
        done = run("--onnx", file, "--int8", *more)
        assert done.exit_code == 0, done.output
        assert "give a folder instead" in done.output
        kinds[name] = {node.op_type for node in onnx.load(file).graph.node}
        assert embed(OnnxEncoder(file)) @ right >= 0.98
    assert "QuantizeLinear" not in kinds["weights"]
    assert "QuantizeLinear" in kinds["computed"]
    assert not (tmp_path / "system.json").exists()


def test_the_licence_is_noted(run, tmp_path):
    assert run("--onnx", tmp_path / "m.onnx", "--licence", "Apache-2.0").exit_code == 0
    notes = {each.key: each.value for each in onnx.load(tmp_path / "m.onnx").metadata_props}
    assert notes["snapshelf.licence"] == "Apache-2.0"


MISTAKES = {
    "half and int8": (["--onnx", "m.onnx", "--half", "--int8"], 2, "give one of them"),
    "calibrated float": (["--onnx", "m.onnx", "--calibrate", "."], 2, "give --int8, too"),
    "no pictures": (["--onnx", "m.onnx", "--int8", "--calibrate", "empty"], 1, "holds no pictures"),
    "no folder": (["--onnx", "m.onnx", "--int8", "--calibrate", "none"], 1, "none is no folder"),
    "no parent": (["--onnx", "none/m.onnx"], 1, "there is no folder none"),
    "a folder as file": (["--onnx", "dir.onnx"], 1, "dir.onnx is a folder"),
    "a file as folder": (["--onnx", "file"], 1, "is there and no folder"),
    "another folder": (["--onnx", "full"], 1, "full holds something else; give a new folder"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(run, tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    for name in ("empty", "dir.onnx", "full"):
        (tmp_path / name).mkdir()
    for name in ("file", "full/note.txt"):
        (tmp_path / name).write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    arguments, code, message = MISTAKES[case]
    done = run(*arguments)
    assert (done.exit_code, message in done.output) == (code, True), done.output
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_no_network_is_refused(run, tmp_path):
    done = run("--onnx", tmp_path / "m.onnx", system="classical")
    assert done.exit_code == 1
    assert "classical is no PyTorch network (ColourGradientEncoder)" in done.output


def test_an_unknown_system(run, tmp_path):
    with pytest.raises(ModelError, match="there is no system 'none'"):
        run("--onnx", tmp_path / "m.onnx", system="none")
