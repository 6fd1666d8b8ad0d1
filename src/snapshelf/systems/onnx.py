"""`onnx`: an exported network, without PyTorch; from a folder, or as it comes with the package.

picture ──► whole picture ──► ONNX Runtime ──► L2-normalised, cosine
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.confidence import Calibration
from snapshelf.systems.folder_settings import check_settings, file_setting, read_calibration
from snapshelf.systems.system import System

__all__ = ["onnx_from_folder", "onnx_settings", "shipped"]

FIELDS = {"system": str, "model": str, "calibration": dict, "notes": dict}


def onnx_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make a system from the settings in a folder's ``system.json``.

    Args:
        folder: Where the model's file lies.
        settings: ``model`` (an ONNX file in the folder), and optionally ``calibration`` and
            ``notes`` (anything; for people).

    Raises:
        ModelError: If a setting is missing, unknown or of the wrong type, or the model cannot
            be loaded.
    """
    from snapshelf.features.onnx_encoder import OnnxEncoder

    file = folder / "system.json"
    check_settings(file, settings, FIELDS, needed="model")
    calibration = read_calibration(file, settings)
    encoder = OnnxEncoder(file_setting(file, settings, "model"))
    return System(str(folder), WholePicture(), encoder, calibration)


def onnx_settings(model: str, calibration: Calibration) -> dict[str, Any]:
    """Give what a ``system.json`` must hold for a model beside it.

    Args:
        model: The file's plain name.
        calibration: Similarities to confidences.
    """
    return {"system": "onnx", "model": model, "calibration": asdict(calibration)}


def shipped(name: str) -> System:
    """Make a system that comes with the package.

    Args:
        name: A folder of ``snapshelf/models``, such as ``compact``.

    Raises:
        ModelError: If this installation lacks it.
    """
    place = files("snapshelf") / "models" / name
    with as_file(place) as folder:
        try:
            settings = json.loads((folder / "system.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ModelError(
                f"the model {name!r} is missing from this installation of snapshelf: there is no "
                f"{folder}; install snapshelf again, or choose another system"
            ) from None
        except (OSError, ValueError) as error:
            raise ModelError(f"{folder / 'system.json'} cannot be read as JSON: {error}") from error
        system = onnx_from_folder(folder, settings)
    return System(name, system.locator, system.encoder, system.calibration)
