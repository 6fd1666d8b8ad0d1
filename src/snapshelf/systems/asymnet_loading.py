"""The folder of an `asymnet` system: what gives its features, and its networks."""

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import ModelError
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.matching.confidence import Calibration
from snapshelf.systems.folder_settings import check_settings, read_calibration
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import load_base
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.features.encoder import Encoder
    from snapshelf.matching.asymnet_folder import AsymNetDescription, AsymNetParts

__all__ = ["NAME", "asymnet_from_folder", "load_features", "write_asymnet"]

NAME = "asymnet"

FIELDS = {
    "system": str,
    "base": str,
    "networks": dict,
    "depth": int,
    "calibration": dict,
    "notes": dict,
}

CALIBRATION = Calibration(slope=60.0, intercept=0.0)
"""Similarities are log-odds over 60, so that the confidence is the network's own probability."""


def asymnet_from_folder(folder: Path, settings: Mapping[str, Any]) -> System:
    """Make the system from a folder that `train_asymnet` wrote.

    Args:
        folder: Holds the networks.
        settings: What ``system.json`` holds: ``networks`` as `AsymNetDescription` gives them,
            ``base`` (name or folder of the system whose embeddings are the features; a relative
            folder is looked for in this one; none where there is an image network), ``depth``, and
            optionally ``calibration`` and ``notes``.

    Raises:
        ModelError: If a setting is missing, unknown, of the wrong type or out of range, the base
            cannot be loaded, or a network is damaged or does not fit.
    """
    from snapshelf.matching.asymnet_folder import AsymNetDescription, load_asymnet
    from snapshelf.matching.asymnet_reranking import AsymNetReranker

    file = folder / "system.json"
    settings = {"depth": 1000, **settings}
    check_settings(file, settings, FIELDS, needed="networks")
    calibration = CALIBRATION
    if "calibration" in settings:
        calibration = read_calibration(file, settings)
    description = AsymNetDescription.from_dict(settings["networks"], file)
    if (description.image is None) != ("base" in settings):
        raise ModelError(f"{file}: expected either a base or an image network, got both or neither")
    parts = load_asymnet(folder, description)
    if "base" in settings:
        base = load_features(file, settings["base"])
    else:
        base = System(str(folder), WholePicture(), _image_encoder(folder, parts, description))
    try:
        reranker = AsymNetReranker(
            base.encoder, parts.video, parts.similarity.fold(), depth=settings["depth"]
        )
    except ValueError as error:
        raise ModelError(f"{file}: the networks cannot be used: {error}") from error
    return replace(base, name=str(folder), reranker=reranker, calibration=calibration)


def load_features(file: Path, name: str) -> System:
    """Load the system whose embeddings are the features.

    Args:
        file: The ``system.json`` of the `asymnet` system, there or yet to be written.
        name: Name or folder; a relative folder is looked for beside the file first.

    Raises:
        ModelError: If it cannot be loaded, re-ranks itself, or knows articles by their numbers.
    """
    base = load_base(file, name, NAME)
    if base.reranker is not None:
        raise ModelError(f"{file}: the base must have no re-ranker of its own, got {name!r}")
    return base


def write_asymnet(
    out: Path,
    parts: "AsymNetParts",
    description: "AsymNetDescription",
    *,
    base: str | None,
    depth: int,
    notes: Mapping[str, Any],
) -> System:
    """Write the networks and, last, ``system.json``, which makes the folder a system; load it.

    Args:
        out: The folder, with the base in it where that has a folder.
        parts: The networks.
        description: Of the networks.
        base: What gives the features; None where there is an image network.
        depth: Candidates that a search compares.
        notes: For people.

    Raises:
        OSError: If a file cannot be written.
    """
    from snapshelf.matching.asymnet_folder import save_asymnet

    save_asymnet(out, parts)
    values = {
        "system": NAME,
        "base": base,
        "networks": description.to_dict(),
        "depth": depth,
        "calibration": {
            key: value for key, value in asdict(CALIBRATION).items() if value is not None
        },
        "notes": dict(notes),
    }
    values = {name: value for name, value in values.items() if value is not None}
    write_whole(out / "system.json", (json.dumps(values, indent=2) + "\n").encode())
    return asymnet_from_folder(out.resolve(), values)


def _image_encoder(
    folder: Path, parts: "AsymNetParts", description: "AsymNetDescription"
) -> "Encoder":
    """Make an encoder of the image network."""
    import hashlib

    from snapshelf.features.image_feature_folder import IMAGE_FILE
    from snapshelf.features.network_encoder import NetworkEncoder
    from snapshelf.features.weights import file_digest

    assert parts.image is not None
    assert description.image is not None
    told = json.dumps(description.image.to_dict(), sort_keys=True)
    digest = hashlib.blake2b(f"{told} {file_digest(folder / IMAGE_FILE)}".encode(), digest_size=16)
    return NetworkEncoder(
        parts.image,
        preprocessing=description.image.preprocessing,
        fingerprint=digest.hexdigest(),
    )
