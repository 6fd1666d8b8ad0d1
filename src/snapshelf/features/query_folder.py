"""A trained `QueryNetwork` as a file, and what ``system.json`` says of it.

Loading reads tensors and JSON, and runs no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snapshelf.features.backbones import create_backbone
from snapshelf.features.described_settings import (
    check_choice,
    check_kinds,
    check_lengths,
)
from snapshelf.features.embedding_network import BATCH_NORMS, BatchNorm
from snapshelf.features.network_weights import load_network_weights, write_network_weights
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.query_network import QueryNetwork
from snapshelf.features.torch_extra import torch_extra

with torch_extra():
    from torch import nn

__all__ = ["QUERY_FILE", "QueryDescription", "load_query_network", "save_query_network"]

QUERY_FILE = "query.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryDescription:
    """Everything besides weights that makes the network, as ``system.json`` holds it.

    Attributes:
        backbone: A name that `create_backbone` takes; the paper's is VGG16,
            ``torchvision/vgg16`` or ``vgg16.tv_in1k``.
        options: Its keyword arguments, as JSON can hold them.
        grid: (rows, columns) of the map that is flattened.
        hidden: Length of the two dense layers.
        dimension: Length of the features.
        batch_norm: What became of the batch norms in training.
        preprocessing: How pictures become inputs.
    """

    backbone: str
    options: Mapping[str, Any] = field(default_factory=dict)
    grid: tuple[int, int] = (7, 4)
    hidden: int = 2048
    dimension: int = 128
    batch_norm: BatchNorm = "fold"
    preprocessing: Preprocessing

    def build(self, backbone: nn.Module | None = None, *, dropout: float = 0.5) -> QueryNetwork:
        """Make the network with random weights.

        Args:
            backbone: One to build on, with its own weights; None for a new one.
            dropout: In [0, 1), in training.

        Raises:
            ModelError: If the backbone is unknown or does not take the inputs.
        """
        return QueryNetwork(
            create_backbone(self.backbone, self.options) if backbone is None else backbone,
            size=self.preprocessing.size,
            grid=self.grid,
            hidden=self.hidden,
            dropout=dropout,
            dimension=self.dimension,
            batch_norm=self.batch_norm,
        )

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return {
            "backbone": self.backbone,
            "options": dict(self.options),
            "rows": self.grid[0],
            "columns": self.grid[1],
            "hidden": self.hidden,
            "dimension": self.dimension,
            "batch_norm": self.batch_norm,
            "preprocessing": self.preprocessing.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], file: Path) -> "QueryDescription":
        """Read back what `to_dict` gave.

        Args:
            values: As read from JSON.
            file: Where they come from, for the errors.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        check_kinds(file, values, KINDS)
        check_lengths(file, values, "rows", "columns", "hidden", "dimension")
        check_choice(file, values, "batch_norm", BATCH_NORMS)
        return cls(
            **{name: values[name] for name in PLAIN},
            grid=(values["rows"], values["columns"]),
            preprocessing=Preprocessing.from_dict(values["preprocessing"]),
        )


KINDS: Mapping[str, type] = {
    "backbone": str,
    "options": dict,
    "rows": int,
    "columns": int,
    "hidden": int,
    "dimension": int,
    "batch_norm": str,
    "preprocessing": dict,
}
PLAIN = ("backbone", "options", "hidden", "dimension", "batch_norm")


def save_query_network(folder: Path, network: QueryNetwork) -> None:
    """Write the network; whole or not at all.

    Args:
        folder: There already.
        network: Its weights are written.
    """
    write_network_weights(folder / QUERY_FILE, network)


def load_query_network(
    folder: Path, description: QueryDescription, settings: Path | None = None
) -> QueryNetwork:
    """Read the network.

    Args:
        folder: Where its file lies.
        description: Of the network.
        settings: The file that describes it, for the errors; None for the folder's own.

    Returns:
        The network in evaluation mode.

    Raises:
        ModelError: If the file is missing, damaged, or not of such a network, or none can be
            made of the description.
    """
    return load_network_weights(
        folder / QUERY_FILE, description.build, settings or folder / "system.json"
    )
