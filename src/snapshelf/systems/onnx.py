"""`onnx`: an exported network, without PyTorch.

picture ──► whole picture ──► ONNX Runtime ──► L2-normalised, cosine
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.confidence import Calibration
from snapshelf.systems.folder_settings import check_settings, file_setting, read_calibration
from snapshelf.systems.system import System

__all__ = ["onnx_from_folder", "onnx_settings"]

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
