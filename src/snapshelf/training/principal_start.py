"""Where an embedding begins: at the principal axes of the features, or as a teacher's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.embedding_network import EmbeddingNetwork
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.torch_extra import torch_extra
from snapshelf.training.picture_store import PictureStore
from snapshelf.training.plain_pictures import run_on_pictures
from snapshelf.training.training_error import TrainingError
from snapshelf.training.training_set import TrainingSet

with torch_extra():
    import torch
    from torch import nn

__all__ = [
    "FeatureGroup",
    "pooled_features",
    "principal_axes",
    "start_as_taught",
    "start_at_principal_axes",
]


@dataclass(frozen=True, slots=True)
class FeatureGroup:
    """The features of one side of a data set.

    Attributes:
        rows: (N, C) float64, a picture each, as pooled and not normalised.
        paired: Whether the data set has pictures of the other side too.
    """

    rows: NDArray[np.float64]
    paired: bool


def pooled_features(
    network: EmbeddingNetwork,
    training_set: TrainingSet,
    store: PictureStore,
    preprocessing: Preprocessing,
    *,
    most: int = 3000,
    seed: int = 0,
    batch_size: int = 32,
) -> list[FeatureGroup]:
    """Give what a network's embedding layer gets to see, for it to begin with.

    Args:
        network: Its mode stays what it is.
        training_set: The items.
        store: Holds their pictures.
        preprocessing: How pictures become inputs; nothing is augmented.
        most: Pictures of a data set and side that are looked at, at least 1.
        seed: Decides which, where there are more.
        batch_size: Pictures at a time, at least 1.

    Returns:
        The groups: of each data set the street side and the shop side, where it has them.
    """
    rng = np.random.default_rng(seed)
    groups = []
    for source in range(len(training_set.names)):
        owned = np.flatnonzero(np.equal(training_set.sources, source))
        sides = [
            [number for item in owned for number in getattr(training_set.pictures[item], side)]
            for side in ("street", "shop")
        ]
        for numbers in filter(None, sides):
            chosen = sorted(rng.permutation(numbers)[:most].tolist())
            batches = run_on_pictures(
                network, network.pooled, store.picture, chosen, preprocessing, batch_size=batch_size
            )
            rows = np.concatenate(list(batches)).astype(np.float64)
            groups.append(FeatureGroup(rows, paired=all(sides)))
    return groups


def start_at_principal_axes(network: EmbeddingNetwork, groups: Sequence[FeatureGroup]) -> None:
    """Set the embedding layer so that nothing that features tell apart is lost to begin with.

    A layer that starts from random numbers has to unlearn them first, on the few products that
    training has; this one starts as good as the features and goes on from there. Its origin is
    halfway between the sides of the data that has both.

    Args:
        network: Its embedding layer is changed in place.
        groups: The network's `pooled_features`.

    Raises:
        TrainingError: If there are fewer pictures than the embedding has axes.
    """
    pictures = sum(len(group.rows) for group in groups)
    if pictures < network.dimension:
        raise TrainingError(
            f"an embedding of {network.dimension} numbers needs at least as many pictures to start "
            f"from, got {pictures}: give more pictures, or a smaller dimension"
        )
    centred = [group for group in groups if group.paired] or groups
    mean = np.mean([group.rows.mean(axis=0) for group in centred], axis=0)
    axes = principal_axes([group.rows for group in groups], network.dimension)
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(axes))
        network.embedding.bias.copy_(torch.from_numpy(-axes @ mean))


def start_as_taught(
    network: EmbeddingNetwork, taught: nn.Linear, groups: Sequence[FeatureGroup]
) -> None:
    """Set the embedding layer to a teacher's, cut to the directions that its embeddings lie in.

    The network's features have to be much like the teacher's by then. Cosine similarities stay what
    the teacher's layer makes of them, but for what the directions that are left out add.

    Args:
        network: Its embedding layer is changed in place.
        taught: The teacher's embedding layer: of as many features as the network's, to at least as
            many numbers.
        groups: The network's `pooled_features`.
    """
    weight, bias = (each.detach().cpu().double().numpy() for each in (taught.weight, taught.bias))
    embeddings = np.concatenate([group.rows for group in groups]) @ weight.T + bias
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    axes = _strongest(embeddings, network.dimension)
    with torch.no_grad():
        network.embedding.weight.copy_(torch.from_numpy(axes @ weight))
        network.embedding.bias.copy_(torch.from_numpy(axes @ bias))


def principal_axes(groups: Sequence[NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    """Give the axes along which features differ most within their groups.

    Args:
        groups: Each (N_i, C), centred by its own mean, so that what tells the groups apart counts
            for nothing.
        count: K axes, at most C.

    Returns:
        (K, C) float64, orthonormal, the strongest first.
    """
    rows = np.concatenate([group - group.mean(axis=0) for group in groups])
    return _strongest(rows, count)


def _strongest(rows: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Give the (K, C) orthonormal axes along which rows (N, C) are longest, the strongest first."""
    _, vectors = np.linalg.eigh(rows.T @ rows)
    return np.ascontiguousarray(vectors[:, ::-1][:, :count].T)
