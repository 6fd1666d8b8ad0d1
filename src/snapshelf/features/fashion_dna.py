"""FashionDNA: static features of articles, as a folder with a network and a PCA.

Lasserre, Rasch, Vollgraf: Studio2Shop: from studio photo shoots to fashion articles, appendix,
Table 5. ``network.safetensors`` is the network, ``projection.safetensors`` the PCA of its layer
*fDNA*, and ``system.json`` says how they are made. Loading reads tensors and JSON, and runs no
code.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
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
from snapshelf.features.network_encoder import NetworkEncoder
from snapshelf.features.network_weights import load_network_weights, write_network_weights
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.weights import file_digest
from snapshelf.features.whitening import WhitenedEncoder, Whitening, load_whitening

with torch_extra():
    from torch import nn

__all__ = [
    "NETWORK_FILE",
    "DnaDescription",
    "DnaEncoder",
    "dna_features",
    "load_dna",
    "save_dna_network",
    "save_dna_projection",
]

NETWORK_FILE = "network.safetensors"
PROJECTION_FILE = "projection.safetensors"


DnaEncoder = NetworkEncoder[AttributeNetwork]


@dataclass(frozen=True, slots=True, kw_only=True)
class DnaDescription:
    """Everything besides weights that makes the network, as ``system.json`` holds it.

    Attributes:
        backbone: A name that `create_backbone` takes; the paper's is ``snapshelf/fashion-dna``.
        options: Its keyword arguments, as JSON can hold them.
        grid: (rows, columns) of the map that the layer *fDNA* reads, flattened.
        fc1: Length of the layer *fDNA*.
        branch: Length of the branches' first layers; 0 for the paper's, see `AttributeNetwork`.
        batch_norm: What became of the batch norms in training.
        preprocessing: How pictures become inputs.
        attributes: The classes of each attribute, by its name: each class is a level-1 group and
            a level-2 value.
    """

    backbone: str
    options: Mapping[str, Any] = field(default_factory=dict)
    grid: tuple[int, int] = (7, 5)
    fc1: int = 1536
    branch: int = 0
    batch_norm: BatchNorm = "fold"
    preprocessing: Preprocessing
    attributes: Classes = field(default_factory=dict)

    def build(self, backbone: nn.Module | None = None) -> AttributeNetwork:
        """Make the network with random weights.

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
            branch=self.branch or None,
            batch_norm=self.batch_norm,
            attributes=[len(classes) for classes in self.attributes.values()],
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return {
            "backbone": self.backbone,
            "options": dict(self.options),
            "rows": self.grid[0],
            "columns": self.grid[1],
            "fc1": self.fc1,
            "branch": self.branch,
            "batch_norm": self.batch_norm,
            "preprocessing": self.preprocessing.to_dict(),
            "attributes": classes_to_json(self.attributes),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], file: Path) -> "DnaDescription":
        """Read back what `to_dict` gave.

        Args:
            values: As read from JSON.
            file: Where they come from, for the errors.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        check_kinds(file, values, KINDS)
        check_lengths(file, values, "rows", "columns", "fc1")
        check_lengths(file, values, "branch", least=0)
        check_choice(file, values, "batch_norm", BATCH_NORMS)
        return cls(
            **{name: values[name] for name in PLAIN},
            grid=(values["rows"], values["columns"]),
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
            attributes=classes_from_json(file, values["attributes"]),
        )


KINDS: Mapping[str, type] = {
    "backbone": str,
    "options": dict,
    "rows": int,
    "columns": int,
    "fc1": int,
    "branch": int,
    "batch_norm": str,
    "preprocessing": dict,
    "attributes": dict,
}
PLAIN = ("backbone", "options", "fc1", "branch", "batch_norm")


def save_dna_network(folder: Path, network: AttributeNetwork) -> None:
    """Write the network; whole or not at all.

    Args:
        folder: There already.
        network: Its weights are written.
    """
    write_network_weights(folder / NETWORK_FILE, network)


def save_dna_projection(folder: Path, projection: Whitening, features: DnaEncoder) -> None:
    """Write the PCA; whole or not at all.

    Args:
        folder: There already.
        projection: Fitted to what `features` gives.
        features: As `dna_features` gives it of the folder.
    """
    projection.save(folder / PROJECTION_FILE, features.fingerprint)


def dna_features(folder: Path, description: DnaDescription) -> DnaEncoder:
    """Read the network, and give the activations of its layer *fDNA*.

    They are L2-normalised, which the paper tells nothing of.

    Args:
        folder: Where its file lies.
        description: Of the network.

    Returns:
        An encoder, its network in evaluation mode.

    Raises:
        ModelError: If the file is missing, damaged, or not of such a network, or none can be
            made of the description.
    """
    weights = folder / NETWORK_FILE
    network = load_network_weights(weights, description.build, folder / "system.json")
    identity = {**description.to_dict(), "weights": file_digest(weights)}
    del identity["attributes"]  # names only: of how many values they are, the weights tell
    digest = hashlib.blake2b(json.dumps(identity, sort_keys=True).encode(), digest_size=16)
    return NetworkEncoder(
        network, preprocessing=description.preprocessing, fingerprint=digest.hexdigest()
    )


def load_dna(folder: Path, description: DnaDescription) -> tuple[WhitenedEncoder, AttributeNetwork]:
    """Read the static features of articles: the activations, and the PCA on top.

    Args:
        folder: Where the files lie.
        description: Of the network.

    Returns:
        The encoder, of L2-normalised embeddings, and its network, which predicts attributes.

    Raises:
        ModelError: If a file is missing, damaged, or does not fit.
    """
    features = dna_features(folder, description)
    projection = load_whitening(folder / PROJECTION_FILE, features.fingerprint)
    try:
        return WhitenedEncoder(features, projection), features.network
    except ValueError as error:
        raise ModelError(f"{folder / PROJECTION_FILE} cannot be used: {error}") from error
