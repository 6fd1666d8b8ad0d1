"""AsymNet's three networks as files of one folder, for searching and for training further.

Loading reads tensors and JSON, and runs no code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snapshelf.errors import ModelError
from snapshelf.features.described_settings import check_kinds
from snapshelf.features.image_feature_folder import (
    ImageFeatureDescription,
    load_image_network,
    save_image_network,
)
from snapshelf.features.image_feature_network import ImageFeatureNetwork
from snapshelf.features.video_feature_folder import (
    VideoFeatureDescription,
    load_video_network,
    save_video_network,
)
from snapshelf.features.video_feature_network import VideoFeatureNetwork
from snapshelf.matching.similarity_folder import load_similarity, save_similarity
from snapshelf.matching.similarity_network import SimilarityNetwork

__all__ = ["AsymNetDescription", "AsymNetParts", "load_asymnet", "save_asymnet"]


@dataclass(frozen=True, slots=True, eq=False)
class AsymNetParts:
    """The networks of Fig. 1.

    Attributes:
        image: IFN; None where another system's embeddings are the features.
        video: VFN.
        similarity: The similarity network with its tree.

    Raises:
        ValueError: If their lengths do not go together.
    """

    image: ImageFeatureNetwork | None
    video: VideoFeatureNetwork
    similarity: SimilarityNetwork

    def __post_init__(self) -> None:
        given = self.video.features if self.image is None else self.image.dimension
        lengths = (given, self.video.features, self.video.states)
        wanted = (*[self.similarity.features] * 2, self.similarity.states)
        if lengths != wanted:
            raise ValueError(
                f"the image network gives features of length {lengths[0]}, the video network takes "
                f"{lengths[1]} and gives states of {lengths[2]}, and the similarity network is for "
                f"features of {wanted[0]} and states of {wanted[2]}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class AsymNetDescription:
    """Everything besides weights that makes the networks; the file of the tree says its shape.

    Attributes:
        image: None where another system's embeddings are the features.
        video: Of the hidden states.
    """

    image: ImageFeatureDescription | None
    video: VideoFeatureDescription

    def to_dict(self) -> dict[str, Any]:
        """Give the attributes as values that JSON can hold."""
        return {
            "image": {} if self.image is None else self.image.to_dict(),
            "video": self.video.to_dict(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], file: Path) -> "AsymNetDescription":
        """Read back what `to_dict` gave.

        Args:
            values: As read from JSON.
            file: Where they come from, for the errors.

        Raises:
            ModelError: If a setting is missing, unknown, or cannot be used.
        """
        check_kinds(file, values, {"image": dict, "video": dict})
        image, video = values["image"], values["video"]
        return cls(
            image=ImageFeatureDescription.from_dict(image, file) if image else None,
            video=VideoFeatureDescription.from_dict(video, file),
        )


def save_asymnet(folder: Path, parts: AsymNetParts) -> None:
    """Write the networks.

    Args:
        folder: There already.
        parts: Their weights are written.

    Raises:
        OSError: If one cannot be written.
    """
    if parts.image is not None:
        save_image_network(folder, parts.image)
    save_video_network(folder, parts.video)
    save_similarity(folder, parts.similarity.fold())


def load_asymnet(folder: Path, description: AsymNetDescription) -> AsymNetParts:
    """Read the networks.

    Args:
        folder: Where their files lie.
        description: Of the networks.

    Returns:
        The networks in evaluation mode.

    Raises:
        ModelError: If a file is missing, damaged, or of another network, or they do not go
            together.
    """
    image = None if description.image is None else load_image_network(folder, description.image)
    video = load_video_network(folder, description.video)
    similarity = SimilarityNetwork.unfold(load_similarity(folder)).eval()
    try:
        return AsymNetParts(image, video, similarity)
    except ValueError as error:
        raise ModelError(f"the networks in {folder} do not go together: {error}") from error
