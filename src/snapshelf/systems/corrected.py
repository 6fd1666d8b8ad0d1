"""`corrected`: any system, its embeddings corrected for hubness.

picture ──► the base's locator ──► the base's encoder ──► CSLS against a bank of street photos
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snapshelf.errors import DatasetError, ModelError
from snapshelf.features.encoder import Domain
from snapshelf.systems.folder_settings import check_settings, file_setting, read_calibration
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import embed_pictures_of, load_base
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData

__all__ = ["CorrectedSettings", "corrected_from_folder", "train_corrected"]

KIND = "corrected"
FILE = "correction.safetensors"
FIELDS = {"system": str, "base": str, "correction": str, "calibration": dict, "notes": dict}


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedSettings:
    """What a hubness correction is made with.

    Attributes:
        base: Name or folder of the system whose embeddings are corrected.
        neighbours: Photos of the bank that a gallery picture is compared with, at least 1.
        weight: In [0, 1): of their mean similarity; 0.5 is CSLS. More helps products that
            training has not seen, and costs those that it has.
        most: Photos in the bank at most, at least 1; of more, so many are drawn.
        seed: At least 0, of that draw.
    """

    base: str = "mobilenetv2"
    neighbours: int = 30
    weight: float = 0.5
    most: int = 2000
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if not self.base:
            raise ValueError("base must be the name or folder of a system, got ''")
        if self.neighbours < 1 or self.most < self.neighbours:
            raise ValueError(
                "expected 1 <= neighbours <= most, "
                f"got neighbours={self.neighbours}, most={self.most}"
            )
        if not 0 <= self.weight < 1:
            raise ValueError(f"weight must be in [0, 1), got {self.weight}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0, got {self.seed}")


def corrected_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make a system from the settings in a folder's ``system.json``.

    Args:
        folder: Where the correction's file lies.
        settings: ``base`` (name or folder of a system that is not corrected itself; a relative
            folder is looked for in this one), ``correction`` (a safetensors file in the folder),
            and optionally ``calibration`` and ``notes`` (anything; for people).

    Raises:
        ModelError: If a setting is missing, unknown or of the wrong type, the base cannot be
            loaded or compares by L1 distance, or the correction was made with another one.
    """
    from snapshelf.features.hubness import CorrectedEncoder, load_correction

    file = folder / "system.json"
    settings = {"correction": FILE, **settings}
    check_settings(file, settings, FIELDS, needed="base")
    calibration = read_calibration(file, settings)
    place = file_setting(file, settings, "correction")
    base = _load_base(file, settings["base"])
    correction = load_correction(place, base.encoder.fingerprint)
    encoder = CorrectedEncoder(base.encoder, correction)
    return replace(base, name=str(folder), encoder=encoder, calibration=calibration)


def train_corrected(
    data: Sequence["TrainingData"], settings: CorrectedSettings, out: Path
) -> System:
    """Embed the street photos of data sets as the bank, and write a system's folder.

    Args:
        data: What the bank is drawn from; only seen products, as `TrainingData` gives them.
        settings: The base and the correction's numbers.
        out: A folder that does not exist or is empty.

    Returns:
        The system that was written.

    Raises:
        DatasetError: If there are fewer street photos than neighbours, or one cannot be read.
        ModelError: If the base cannot be loaded, is corrected itself or compares by L1 distance,
            or `out` holds something.
    """
    from snapshelf.features.hubness import HubnessCorrection

    if out.is_dir() and any(out.iterdir()):
        raise ModelError(f"{out} holds something; give a new folder for the corrected system")
    base = _load_base(out / "system.json", settings.base)
    photos = [
        photo
        for each in data
        for item in each.training_items()
        for photo in item.parts(Domain.STREET)
    ]
    if len(photos) < settings.neighbours:
        raise DatasetError(
            f"a hubness correction needs at least {settings.neighbours} street photos, got "
            f"{len(photos)}; add a data set that has some, or lower neighbours"
        )
    drawn = np.random.default_rng(settings.seed).permutation(len(photos))[: settings.most]
    bank = embed_pictures_of(base, [photos[number] for number in sorted(drawn)], Domain.STREET)
    correction = HubnessCorrection(bank, settings.neighbours, settings.weight)
    out.mkdir(parents=True, exist_ok=True)
    correction.save(out / FILE, base.encoder.fingerprint)
    written = {
        "system": KIND,
        "base": base.name,
        "correction": FILE,
        "notes": {
            "data": [each.name for each in data],
            "street_pictures": len(bank),
            "neighbours": settings.neighbours,
            "weight": settings.weight,
        },
    }
    text = json.dumps(written, indent=2) + "\n"
    write_whole(out / "system.json", text.encode())
    return corrected_from_folder(out.resolve(), written)


def _load_base(file: Path, name: str) -> System:
    """Load the base, whose similarities must be inner products, of which hubness is measured."""
    base = load_base(file, name, KIND)
    if base.distance == "l1":
        raise ModelError(
            f"{file}: the base {name!r} compares by L1 distance, which cannot be corrected for "
            "hubs; give one that compares by cosine or L2 distance"
        )
    return base
