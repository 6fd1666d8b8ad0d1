"""`fisher` and `vlad`: the hand-crafted baselines of *Street-to-Shop Shoe Retrieval*, table 1.

picture ──► whole picture ──► dense SIFT ──► Fisher vector ──► L2-normalised, cosine
picture ──► whole picture ──► Hessian-SIFT ──► VLAD ──► L2-normalised, cosine

Each is a folder with a codebook learned from training pictures. Neither sees colour.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.training_item import PicturePart, TrainingData
from snapshelf.errors import ModelError
from snapshelf.features.classical.codebook import Codebook
from snapshelf.features.classical.codebook_encoder import CodebookEncoder
from snapshelf.features.classical.codebook_settings import (
    CodebookSettings,
    FisherSettings,
    VladSettings,
)
from snapshelf.features.classical.fisher_codebook import FisherCodebook
from snapshelf.features.classical.local_features import sample_descriptors
from snapshelf.features.classical.sift import DESCRIPTOR_LENGTH
from snapshelf.features.classical.vlad_codebook import VladCodebook
from snapshelf.features.encoder import Domain
from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.features.weights import file_digest
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.system import System
from snapshelf.tensor_file import read_tensors, write_tensors
from snapshelf.training.monitor import Monitor, TrainingStopped
from snapshelf.training.settings import settings_from, settings_to_dict
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_folder import check_folder
from snapshelf.training.training_picture import read_training_picture
from snapshelf.whole_file import write_whole

__all__ = ["fisher_from_folder", "train_fisher", "train_vlad", "vlad_from_folder"]

VERSION = 1
"""Raised whenever the same codebook and picture would give another embedding."""

CODEBOOK_FILE = "codebook.safetensors"
SYSTEM_FILE = "system.json"
FIELDS = ("system", "settings", "learned_from")

S = TypeVar("S", FisherSettings, VladSettings)


@dataclass(frozen=True, slots=True)
class Kind(Generic[S]):
    """What makes one of the two systems.

    Attributes:
        name: In ``system.json``.
        settings: Its dataclass.
        learn: (N, 128) float32 descriptors and settings to a codebook.
        read: The codebook's tensors and settings to the codebook.
    """

    name: str
    settings: type[S]
    learn: Callable[[NDArray[np.float32], S], Codebook]
    read: Callable[[Mapping[str, NDArray[np.float32]], S], Codebook]


def _learn_fisher(descriptors: NDArray[np.float32], settings: FisherSettings) -> Codebook:
    return FisherCodebook.learn(
        descriptors,
        components=settings.components,
        dimension=settings.dimension,
        seed=settings.seed,
    )


def _learn_vlad(descriptors: NDArray[np.float32], settings: VladSettings) -> Codebook:
    return VladCodebook.learn(
        descriptors,
        components=settings.components,
        dimension=settings.dimension,
        seed=settings.seed,
        intra_normalise=settings.intra_normalise,
    )


FISHER = Kind(
    "fisher",
    FisherSettings,
    _learn_fisher,
    lambda tensors, _: FisherCodebook.from_tensors(tensors),
)
VLAD = Kind(
    "vlad",
    VladSettings,
    _learn_vlad,
    lambda tensors, settings: VladCodebook.from_tensors(
        tensors, intra_normalise=settings.intra_normalise
    ),
)


def fisher_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Load dense SIFT with a Fisher vector.

    Args:
        folder: Holds ``codebook.safetensors``.
        settings: The folder's ``system.json``; its ``settings`` are fields of `FisherSettings`.

    Raises:
        ModelError: If a setting is unknown, of another type or out of range, or the codebook is
            missing, damaged or not one of these settings.
    """
    return _load(FISHER, folder, settings)


def vlad_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Load Hessian-SIFT with VLAD.

    Args:
        folder: Holds ``codebook.safetensors``.
        settings: The folder's ``system.json``; its ``settings`` are fields of `VladSettings`.

    Raises:
        ModelError: If a setting is unknown, of another type or out of range, or the codebook is
            missing, damaged or not one of these settings.
    """
    return _load(VLAD, folder, settings)


def train_fisher(
    data: Sequence[TrainingData],
    settings: FisherSettings,
    out: Path,
    *,
    monitor: Monitor | None = None,
) -> System:
    """Learn the mixture of `fisher` from training pictures of both sides.

    Args:
        data: What to learn from.
        settings: How.
        out: The folder to write; it may not hold anything yet.
        monitor: Hears how many pictures are done, and may stop it before the folder is written.

    Returns:
        The system, as `fisher_from_folder` loads it.

    Raises:
        TrainingError: If `out` holds something, there are too few pictures or descriptors, or
            a picture cannot be read.
        TrainingStopped: If the monitor asks to stop.
        DatasetError: If a data set is not in its published layout.
        ModelError: If scikit-learn is missing.
    """
    return _train(FISHER, data, settings, out, monitor or Monitor())


def train_vlad(
    data: Sequence[TrainingData],
    settings: VladSettings,
    out: Path,
    *,
    monitor: Monitor | None = None,
) -> System:
    """Learn the visual words of `vlad` from training pictures of both sides.

    Args:
        data: What to learn from.
        settings: How.
        out: The folder to write; it may not hold anything yet.
        monitor: Hears how many pictures are done, and may stop it before the folder is written.

    Returns:
        The system, as `vlad_from_folder` loads it.

    Raises:
        TrainingError: If `out` holds something, there are too few pictures or descriptors, or
            a picture cannot be read.
        TrainingStopped: If the monitor asks to stop.
        DatasetError: If a data set is not in its published layout.
    """
    return _train(VLAD, data, settings, out, monitor or Monitor())


def _load(kind: Kind[S], folder: Path, values: Mapping[str, Any]) -> System:
    file, codebook_file = folder / SYSTEM_FILE, folder / CODEBOOK_FILE
    for name in values:
        if name not in FIELDS:
            raise ModelError(f"{file}: unknown setting {name!r}; expected {', '.join(FIELDS)}")
    given = values.get("settings")
    if not isinstance(given, Mapping):
        raise ModelError(f"{file}: settings must be a table, got {given!r}")
    try:
        settings = settings_from(kind.settings, given, str(file))
        codebook = kind.read(read_tensors(codebook_file), settings)
    except TrainingError as error:
        raise ModelError(str(error)) from error
    except KeyError as error:
        raise ModelError(f"{codebook_file} lacks the tensor {error}; train it anew") from error
    except ValueError as error:
        raise ModelError(f"{codebook_file} is no codebook: {error}; train it anew") from error
    held = (len(codebook.projection.mean), codebook.words.shape)
    expected = (DESCRIPTOR_LENGTH, (settings.components, settings.dimension))
    if held != expected:
        raise ModelError(
            f"{codebook_file} holds words of shape {held[1]} for descriptors of {held[0]}, but "
            f"{SYSTEM_FILE} says {expected[1]} for {expected[0]}; train it anew"
        )
    identity = {
        "version": VERSION,
        "system": kind.name,
        "settings": settings_to_dict(settings),
        "codebook": file_digest(codebook_file),
    }
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    encoder = CodebookEncoder(
        settings.features, codebook, settings.preprocessing, fingerprint=digest.hexdigest()
    )
    return System(str(folder), WholePicture(), encoder)


def _train(
    kind: Kind[S], data: Sequence[TrainingData], settings: S, out: Path, monitor: Monitor
) -> System:
    check_folder(out, resume=False)
    chosen = _choose(data, settings)
    descriptors = sample_descriptors(
        _pictures(chosen, settings.preprocessing, monitor),
        settings.features,
        per_picture=settings.per_picture,
        seed=settings.seed,
    )
    least = max(settings.components, settings.dimension)
    if len(descriptors) < least:
        raise TrainingError(
            f"{len(descriptors)} descriptors were found in {len(chosen)} pictures, at least "
            f"{least} are needed; give more pictures, or ones that show more than a plain area"
        )
    monitor.note(f"learning a codebook from {len(descriptors):,} descriptors")
    codebook = kind.learn(descriptors, settings)
    values = {
        "system": kind.name,
        "settings": settings_to_dict(settings),
        "learned_from": {
            "data": [each.name for each in data],
            "pictures": len(chosen),
            "descriptors": len(descriptors),
        },
    }
    out.mkdir(exist_ok=True)
    write_tensors(out / CODEBOOK_FILE, codebook.tensors())
    # Last, since it is what makes the folder a system.
    write_whole(out / SYSTEM_FILE, (json.dumps(values, indent=2) + "\n").encode())
    return _load(kind, out, values)


def _choose(data: Sequence[TrainingData], settings: CodebookSettings) -> list[PicturePart]:
    """Choose pictures of both sides, half each as far as there are, in the data sets' order."""
    items = [item for each in data for item in each.training_items()]
    street = [part for item in items for part in item.parts(Domain.STREET)]
    shop = [part for item in items for part in item.parts(Domain.SHOP)]
    if not street and not shop:
        names = ", ".join(each.name for each in data)
        raise TrainingError(f"there is no picture to learn from in {names or 'no data set'}")
    most = settings.pictures
    street_count = min(len(street), max(most - most // 2, most - len(shop)))
    generator = np.random.default_rng(settings.seed)
    return [
        side[number]
        for side, count in ((street, street_count), (shop, min(len(shop), most - street_count)))
        for number in np.sort(generator.permutation(len(side))[:count])
    ]


def _pictures(
    chosen: Sequence[PicturePart], preprocessing: Preprocessing, monitor: Monitor
) -> Iterator[NDArray[np.uint8]]:
    """Read pictures, or the parts of them that show the product, one by one."""
    for done, (path, box) in enumerate(chosen):
        monitor.step("pictures", done, len(chosen))
        if monitor.should_stop():
            raise TrainingStopped
        yield prepare(read_training_picture(path, box), preprocessing)
