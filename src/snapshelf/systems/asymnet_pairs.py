"""CS and RC, rows of Video2Shop's Table 1: embeddings of pairs.

Cheng, Wu, Liu, Hua: Video2Shop, Section 6.3.
"""

import numpy as np
from numpy.typing import NDArray

from snapshelf.features.step_features import unit_scale
from snapshelf.features.torch_extra import torch_extra
from snapshelf.systems.asymnet_bench import Compare
from snapshelf.systems.asymnet_learning import HeadLearning
from snapshelf.training.asymnet_product_start import side_axes
from snapshelf.training.fit import FitSettings, fit
from snapshelf.training.pair_embedding_module import PairBatches, PairEmbeddingModule
from snapshelf.training.trajectory_batches import FeatureSource

with torch_extra():
    import torch

__all__ = ["pairs_compared"]

FloatArray = NDArray[np.float32]

EMBEDDED = 256
"""Length of the embeddings."""


def pairs_compared(learning: HeadLearning, *, robust: bool) -> Compare:
    """Train an embedding of pairs, by whose mean over the steps trajectories are compared.

    Args:
        learning: What it learns from, and how.
        robust: RC, the robust contrastive loss of several tasks; else CS, contrastive and softmax.

    Raises:
        Exception: As trainings.
    """
    bench, settings = learning.bench, learning.settings
    trajectories, pictures = bench.trained_on(learning.monitor)
    source = FeatureSource(
        torch.from_numpy(unit_scale(trajectories)), torch.from_numpy(unit_scale(pictures))
    )
    draws, own = learning.draws(), bench.training_set
    kinds = sorted({item.category for item in own.items})
    numbers = [kinds.index(item.category) for item in own.items]
    batches = PairBatches(
        draws,
        source,
        torch.tensor([numbers[owner] for owner in own.owners]),
        torch.tensor([numbers[owner] for owner in own.shown]),
        seed=settings.seed,
    )
    axes = side_axes(source.trajectories.numpy(), source.pictures.numpy(), EMBEDDED)
    torch.manual_seed(settings.seed)
    module = PairEmbeddingModule(
        torch.from_numpy(axes.axes),
        len(kinds),
        settings,
        robust=robust,
        steps_per_epoch=len(batches),
    )
    place = learning.place("rc" if robust else "cs")
    fit(
        module,
        batches,
        place,
        FitSettings(epochs=settings.epochs, keep_checkpoints=0, seed=settings.seed),
        pictures_per_batch=draws.pairs,
        monitor=learning.monitor,
    )
    module.eval()

    def compare(steps: FloatArray, gallery: FloatArray) -> FloatArray:
        with torch.inference_mode():
            shown = module(torch.from_numpy(unit_scale(gallery)))
            found = module(torch.from_numpy(unit_scale(steps))).mean(1) @ shown.T
        made: FloatArray = found.numpy()
        return made

    return compare
