"""How the rows of Video2Shop's figures compare trajectories with pictures.

Cheng, Wu, Liu, Hua: Video2Shop, Section 6.2.
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.codebook import Codebook
from snapshelf.features.step_features import unit_scale
from snapshelf.features.step_representations import (
    STEP_POOLINGS,
    encode_steps,
    learn_step_codebook,
)
from snapshelf.features.torch_extra import torch_extra
from snapshelf.matching.similarity_network import SimilarityNetwork
from snapshelf.matching.step_fusion import STEP_FUSIONS
from snapshelf.systems.asymnet_bench import Compare
from snapshelf.systems.asymnet_learning import HeadLearning, epoch_checkpoint, twice
from snapshelf.training.asymnet_tables_settings import AsymNetTablesSettings
from snapshelf.training.single_steps import SingleSteps

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["mean_cosine", "pooled_compared", "states_compared", "steps_compared"]

FloatArray = NDArray[np.float32]

BATCH = 16
"""Trajectories that are compared with the gallery at a time."""

SAMPLED = 18_000
"""Regions that codebooks are learned from, as in the paper."""


def mean_cosine(steps: FloatArray, gallery: FloatArray) -> FloatArray:
    """Give the mean over the steps of the cosine, of ``(Q, T, D)`` and ``(G, D)``: ``(Q, G)``."""
    mean: FloatArray = steps.mean(1) @ gallery.T
    return mean


def states_compared(
    learning: HeadLearning,
    *,
    fusion: str | None = None,
    epoch: int | None = None,
    category: str | None = None,
    tuned_epochs: int = 1,
) -> Compare:
    """Train AsymNet: hidden states of the steps, their similarities fused by a tree or otherwise.

    Args:
        learning: What it learns from, and how.
        fusion: A name of `STEP_FUSIONS`; None for the tree.
        epoch: Whose weights are taken, of those that the settings keep; None for the last.
        category: A model of its own for this one, begun from the general model.
        tuned_epochs: That such a model learns for.

    Raises:
        Exception: As trainings.
    """
    video, similarity, place = learning.networks()
    if category is not None:
        settings = dataclasses.replace(
            learning.settings,
            start=str(place),
            category=category,
            epochs=tuned_epochs,
            keep_checkpoints=0,
        )
        video, similarity, _ = dataclasses.replace(learning, settings=settings).networks()
    if epoch is not None and epoch < learning.settings.epochs:
        file = epoch_checkpoint(place, epoch)
        state = torch.load(file, map_location="cpu", weights_only=True)["state_dict"]
        for name, network in (("video", video), ("similarity", similarity)):
            own = {
                key.removeprefix(f"{name}."): value
                for key, value in state.items()
                if key.startswith(f"{name}.")
            }
            network.load_state_dict(own)
    return lambda steps, gallery: _network_odds(
        video, similarity, unit_scale(steps), unit_scale(gallery), fusion
    )


def steps_compared(learning: HeadLearning, *, category: str | None = None) -> Compare:
    """Train the similarity network on each step's features, and average its log-odds (FT).

    Args:
        learning: What it learns from, and how.
        category: Whose clips alone it learns from; None for all.

    Raises:
        Exception: As trainings.
    """
    trajectories, pictures = learning.bench.trained_on(learning.monitor)
    if category is not None:
        settings = dataclasses.replace(learning.settings, category=category)
        learning = dataclasses.replace(learning, settings=settings)
    network = learning.similarity("steps", unit_scale(trajectories), unit_scale(pictures))
    return lambda steps, gallery: _network_odds(
        SingleSteps(), network, unit_scale(steps), unit_scale(gallery), "average"
    )


def pooled_compared(
    learning: HeadLearning, *, pooling: str, tables: AsymNetTablesSettings
) -> Compare:
    """Train the similarity network on one vector of each trajectory.

    Args:
        learning: What it learns from, and how.
        pooling: ``average``, ``max``, ``fisher`` or ``vlad``.
        tables: Says of the latter two how long a projected region is, and of how many components.

    Raises:
        Exception: As trainings.
    """
    trajectories, pictures = learning.bench.trained_on(learning.monitor)
    codebook = None if pooling in STEP_POOLINGS else _codebook(learning, pooling, tables)

    def represent(steps: FloatArray) -> FloatArray:
        if codebook is not None:
            return unit_scale(encode_steps(steps, codebook))
        return STEP_POOLINGS[pooling](unit_scale(steps))

    network = learning.similarity(
        f"pooled-{pooling}",
        represent(trajectories)[:, np.newaxis],
        represent(pictures[:, np.newaxis]),
    )
    return lambda steps, gallery: _network_odds(
        SingleSteps(),
        network,
        twice(represent(steps)[:, np.newaxis]),
        represent(gallery[:, np.newaxis]),
        "average",
    )


def _codebook(learning: HeadLearning, kind: Any, tables: AsymNetTablesSettings) -> Codebook:
    trajectories, _ = learning.bench.trained_on(learning.monitor)
    regions = trajectories.reshape(-1, trajectories.shape[2])
    rng = np.random.default_rng(learning.settings.seed)
    chosen = np.sort(rng.permutation(len(regions))[:SAMPLED])
    learning.monitor.note(f"a codebook of {len(chosen)} regions for {kind}")
    return learn_step_codebook(
        kind,
        regions[chosen],
        dimension=min(tables.projected, regions.shape[1]),
        components=tables.components,
        seed=learning.settings.seed,
    )


@torch.inference_mode()
def _network_odds(
    video: nn.Module,
    similarity: SimilarityNetwork,
    steps: FloatArray,
    gallery: FloatArray,
    fusion: str | None,
) -> FloatArray:
    """Give the log-odds of trajectories and pictures, fused by the tree or otherwise."""
    shown = torch.from_numpy(gallery)
    found = np.empty((len(steps), len(gallery)), np.float32)
    for start in range(0, len(steps), BATCH):
        states: Tensor = video(torch.from_numpy(steps[start : start + BATCH]))
        leaves = similarity.leaves(states, shown.expand(len(states), -1, -1))
        odds = similarity.fuse(leaves) if fusion is None else STEP_FUSIONS[fusion](leaves.odds)
        found[start : start + BATCH] = odds.numpy()
    return found
