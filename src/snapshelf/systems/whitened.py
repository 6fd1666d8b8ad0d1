"""`whitened`: any system, its embeddings centred for each domain and shortened.

picture ──► the base's locator ──► the base's encoder ──► whitening ──► L2-normalised, cosine
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.errors import DatasetError, ModelError
from snapshelf.features.encoder import Domain
from snapshelf.systems.folder_settings import check_settings, file_setting, read_calibration
from snapshelf.systems.system import System

if TYPE_CHECKING:
    from snapshelf.datasets.training_item import TrainingData

__all__ = ["WhitenedSettings", "train_whitened", "whitened_from_folder"]

FIELDS = {
    "system": str,
    "base": str,
    "whitening": str,
    "calibration": dict,
    "notes": dict,
}
FILE = "whitening.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhitenedSettings:
    """What a whitening is fitted with.

    Attributes:
        base: Name or folder of the system whose embeddings are whitened.
        dimension: Length of the new embeddings, at least 1 and at most that of the base; None
            for the base's own: centring alone, then.
        power: In [0, 0.5]. 0 keeps each axis as long as it is, 0.5 makes all of them alike.
    """

    base: str = "standard"
    dimension: int | None = 256
    power: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        if not self.base:
            raise ValueError("base must be the name or folder of a system, got ''")
        if self.dimension is not None and self.dimension < 1:
            raise ValueError(f"dimension must be at least 1, got {self.dimension}")
        if not 0 <= self.power <= 0.5:
            raise ValueError(f"power must be in [0, 0.5], got {self.power}")


def whitened_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make a system from the settings in a folder's ``system.json``.

    Args:
        folder: Where the whitening's file lies.
        settings: ``base`` (name or folder of a system that is not whitened itself; a relative
            folder is looked for in this one), ``whitening`` (a safetensors file in the folder),
            and optionally ``calibration`` and ``notes`` (anything; for people).

    Raises:
        ModelError: If a setting is missing, unknown or of the wrong type, the base cannot be
            loaded, or the whitening was fitted to another one.
    """
    from snapshelf.features.whitening import WhitenedEncoder, load_whitening

    file = folder / "system.json"
    settings = {"whitening": FILE, **settings}
    check_settings(file, settings, FIELDS, needed="base")
    calibration = read_calibration(file, settings)
    place = file_setting(file, settings, "whitening")
    base = _base(file, settings["base"])
    encoder = base.encoder
    whitened = WhitenedEncoder(encoder, load_whitening(place, encoder.fingerprint))
    return System(str(folder), base.locator, whitened, calibration)


def train_whitened(data: Sequence["TrainingData"], settings: WhitenedSettings, out: Path) -> System:
    """Fit a whitening to the training pictures of data sets, and write a system's folder.

    Args:
        data: What is trained on; only seen products, as `TrainingData` gives them.
        settings: The base and the whitening's numbers.
        out: A folder that does not exist or is empty.

    Returns:
        The system that was written.

    Raises:
        DatasetError: If a side has fewer than two pictures, or a picture cannot be read.
        ModelError: If the base cannot be loaded or is whitened itself, the dimension is above
            that of the base, or `out` holds something.
    """
    from snapshelf.features.whitening import fit_whitening

    if out.is_dir() and any(out.iterdir()):
        raise ModelError(f"{out} holds something; give a new folder for the whitened system")
    base = _base(out / "system.json", settings.base)
    items = [item for each in data for item in each.training_items()]
    sides = {
        Domain.STREET: [picture for item in items for picture in item.street],
        Domain.SHOP: [picture for item in items for picture in item.shop],
    }
    for domain, pictures in sides.items():
        if len(pictures) < 2:
            raise DatasetError(
                "a whitening needs at least two pictures of each side, got "
                f"{len(pictures)} of the {domain} side; add a data set that has some"
            )
    street, shop = (_embed(base, pictures, domain) for domain, pictures in sides.items())
    dimension = settings.dimension or base.encoder.dimension
    try:
        whitening = fit_whitening(street, shop, dimension=dimension, power=settings.power)
    except ValueError as error:
        raise ModelError(
            f"the embeddings of {settings.base} cannot be whitened: {error}"
        ) from error
    out.mkdir(parents=True, exist_ok=True)
    whitening.save(out / FILE, base.encoder.fingerprint)
    written = {
        "system": "whitened",
        "base": base.name,
        "whitening": FILE,
        "notes": {
            "data": [each.name for each in data],
            "street_pictures": len(street),
            "shop_pictures": len(shop),
            "power": settings.power,
        },
    }
    text = json.dumps(written, indent=2) + "\n"
    (out / "system.json").write_text(text, encoding="utf-8")
    return whitened_from_folder(out.resolve(), written)


def _base(file: Path, name: str) -> System:
    """Load the system that is to be whitened: beside ``system.json``, or wherever it is."""
    from snapshelf.systems.registry import load_system, models_folder

    beside = file.parent / name
    for folder in (beside, Path(name), models_folder() / name):
        # Found out before it is loaded, since a base may lead back to this very system.
        if _kind(folder) == "whitened":
            raise ModelError(f"{file}: the base must not be a whitened system itself, got {name!r}")
    return load_system(name if _kind(beside) is None else beside)


def _kind(folder: Path) -> Any:
    """Give what a folder's ``system.json`` says it is; None where that cannot be read."""
    try:
        settings = json.loads((folder / "system.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return settings.get("system") if isinstance(settings, dict) else None


def _embed(system: System, pictures: Sequence[Path], domain: Domain) -> NDArray[np.float32]:
    """Embed the likeliest region of each picture; gives (N, D) float32."""
    from snapshelf.features.pipeline import embed_pictures
    from snapshelf.media import RGB, decode_picture
    from snapshelf.media.picture_file import read_picture_file

    def read(path: Path) -> RGB:
        return decode_picture(read_picture_file(path))

    found = embed_pictures(
        pictures, read, locator=system.locator, encoder=system.encoder, domain=domain
    )
    rows = []
    for picture in found:
        if picture.error is not None:
            raise DatasetError(f"{picture.key}: {picture.error}")
        rows.append(picture.embeddings[0])
    return np.stack(rows)
