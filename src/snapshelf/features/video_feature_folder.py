"""A trained `VideoFeatureNetwork` as a file, and what ``system.json`` says of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from snapshelf.features.described_settings import (
    check_kinds,
    check_lengths,
)
from snapshelf.features.network_weights import load_network_weights, write_network_weights
from snapshelf.features.video_feature_network import MOST_LEVELS, VideoFeatureNetwork

__all__ = [
    "VIDEO_FILE",
    "VideoFeatureDescription",
    "load_video_network",
    "save_video_network",
]

VIDEO_FILE = "video.safetensors"


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFeatureDescription:
    """Everything besides weights that makes the network, as ``system.json`` holds it.

    Attributes:
        features: Length of a step's features.
        states: Length of a hidden state.
        levels: Of LSTM, one on top of the other.
    """

    features: int
    states: int = 256
    levels: int = 2

    def build(self) -> VideoFeatureNetwork:
        """Make the network with random weights.

        Raises:
            ValueError: If a number is out of range.
        """
        return VideoFeatureNetwork(self.features, self.states, levels=self.levels)

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], file: Path) -> "VideoFeatureDescription":
        """Read back what `to_dict` gave.

        Args:
            values: As read from JSON.
            file: Where they come from, for the errors.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        check_kinds(file, values, KINDS)
        check_lengths(file, values, "features", "states")
        check_lengths(file, values, "levels", most=MOST_LEVELS)
        return cls(**values)


KINDS: Mapping[str, type] = {"features": int, "states": int, "levels": int}


def save_video_network(folder: Path, network: VideoFeatureNetwork) -> None:
    """Write the network; whole or not at all.

    Args:
        folder: There already.
        network: Its weights are written.
    """
    write_network_weights(folder / VIDEO_FILE, network)


def load_video_network(folder: Path, description: VideoFeatureDescription) -> VideoFeatureNetwork:
    """Read the network.

    Args:
        folder: Where its file lies.
        description: Of the network.

    Returns:
        The network in evaluation mode.

    Raises:
        ModelError: If the file is missing, damaged, or not of such a network.
    """
    return load_network_weights(folder / VIDEO_FILE, description.build, folder / "system.json")
