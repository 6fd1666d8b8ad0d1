"""A detector in a folder: every weight as safetensors, all else as JSON."""

import json
from pathlib import Path

from snapshelf.errors import ModelError
from snapshelf.features.network_weights import load_network_weights, write_network_weights
from snapshelf.locating.detector import Detector, build_detector
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.whole_file import write_whole

__all__ = ["DETECTOR_FILE", "load_detector", "save_detector"]

WEIGHTS_FILE = "detector.safetensors"
DETECTOR_FILE = "detector.json"


def save_detector(folder: Path, detector: Detector, settings: DetectorSettings) -> None:
    """Write a detector into a folder, the settings last.

    Args:
        folder: Made if it isn't there; files of the same names are replaced.
        detector: Trained.
        settings: That it was built with.

    Raises:
        OSError: If it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_network_weights(folder / WEIGHTS_FILE, detector)
    write_whole(folder / DETECTOR_FILE, (json.dumps(settings.to_dict(), indent=2) + "\n").encode())


def load_detector(folder: Path) -> tuple[Detector, DetectorSettings]:
    """Read a detector back.

    Args:
        folder: That it was written into.

    Returns:
        The detector in evaluation mode, and the settings that it was built with.

    Raises:
        ModelError: If a file is missing, damaged, or they do not go together.
    """
    file = folder / DETECTOR_FILE
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{file} cannot be read as JSON: {error}. Copy the folder again, or train anew"
        ) from error
    settings = DetectorSettings.from_dict(values if isinstance(values, dict) else {})
    detector = load_network_weights(folder / WEIGHTS_FILE, lambda: build_detector(settings), file)
    return detector, settings
