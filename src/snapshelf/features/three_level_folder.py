"""The networks of `three-level` as files, and what ``system.json`` says of them.

``street.safetensors`` and ``shop.safetensors`` are the two SAG-CNNs, ``parts.safetensors`` and
``projection.safetensors`` the two PCAs. Loading reads tensors and JSON, and runs no code.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.features.attribute_network import AttributeNetwork
from snapshelf.features.backbones import create_backbone
from snapshelf.features.described_settings import (
    Classes,
    check_choice,
    check_kinds,
    check_lengths,
    classes_from_json,
    classes_to_json,
)
from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm
from snapshelf.features.encoder import Domain
from snapshelf.features.level_weights import LevelWeights
from snapshelf.features.network_weights import load_network_weights, write_network_weights
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import file_digest

with torch_extra():
    from torch import nn

__all__ = [
    "NETWORK_FILES",
    "PARTS_FILE",
    "PROJECTION_FILE",
    "ThreeLevelDescription",
    "load_network_of",
    "network_digest",
    "save_network_of",
]

NETWORK_FILES: Mapping[Domain, str] = {
    Domain.STREET: "street.safetensors",
    Domain.SHOP: "shop.safetensors",
}
PARTS_FILE = "parts.safetensors"
PROJECTION_FILE = "projection.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeLevelDescription:
    """Everything besides weights and locators that makes the system, as ``system.json`` holds it.

    Attributes:
        backbone: A name that `create_backbone` takes.
        options: Its keyword arguments, as JSON can hold them.
        grid: Cells on a side of the map that FC1 reads.
        fc1: Length of FC1.
        branch: Length of the branches' first layers.
        batch_norm: What became of the batch norms in training.
        preprocessing: How patches become inputs.
        weights: Of the levels.
        attributes: The classes of each attribute, by its name: each class is a level-1 group and
            a level-2 value.
        projected: Whether there are PCAs.
    """

    backbone: str
    options: Mapping[str, Any] = field(default_factory=dict)
    grid: int = 1
    fc1: int
    branch: int = 256
    batch_norm: BatchNorm = "fold"
    preprocessing: Preprocessing
    weights: LevelWeights = field(default_factory=LevelWeights)
    attributes: Classes = field(default_factory=dict)
    projected: bool = True

    def build(self, backbone: nn.Module | None = None) -> AttributeNetwork:
        """Make one of the networks with random weights.

        Args:
            backbone: One to build on, with its own weights; None for a new one.

        Raises:
            ModelError: If the backbone is unknown or does not take the inputs.
        """
        return AttributeNetwork(
            create_backbone(self.backbone, self.options) if backbone is None else backbone,
            size=self.preprocessing.size,
            grid=self.grid,
            fc1=self.fc1,
            branch=self.branch,
            batch_norm=self.batch_norm,
            attributes=[len(classes) for classes in self.attributes.values()],
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return {
            "backbone": self.backbone,
            "options": dict(self.options),
            "grid": self.grid,
            "fc1": self.fc1,
            "branch": self.branch,
            "batch_norm": self.batch_norm,
            "preprocessing": self.preprocessing.to_dict(),
            "weights": asdict(self.weights),
            "attributes": classes_to_json(self.attributes),
            "projected": self.projected,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], file: Path) -> "ThreeLevelDescription":
        """Read back what `to_dict` gave.

        Args:
            values: As read from JSON.
            file: Where they come from, for the errors.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        check_kinds(file, values, KINDS)
        check_lengths(file, values, "grid", "fc1", "branch")
        check_choice(file, values, "batch_norm", BATCH_NORMS)
        try:
            weights = LevelWeights(**values["weights"])
        except (TypeError, ValueError) as error:
            raise ModelError(f"{file}: weights cannot be used: {error}") from error
        return cls(
            **{name: values[name] for name in PLAIN},
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
            weights=weights,
            attributes=classes_from_json(file, values["attributes"]),
        )


KINDS: Mapping[str, type] = {
    "backbone": str,
    "options": dict,
    "grid": int,
    "fc1": int,
    "branch": int,
    "batch_norm": str,
    "preprocessing": dict,
    "weights": dict,
    "attributes": dict,
    "projected": bool,
}
PLAIN = ("backbone", "options", "grid", "fc1", "branch", "batch_norm", "projected")


def save_network_of(domain: Domain, folder: Path, network: AttributeNetwork) -> None:
    """Write the network of one side; whole or not at all.

    Args:
        domain: The side.
        folder: There already.
        network: Its weights are written.
    """
    write_network_weights(folder / NETWORK_FILES[domain], network)


def load_network_of(
    domain: Domain, folder: Path, description: ThreeLevelDescription
) -> AttributeNetwork:
    """Read the network of one side.

    Args:
        domain: The side.
        folder: Where its file lies.
        description: Of both networks.

    Returns:
        The network in evaluation mode.

    Raises:
        ModelError: If the file is missing, damaged, or not of such a network, or none can be
            made of the description.
    """
    return load_network_weights(
        folder / NETWORK_FILES[domain], description.build, folder / "system.json"
    )


def network_digest(folder: Path, description: ThreeLevelDescription) -> str:
    """Give a hex digest of all that decides what a patch is described by.

    Args:
        folder: Holds the files of both networks.
        description: Its attributes' names and the levels' weights make no difference.

    Raises:
        ModelError: If a file cannot be read.
    """
    identity = description.to_dict()
    for name in ("attributes", "weights", "projected"):
        del identity[name]
    for domain, name in NETWORK_FILES.items():
        identity[f"{domain} network"] = file_digest(folder / name)
    return hashlib.blake2b(
        json.dumps(identity, sort_keys=True).encode(), digest_size=16
    ).hexdigest()
