"""`whitened`: any system, its embeddings centred for each domain and shortened.

picture ──► the base's locator ──► the base's encoder ──► whitening ──► L2-normalised, cosine
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import DatasetError, ModelError
from snapshelf.features.encoder import Domain
from snapshelf.systems.folder_settings import check_settings, file_setting, read_calibration
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import embed_pictures_of, load_base
from snapshelf.whole_file import write_whole

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
KIND = "whitened"


@dataclass(frozen=True, slots=True, kw_only=True)
class WhitenedSettings:
    """What a whitening is fitted with.

    Attributes:
        base: Name or folder of the system whose embeddings are whitened.
        dimension: Length of the new embeddings, at least 1 and at most that of the base; None
            for the base's own: centring alone, then.
        power: In [0, 0.5]. 0 keeps each axis as long as it is, 0.5 makes all of them alike.
    """

    base: str = "mobilenetv2"
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
    base = load_base(file, settings["base"], KIND)
    encoder = base.encoder
    whitened = WhitenedEncoder(encoder, load_whitening(place, encoder.fingerprint))
    return replace(base, name=str(folder), encoder=whitened, calibration=calibration)


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
    base = load_base(out / "system.json", settings.base, KIND)
    items = [item for each in data for item in each.training_items()]
    sides = {domain: [part for item in items for part in item.parts(domain)] for domain in Domain}
    for domain, pictures in sides.items():
        if len(pictures) < 2:
            raise DatasetError(
                "a whitening needs at least two pictures of each side, got "
                f"{len(pictures)} of the {domain} side; add a data set that has some"
            )
    street, shop = (embed_pictures_of(base, pictures, domain) for domain, pictures in sides.items())
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
        "system": KIND,
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
    write_whole(out / "system.json", text.encode())
    return whitened_from_folder(out.resolve(), written)
