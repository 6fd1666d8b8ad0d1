"""The training of AsymNet's networks, from features that stay as they are or from pixels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.image_feature_network import ImageFeatureNetwork
from snapshelf.features.preprocessing import Preprocessing
from snapshelf.features.step_features import unit_scale
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.video_feature_network import VideoFeatureNetwork
from snapshelf.matching.asymnet_folder import AsymNetParts
from snapshelf.matching.fusion_tree import FusionTree
from snapshelf.matching.similarity_network import SimilarityNetwork
from snapshelf.training.asymnet_module import AsymNetModule
from snapshelf.training.asymnet_product_start import (
    side_axes,
    start_similarity,
    start_states,
)
from snapshelf.training.asymnet_settings import AsymNetSettings
from snapshelf.training.clip_training_set import ClipTrainingSet
from snapshelf.training.fit import FitSettings, fit
from snapshelf.training.monitor import Monitor
from snapshelf.training.trajectory_batches import FeatureSource, TrajectoryBatches, TrajectorySource
from snapshelf.training.trajectory_draws import TrajectoryDraws

with torch_extra():
    import torch
    from torch import nn

__all__ = [
    "feature_source",
    "learn_networks",
    "make_draws",
    "new_parts",
    "start_as_product",
]

LOOKED_AT = 512
"""Trajectories that the start is fitted to, at most."""


def new_parts(settings: AsymNetSettings, features: int) -> AsymNetParts:
    """Make the video and the similarity network with random weights, over features of a length."""
    torch.manual_seed(settings.seed)
    return AsymNetParts(
        None,
        VideoFeatureNetwork(features, settings.states, levels=settings.levels),
        SimilarityNetwork(
            settings.states,
            features,
            hidden=settings.hidden,
            tree=FusionTree.from_text(settings.tree),
        ),
    )


def make_draws(training_set: ClipTrainingSet, settings: AsymNetSettings) -> TrajectoryDraws:
    """Say which trajectories and pictures come together.

    Raises:
        TrainingError: If no trajectory has a right and a wrong picture.
    """
    return TrajectoryDraws(
        training_set.owners,
        training_set.shown,
        batch=settings.batch,
        positives=settings.positives,
        categories=(
            training_set.categories
            if settings.within_category or settings.category is not None
            else None
        ),
        category=settings.category,
        seed=settings.seed,
    )


def start_as_product(
    parts: AsymNetParts,
    trajectories: NDArray[np.float32],
    pictures: NDArray[np.float32],
    draws: TrajectoryDraws,
    settings: AsymNetSettings,
) -> None:
    """Let the video and the similarity network begin as a product of features.

    Args:
        parts: Changed in place.
        trajectories: (N, T, D) float32, at the scale of `unit_scale`.
        pictures: (P, D) float32, likewise.
        draws: Say which pictures are right and wrong.
        settings: The recipe.
    """
    axes = side_axes(trajectories, pictures, settings.states)
    start_states(parts.video, axes, settings.memory)
    drawn = [draws.draw(0, number) for number in range(len(draws))]
    rows = np.concatenate([each.trajectories for each in drawn])[:LOOKED_AT]
    chosen = np.concatenate([each.pictures for each in drawn])[:LOOKED_AT]
    right = np.concatenate([each.right for each in drawn])[:LOOKED_AT]
    with torch.no_grad():
        states = parts.video(torch.from_numpy(trajectories[rows]))[:, -1]
    start_similarity(
        parts.similarity,
        axes,
        states,
        torch.from_numpy(pictures[chosen]),
        torch.from_numpy(right),
    )


def feature_source(
    trajectories: NDArray[np.float32], pictures: NDArray[np.float32]
) -> FeatureSource:
    """Give embeddings at the scale that the networks learn at.

    Args:
        trajectories: (N, T, D) float32, of unit length.
        pictures: (P, D) float32, likewise.
    """
    return FeatureSource(
        torch.from_numpy(unit_scale(trajectories)), torch.from_numpy(unit_scale(pictures))
    )


def learn_networks(
    video: nn.Module,
    similarity: SimilarityNetwork,
    source: TrajectorySource,
    draws: TrajectoryDraws,
    settings: AsymNetSettings,
    out: Path,
    monitor: Monitor,
    *,
    image: ImageFeatureNetwork | None = None,
    preprocessing: Preprocessing | None = None,
) -> None:
    """Train the networks, or go on where it was cut off.

    Args:
        video: Gives (B, T, H) hidden states of (B, T, D) features. Trained in place, as the others,
            and in evaluation mode at the end.
        similarity: Of those states.
        source: Gives what is trained on.
        draws: Say what comes together.
        settings: The recipe.
        out: The folder of the checkpoints, there already.
        monitor: Hears how it goes, and can ask to stop.
        image: None where the source gives features.
        preprocessing: Of the image network; None without one.

    Raises:
        TrainingError: If training diverged, or the checkpoint cannot be used.
        TrainingStopped: If the monitor asked to stop.
    """
    batches = TrajectoryBatches(draws, source, seed=settings.seed)
    module = AsymNetModule(
        image, video, similarity, preprocessing, settings, steps_per_epoch=len(batches)
    )
    fit(
        module,
        batches,
        out,
        FitSettings(
            epochs=settings.epochs,
            precision=settings.precision,
            keep_checkpoints=settings.keep_checkpoints,
            seed=settings.seed,
        ),
        pictures_per_batch=draws.pairs,
        monitor=monitor,
    )
    for network in (image, video, similarity):
        if network is not None:
            network.eval()
