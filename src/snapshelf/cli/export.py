"""``snapshelf export``: a trained system as an ONNX file that runs without PyTorch."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from snapshelf.cli.console import fail, printer, progress

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snapshelf.features.preprocessing import Preprocessing
    from snapshelf.systems import System

__all__ = ["export"]

SUFFIX = ".onnx"
MODEL = "model.onnx"
CALIBRATION_PICTURES = 200
"""More give the same ranges of activations."""

PARITY_PICTURES = 8
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".bmp", ".gif", ".tif")


def export(
    system: Annotated[str, typer.Argument(metavar="DIR", help="Folder or name of the system.")],
    onnx: Annotated[
        Path,
        typer.Option(
            help="FILE.onnx for the model alone, or a folder that becomes a system: "
            "the model and its system.json, for --system."
        ),
    ],
    half: Annotated[bool, typer.Option(help="Store the weights as float16.")] = False,
    int8: Annotated[
        bool, typer.Option(help="Store the weights as int8; with --calibrate compute in int8, too.")
    ] = False,
    calibrate: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of pictures to calibrate int8 computation with."),
    ] = None,
    licence: Annotated[str, typer.Option(help="A note in the file about its weights.")] = "",
) -> None:
    """Write a system's network as ONNX, with its preprocessing, for use without PyTorch."""
    if half and int8:
        fail("--half and --int8: give one of them", code=2)
    if calibrate is not None and not int8:
        fail("--calibrate: only int8 computation is calibrated; give --int8, too", code=2)
    if calibrate is not None and not calibrate.is_dir():
        fail(f"--calibrate: {calibrate} is no folder; give a folder of pictures")
    file = _target(onnx)
    from snapshelf.systems import System

    loaded = System.load(system)
    with progress(counted=False) as bar:
        bar.add_task("export", total=None)
        _write(loaded, file, half=half, int8=int8, calibrate=calibrate, licence=licence)
        if onnx.suffix != SUFFIX:
            _write_settings(loaded, onnx)
        _report(loaded, file, onnx)


def _target(onnx: Path) -> Path:
    """Give the model's file, and refuse a place that holds something else."""
    if onnx.suffix == SUFFIX:
        if onnx.is_dir():
            fail(f"--onnx: {onnx} is a folder; give a file's path, or a folder without {SUFFIX}")
        if not onnx.parent.is_dir():
            fail(f"--onnx: there is no folder {onnx.parent}; make it, or give another path")
        return onnx
    if onnx.exists() and not onnx.is_dir():
        fail(f"--onnx: {onnx} is there and no folder; give FILE{SUFFIX} or another folder")
    if onnx.is_dir() and any(each.name not in (MODEL, "system.json") for each in onnx.iterdir()):
        fail(f"--onnx: {onnx} holds something else; give a new folder")
    return onnx / MODEL


def _write(
    system: "System",
    file: Path,
    *,
    half: bool,
    int8: bool,
    calibrate: Path | None,
    licence: str,
) -> None:
    from snapshelf.export.half import store_half
    from snapshelf.export.network_graph import network_graph
    from snapshelf.export.onnx_model import complete_model, save_model, weights_digest
    from snapshelf.export.quantising import quantise, quantise_weights
    from snapshelf.features.network_encoder import NetworkEncoder

    encoder = system.encoder
    if not isinstance(encoder, NetworkEncoder):
        fail(
            f"the system {system.name} is no PyTorch network ({type(encoder).__name__}), so it "
            "cannot be exported; of a whitened system export the base, then whiten that"
        )
    pictures = None if calibrate is None else _pictures(calibrate, encoder.preprocessing)
    model = network_graph(encoder.network, encoder.preprocessing)
    if half:
        model = store_half(model)
    elif pictures is not None:
        model = quantise(model, pictures)
    elif int8:
        model = quantise_weights(model)
    digest = weights_digest(encoder.network)
    file.parent.mkdir(parents=True, exist_ok=True)
    save_model(complete_model(model, encoder.preprocessing, digest, licence), file)


def _pictures(folder: Path, spec: "Preprocessing") -> "NDArray[np.uint8]":
    """Read pictures for the calibration, spread evenly over the folder's."""
    import numpy as np

    from snapshelf.features.preprocessing import prepare
    from snapshelf.media import decode_picture
    from snapshelf.media.picture_file import read_picture_file

    files = sorted(each for each in folder.rglob("*") if each.suffix.lower() in PICTURE_SUFFIXES)
    if not files:
        fail(f"--calibrate: {folder} holds no pictures; give a folder that does")
    step = -(-len(files) // CALIBRATION_PICTURES)
    return np.stack(
        [prepare(decode_picture(read_picture_file(each)), spec) for each in files[::step]]
    )


def _write_settings(system: "System", folder: Path) -> None:
    import json

    from snapshelf.systems.onnx import onnx_settings

    text = json.dumps(onnx_settings(MODEL, system.calibration), indent=2) + "\n"
    (folder / "system.json").write_text(text, encoding="utf-8")


def _report(system: "System", file: Path, onnx: Path) -> None:
    """Read the model back, compare it with the network, and say how to use it."""
    from snapshelf.export.parity import generated_pictures, parity
    from snapshelf.features.onnx_encoder import OnnxEncoder
    from snapshelf.locating.whole_picture import WholePicture

    model = OnnxEncoder(file)
    found = parity(system.encoder, model, generated_pictures(PARITY_PICTURES))
    console = printer()
    console.print(
        f"wrote {file}: {file.stat().st_size / 1e6:.2f} MB, {model.dimension} numbers a picture"
    )
    console.print(
        f"cosine with PyTorch on {PARITY_PICTURES} generated pictures: at least "
        f"{found.prepared:.5f} (mean {found.mean:.5f}); preparing them itself: {found.raw:.5f}"
    )
    if system.locator.fingerprint != WholePicture.fingerprint:
        console.print(
            "the system's locator is not part of it: a folder with a system.json of "
            '{"system": "located", "base": ..., "locator": ...} puts one in front'
        )
    if onnx.suffix == SUFFIX:
        console.print("for --system, give a folder instead of a file")
    else:
        console.print(f"use it: snapshelf index FEED --shelf SHELF --system {onnx}")
