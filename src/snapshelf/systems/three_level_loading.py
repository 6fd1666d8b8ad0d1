"""The folder of a `three-level` system: written once, and loaded with what locates for it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snapshelf.errors import ModelError
from snapshelf.features.encoder import Domain, Encoder
from snapshelf.locating.grid_parts import GridParts
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.systems.folder_settings import read_calibration, read_kind
from snapshelf.systems.system import System
from snapshelf.systems.three_level_locating import kept_locator, kept_parts
from snapshelf.whole_file import write_whole

if TYPE_CHECKING:
    from snapshelf.features.attribute_heads import AttributeHeads, Logits
    from snapshelf.features.attribute_network import AttributeNetwork
    from snapshelf.features.three_level_encoder import ThreeLevelEncoder
    from snapshelf.features.three_level_folder import ThreeLevelDescription
    from snapshelf.features.whitening import Whitening
    from snapshelf.locating.locator import Locator
    from snapshelf.locating.part_locator import PartLocator
    from snapshelf.remembered import Remembered

__all__ = [
    "NAME",
    "load_networks",
    "load_written",
    "put_together",
    "three_level_from_folder",
    "write_three_level",
]

NAME = "three-level"

VERSION = 2
"""Raised whenever the same files and picture would give another embedding."""

OWN_SETTINGS = ("system", "notes", "calibration", "located")
"""What ``system.json`` holds besides the networks' description."""


def three_level_from_folder(
    folder: Path,
    settings: Mapping[str, Any],
    *,
    locator: "Locator | None" = None,
    parts: "PartLocator | None" = None,
    remembered: "Remembered | None" = None,
) -> System:
    """Load the system from a folder that `train_three_level` wrote.

    Args:
        folder: Holds the networks and the projections.
        settings: What ``system.json`` holds: the networks' description, ``located`` (what its
            projections were fitted with), ``notes``, which nothing reads, and optionally
            ``calibration``.
        locator: Finds the regions of level 2, in place of what the folder holds.
        parts: Finds the parts, in place of what the folder holds or the grid that the settings
            tell.
        remembered: Where descriptions of patches are kept, over systems of the same networks.

    Raises:
        ModelError: If a setting is missing, unknown or cannot be used, a file is missing,
            damaged, or fitted to other networks, or the system was made with another locator or
            other parts.
    """
    from snapshelf.features.three_level_folder import (
        PARTS_FILE,
        PROJECTION_FILE,
        ThreeLevelDescription,
        network_digest,
    )
    from snapshelf.features.whitening import load_whitening

    file = folder / "system.json"
    calibration = read_calibration(file, settings)
    of_networks = {name: value for name, value in settings.items() if name not in OWN_SETTINGS}
    description = ThreeLevelDescription.from_dict(of_networks, file)
    locator, parts = locator or kept_locator(folder), parts or kept_parts(folder)
    locator, parts = _located(settings.get("located"), file, locator, parts)
    sides = load_networks(folder, description)
    digest = network_digest(folder, description)
    short = projection = None
    if description.projected:
        if description.weights.parts > 0:
            short = load_whitening(folder / PARTS_FILE, f"{digest} parts")
        projection = load_whitening(folder / PROJECTION_FILE, f"{digest} levels")
    try:
        encoder = put_together(
            sides, digest, description, locator, parts, short, projection, remembered=remembered
        )
    except ValueError as error:
        raise ModelError(f"{file}: the files beside it do not fit: {error}") from error
    predictor = _predictor(sides, description) if description.attributes else None
    return System(str(folder), WholePicture(), encoder, calibration, predictor=predictor)


def write_three_level(
    out: Path,
    description: "ThreeLevelDescription",
    locator: "Locator",
    parts: "PartLocator",
    notes: Mapping[str, Any],
) -> None:
    """Write ``system.json``, last, since it is what makes the folder a system.

    Args:
        out: The folder, with the files of the networks and projections.
        description: What the networks are made of.
        locator: That the projections were fitted with.
        parts: Those that the projections were fitted with.
        notes: For people.
    """
    values = {
        "system": NAME,
        **description.to_dict(),
        "located": {
            "locator": locator.fingerprint,
            "parts": parts.fingerprint,
            "grid": asdict(parts) if isinstance(parts, GridParts) else None,
        },
        "notes": dict(notes),
    }
    write_whole(out / "system.json", (json.dumps(values, indent=2) + "\n").encode())


def load_written(
    folder: Path,
    locator: "Locator | None" = None,
    parts: "PartLocator | None" = None,
    remembered: "Remembered | None" = None,
) -> System:
    """Load a system that has been written, with the locator and parts of its making.

    Args:
        folder: Holds the system.
        locator: As `three_level_from_folder`.
        parts: As `three_level_from_folder`.
        remembered: As `three_level_from_folder`.

    Raises:
        ModelError: As `three_level_from_folder`.
    """
    _, settings = read_kind(folder / "system.json")
    return three_level_from_folder(
        folder.resolve(), settings, locator=locator, parts=parts, remembered=remembered
    )


def load_networks(
    folder: Path, description: "ThreeLevelDescription"
) -> "dict[Domain, AttributeNetwork]":
    """Load the networks of both sides.

    Args:
        folder: Holds their files.
        description: What they are made of.

    Raises:
        ModelError: If a file is missing, damaged, or of another network.
    """
    from snapshelf.features.three_level_folder import load_network_of

    return {domain: load_network_of(domain, folder, description) for domain in Domain}


def put_together(
    networks: "Mapping[Domain, AttributeNetwork]",
    digest: str,
    description: "ThreeLevelDescription",
    locator: "Locator",
    parts: "PartLocator",
    short: "Whitening | None" = None,
    projection: "Whitening | None" = None,
    *,
    remembered: "Remembered | None" = None,
) -> "ThreeLevelEncoder":
    """Put an encoder together.

    Args:
        networks: Of both sides.
        digest: Of their files, see `network_digest`.
        description: What they are made of, and the levels' weights.
        locator: Finds the regions of level 2.
        parts: Finds the parts of level 3.
        short: The PCA of level 3; None for none.
        projection: The last PCA; None for none.
        remembered: Where descriptions of patches are kept; None does not keep any.

    Raises:
        ValueError: If these do not fit one another.
    """
    from snapshelf.features.attribute_network import LevelFeatures
    from snapshelf.features.network_encoder import NetworkEncoder
    from snapshelf.features.remembering_encoder import RememberingEncoder
    from snapshelf.features.three_level_encoder import ThreeLevelEncoder

    identity = {
        "version": VERSION,
        "networks": digest,
        "weights": asdict(description.weights),
        "locator": locator.fingerprint,
        "parts": parts.fingerprint,
        "projections": [each and each.fingerprint for each in (short, projection)],
    }
    whole = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    described = {
        domain: NetworkEncoder(
            LevelFeatures(networks[domain]),
            preprocessing=description.preprocessing,
            fingerprint=f"{digest} {domain}",
        )
        for domain in Domain
    }
    sides: Mapping[Domain, Encoder] = described
    if remembered is not None:
        sides = {domain: RememberingEncoder(each, remembered) for domain, each in sides.items()}
    return ThreeLevelEncoder(
        sides[Domain.STREET],
        sides[Domain.SHOP],
        pyramid=described[Domain.STREET].network.pyramid_length,
        locator=locator,
        parts=parts,
        weights=description.weights,
        fingerprint=whole.hexdigest(),
        parts_projection=short,
        projection=projection,
    )


def _predictor(
    networks: "Mapping[Domain, AttributeNetwork]", description: "ThreeLevelDescription"
) -> "AttributeHeads":
    from snapshelf.features.attribute_heads import AttributeHeads

    def logits(network: "AttributeNetwork") -> "Logits":
        return lambda inputs: network.attribute_logits(network(inputs))

    return AttributeHeads(
        {domain: logits(network) for domain, network in networks.items()},
        description.attributes,
        description.preprocessing,
    )


def _located(
    given: Any, file: Path, locator: "Locator", parts: "PartLocator | None"
) -> "tuple[Locator, PartLocator]":
    """Give what finds regions and parts; refuse others than the projections were fitted with."""
    if not isinstance(given, dict) or set(given) != {"locator", "parts", "grid"}:
        raise ModelError(
            f"{file}: located must hold locator, parts and grid, got {str(given)[:80]!r}"
        )
    if parts is None:
        try:
            parts = GridParts(**given["grid"])
        except (TypeError, ValueError) as error:
            raise ModelError(
                f"{file}: the system was made with the parts {given['parts']!r}, which are no "
                "grid; load it by three_level_from_folder with these parts"
            ) from error
    for name, own in (("locator", locator), ("parts", parts)):
        if own.fingerprint != given[name]:
            raise ModelError(
                f"{file}: the system was made with the {name} {given[name]!r}, got "
                f"{own.fingerprint!r}; load it by three_level_from_folder with that one"
            )
    return locator, parts
