"""Systems by name and by folder, and what is said where there is none."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain
from snapshelf.locating import WholePicture
from snapshelf.matching import Calibration
from snapshelf.systems import System
from snapshelf.systems.registry import FOLDER_SYSTEMS, SYSTEMS, load_system, models_folder

TINY = "test_resnet"
"""The smallest backbone of timm's; random weights do for what is tested here."""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own folder of data, empty."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def write_system(folder: Path, **settings: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "system.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture
def tiny(tmp_path: Path) -> dict[str, object]:
    """Settings of a system whose weights lie in the folder `tmp_path / "tiny"`."""
    pytest.importorskip("torch")
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    (tmp_path / "tiny").mkdir()
    backbone = timm.create_model(TINY, pretrained=False)
    save_file(backbone.state_dict(), tmp_path / "tiny" / "weights.safetensors")
    return {"system": "timm", "backbone": TINY, "weights": "weights.safetensors"}


# --- by name ------------------------------------------------------------------------------


def test_classical_is_there_without_weights() -> None:
    system = System.load("classical")
    assert system.name == "classical"
    assert isinstance(system.locator, WholePicture)
    assert system.encoder.dimension > 0
    assert system.fingerprint == load_system("classical").fingerprint


@pytest.mark.data
@pytest.mark.torch
def test_mobilenetv2_loads_from_the_weights_at_hand(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("SNAPSHELF_DATA", str(data_dir))
    system = System.load("mobilenetv2")
    assert (system.name, system.encoder.dimension) == ("mobilenetv2", 1280)
    assert system.fingerprint != load_system("classical").fingerprint


@pytest.mark.parametrize(
    "name",
    ["no-such-system", "Standard", "", "../..", "x" * 5_000, "nul\0name", "standard/", "🥿", "."],
)
def test_an_unknown_name_lists_the_choices(
    home: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError) as caught:
        load_system(name)
    message = str(caught.value)
    if "it holds no system.json" in message:
        assert Path(name).is_dir()
        return
    for choice in (*SYSTEMS, "timm/BACKBONE", "a folder with a system.json", str(models_folder())):
        assert choice in message


def test_a_folder_without_system_json_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"is no system: it holds no system\.json"):
        load_system(tmp_path)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("timm/no_such_backbone", "there is no backbone 'no_such_backbone' in timm"),
        ("timm/", "there is no backbone ''"),
        (f"timm/{TINY}:no-pooling", "pooling must be one of gap"),
        ("timm/resnet18.no_such_tag", "no_such_tag"),
    ],
)
def test_a_wrong_backbone_is_named(
    name: str, fragment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError) as caught:
        load_system(name)
    assert fragment in str(caught.value)


# --- by folder ----------------------------------------------------------------------------


@pytest.mark.torch
def test_a_folder_is_a_system(tmp_path: Path, tiny: dict[str, object]) -> None:
    import numpy as np

    folder = write_system(tmp_path / "tiny", **tiny, pooling="gap")
    system = load_system(folder)
    assert system.name == str(folder.resolve())
    picture = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    inputs = system.encoder.prepare(picture, Domain.SHOP)[None]
    embedding = system.encoder.encode(inputs, Domain.SHOP)
    assert embedding.shape == (1, system.encoder.dimension)
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    again = load_system(str(folder))
    assert again.fingerprint == system.fingerprint
    assert np.array_equal(again.encoder.encode(inputs, Domain.SHOP), embedding)


@pytest.mark.torch
def test_a_relative_folder_is_named_from_the_root(
    tmp_path: Path, tiny: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_system(tmp_path / "tiny", **tiny)
    monkeypatch.chdir(tmp_path)
    name = load_system("tiny").name
    monkeypatch.chdir("/")
    assert name == str(folder.resolve())
    assert load_system(name).name == name


@pytest.mark.torch
def test_a_name_is_looked_up_in_the_users_folder(
    home: Path, tmp_path: Path, tiny: dict[str, object]
) -> None:
    models_folder().mkdir(parents=True)
    write_system(tmp_path / "tiny", **tiny).rename(models_folder() / "mine")
    assert load_system("mine").name == str((models_folder() / "mine").resolve())


OPTIONS = '{"system": "timm", "backbone": "test_resnet", "weights": "text", "options": '
BAD_SETTINGS = {
    "{": "cannot be read as JSON",
    "": "cannot be read as JSON",
    "[" * 100_000: "cannot be read as JSON",
    "\ufeff{}": "cannot be read as JSON",
    "[]": "onnx, studio2shop, three-level, timm, vlad, whitened, got None",
    "null": "onnx, studio2shop, three-level, timm, vlad, whitened, got None",
    "{}": "onnx, studio2shop, three-level, timm, vlad, whitened, got None",
    '{"system": "mtv2"}': "onnx, studio2shop, three-level, timm, vlad, whitened, got 'mtv2'",
    '{"system": ["timm"]}': "onnx, studio2shop, three-level, timm, vlad, whitened, got ['timm']",
    '{"system": "timm"}': "the setting 'backbone' is missing; give a name of timm's",
    '{"system": "timm", "backbone": 7}': "backbone must be a str, got 7",
    '{"system": "timm", "backbone": null}': "backbone must be a str, got None",
    '{"system": "timm", "backbone": "b", "pool": "gap"}': "unknown setting 'pool'; expected",
    '{"system": "timm", "backbone": "b", "options": []}': "options must be a dict, got []",
    '{"system": "timm", "backbone": "b", "weights": "../w"}': "a file in this folder, got '../w'",
    '{"system": "timm", "backbone": "b", "weights": "/etc/passwd"}': "a file in this folder",
    '{"system": "timm", "backbone": "b", "weights": ".."}': "a file in this folder, got '..'",
    '{"system": "timm", "backbone": "b", "weights": ""}': "a file in this folder, got ''",
    '{"system": "timm", "backbone": "b", "weights": "a/b"}': "a file in this folder, got 'a/b'",
    '{"system": "timm", "backbone": "b", "preprocessing": 7}': "preprocessing must be a dict",
    '{"system": "timm", "backbone": "b", "preprocessing": {"siz": 7}}': "preprocessing",
    '{"system": "timm", "backbone": "b", "preprocessing": {}}': "preprocessing",
    '{"system": "timm", "backbone": "b", "preprocessing": {"size": 3}}': "preprocessing",
    '{"system": "timm", "backbone": "nope", "weights": "w"}': "there is no backbone 'nope'",
    '{"system": "timm", "backbone": "test_resnet", "weights": "absent"}': "absent",
    '{"system": "timm", "backbone": "test_resnet", "weights": "text"}': "text",
    '{"system": "timm", "backbone": "test_resnet", "weights": "other"}': "other",
    '{"system": "timm", "backbone": "test_resnet", "weights": "text", "pooling": "x"}': "got 'x'",
    OPTIONS + '{"pretrained": true}}': "options must not hold",
    OPTIONS + '{"no_such": 1}}': "no_such",
}  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("text", BAD_SETTINGS)
def test_a_bad_system_json_says_what_is_wrong(tmp_path: Path, text: str) -> None:
    pytest.importorskip("torch")
    import torch
    from safetensors.torch import save_file

    folder = tmp_path / "system"
    folder.mkdir()
    (folder / "system.json").write_text(text, encoding="utf-8")
    (folder / "text").write_text("no weights")
    save_file({"stray": torch.zeros(2)}, folder / "other")
    with pytest.raises(ModelError) as caught:
        load_system(folder)
    assert BAD_SETTINGS[text] in str(caught.value)


def test_a_system_json_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "system.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(ModelError, match="cannot be read as JSON"):
        load_system(tmp_path)


def test_the_dicts_name_what_they_make() -> None:
    assert {"standard", "compact", "classical"} <= set(SYSTEMS)
    assert "timm" in FOLDER_SYSTEMS
    assert all(callable(make) for make in (*SYSTEMS.values(), *FOLDER_SYSTEMS.values()))


# --- fingerprints -------------------------------------------------------------------------


class Part:
    """A locator or an encoder of which only the fingerprint counts."""

    dimension = 3

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint


def system(locator: str, encoder: str) -> System:
    return System("name", Part(locator), Part(encoder))


def test_a_fingerprint_tells_every_part() -> None:
    one = system("a", "b")
    assert one.fingerprint == system("a", "b").fingerprint
    assert len(one.fingerprint) == 32
    others = [
        system("a", "c"),
        system("c", "b"),
        system("b", "a"),
        system("ab", ""),
        system("", "ab"),
    ]
    assert len({s.fingerprint for s in (one, *others)}) == 6


def test_name_and_calibration_are_no_part_of_the_fingerprint() -> None:
    one = system("a", "b")
    assert replace(one, name="other").fingerprint == one.fingerprint
    assert replace(one, calibration=Calibration(9.0, 1.0, 0.1)).fingerprint == one.fingerprint


@pytest.mark.torch
def test_every_setting_of_a_folder_changes_the_fingerprint(
    tmp_path: Path, tiny: dict[str, object]
) -> None:
    from safetensors.torch import load_file, save_file

    spec = {"size": [64, 64], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "fit": "crop"}
    folder = tmp_path / "tiny"
    changed = load_file(folder / "weights.safetensors")
    name = next(name for name, tensor in changed.items() if tensor.ndim == 4)
    changed[name] = changed[name] + 1e-3
    save_file(changed, folder / "changed.safetensors")
    base = {**tiny, "preprocessing": spec}
    variants = [
        base,
        {**base, "pooling": "mac"},
        {**base, "weights": "changed.safetensors"},
        {**base, "options": {"drop_rate": 0.1}},
        {**base, "preprocessing": {**spec, "size": [96, 96]}},
        {**base, "preprocessing": {**spec, "mean": [0.4, 0.5, 0.5]}},
        {**base, "preprocessing": {**spec, "std": [0.4, 0.5, 0.5]}},
        {**base, "preprocessing": {**spec, "fit": "squash"}},
        {**base, "preprocessing": {**spec, "fit": "pad"}},
        {**base, "preprocessing": {**spec, "interpolation": "bilinear"}},
        {**base, "preprocessing": {**spec, "background": [0, 0, 0]}},
        {**base, "preprocessing": {**spec, "crop_pct": 0.9}},
    ]
    fingerprints = [load_system(write_system(folder, **one)).fingerprint for one in variants]
    assert len(set(fingerprints)) == len(variants)
    assert load_system(write_system(folder, **base)).fingerprint == fingerprints[0]


# --- without the extra `torch` ------------------------------------------------------------

WITHOUT_TORCH = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "timm", "torchvision", "safetensors"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
from snapshelf.errors import ModelError
from snapshelf.systems import System
System.load("classical")
for name in sys.argv[1:]:
    try:
        System.load(name)
    except ModelError as error:
        print(error)
"""


def test_without_torch_the_message_names_the_extra(tmp_path: Path) -> None:
    folder = write_system(tmp_path / "system", system="timm", backbone=TINY, weights="w")
    names = ["mobilenetv2", "timm/resnet18", str(folder)]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_TORCH, *names],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(names), "one line each"
    for line in lines:
        assert "this needs the extra `torch`: pip install 'snapshelf[torch]'" in line


def test_bases_that_lead_back_are_refused(tmp_path: Path) -> None:
    """Wrappers of different kinds, which none of them can see by itself."""
    ring = {
        "a": {"system": "located", "base": "../b", "locator": "../locator"},
        "b": {"system": "hybrid", "base": "../c"},
        "c": {"system": "located", "base": "../b", "locator": "../locator"},
    }
    for name, settings in ring.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "system.json").write_text(json.dumps(settings))
    for name, led_back in (("a", "b"), ("b", "b"), ("c", "c")):
        with pytest.raises(ModelError, match="leads back to itself") as caught:
            load_system(tmp_path / name)
        assert str(caught.value).startswith(str(tmp_path / led_back / "system.json"))
    assert load_system("classical").name == "classical"


@pytest.mark.parametrize(("name", "data"), [("asymnet", "clips:NAME:DIR"), ("mtv", "NAME:DIR")])
def test_what_is_not_trained_yet_gives_the_command_that_trains_it(
    name: str, data: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("snapshelf.systems.registry.models_folder", lambda: tmp_path)
    with pytest.raises(ModelError, match=f"snapshelf train {name} --data {data} --out"):
        load_system(name)
