"""The rows of Video2Shop's figures and table, each by what it is made of.

Cheng, Wu, Liu, Hua: Video2Shop, Section 6.
"""

import dataclasses
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.clip_dataset import ClipTrainingData
from snapshelf.errors import MissingWeightsError
from snapshelf.evaluation.kept_ranks import digest_of
from snapshelf.features.classical.codebook import Codebook
from snapshelf.features.step_features import unit_scale
from snapshelf.features.step_representations import (
    STEP_POOLINGS,
    encode_steps,
    learn_step_codebook,
)
from snapshelf.features.torch_extra import torch_extra
from snapshelf.features.video_feature_folder import VIDEO_FILE
from snapshelf.matching.fusion_tree import FusionTree
from snapshelf.matching.similarity_network import SimilarityNetwork
from snapshelf.matching.step_fusion import STEP_FUSIONS
from snapshelf.systems.asymnet import frozen_features
from snapshelf.systems.asymnet_bench import AsymNetBench, Compare, TrajectoryMatcher
from snapshelf.systems.system import System
from snapshelf.training.asymnet_product_start import UNITS, side_axes, start_similarity
from snapshelf.training.asymnet_settings import AsymNetSettings
from snapshelf.training.asymnet_tables_settings import AsymNetTablesSettings
from snapshelf.training.asymnet_training import learn_heads, new_parts, start_as_product
from snapshelf.training.monitor import Monitor
from snapshelf.training.settings import settings_to_dict
from snapshelf.training.single_steps import SingleSteps
from snapshelf.training.trajectory_batches import FeatureSource
from snapshelf.training.trajectory_draws import TrajectoryDraws

with torch_extra():
    import torch
    from torch import Tensor, nn

__all__ = ["AsymNetVariants", "Variant"]

FloatArray = NDArray[np.float32]

BATCH = 16
"""Trajectories that are compared with the gallery at a time."""

EMBEDDED = 256
"""Length of the embeddings of CS and RC."""

SAMPLED = 18_000
"""Regions that codebooks are learned from, as in the paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A row.

    Attributes:
        kind: ``cosine``, ``pooled``, ``steps`` (a similarity of the features of each step),
            ``pairs`` (CS and RC) or ``asymnet``.
        changes: What its settings have instead of the recipe's.
        pooling: Of ``pooled``: ``average``, ``max``, ``fisher`` or ``vlad``.
        fusion: A name of `STEP_FUSIONS`; None for the tree.
        epoch: Whose weights are taken; None for the last.
        robust: Of ``pairs``: RC, else CS.
        category: A model of its own for this one, begun from the general model, and its clips
            alone are searched with.
        searched: Likewise of clips that are searched with, with the general model.
        features: The setting that names the system whose embeddings are compared; empty for those
            of the recipe.
    """

    kind: str
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    pooling: str = "average"
    fusion: str | None = None
    epoch: int | None = None
    robust: bool = False
    category: str | None = None
    searched: str | None = None
    features: str = ""


class AsymNetVariants:
    """Makes each row; the features of all clips are made once, and networks by the first row.

    Args:
        data: What is trained on.
        settings: The recipe.
        folder: Of features and networks; made when there is something to keep.
    """

    def __init__(
        self, data: Sequence[ClipTrainingData], settings: AsymNetTablesSettings, folder: Path
    ) -> None:
        self._data, self._settings, self._folder = data, settings, folder
        self._benches: dict[str, AsymNetBench] = {}

    def make(self, name: str, variant: Variant, seed: int, monitor: Monitor) -> TrajectoryMatcher:
        """Make a row, of networks that are trained if none are kept.

        Args:
            name: Of the row.
            variant: What it is.
            seed: Of all that is random.
            monitor: Hears how it goes, and can ask to stop.

        Raises:
            MissingWeightsError: If the features that it needs cannot be had.
            Exception: As trainings.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        bench = self._bench(variant.features)
        settings = dataclasses.replace(
            self._settings.recipe,
            seed=seed,
            keep_checkpoints=max(self._settings.tree_epochs, 1) if variant.epoch else 0,
            **variant.changes,
        )
        makers: Mapping[str, Callable[..., Compare]] = {
            "cosine": lambda *_: _mean_cosine,
            "pooled": self._pooled,
            "steps": self._steps,
            "pairs": self._pairs,
            "asymnet": self._asymnet,
        }
        compare = makers[variant.kind](bench, settings, variant, monitor)
        return TrajectoryMatcher(name, bench, compare, variant.category or variant.searched)

    def categories(self) -> Sequence[str]:
        """Give the categories that models of their own can be trained for, by name."""
        items = [item for one in self._data for item in one.training_clips()]
        found = {item.category for item in items}
        many = {each: sum(item.category == each for item in items) for each in found}
        return sorted(each for each in found if each and many[each] > 1)

    def _bench(self, features: str) -> AsymNetBench:
        if features not in self._benches:
            recipe = self._settings.recipe
            if features:
                given = getattr(self._settings, features)
                if given is None:
                    raise MissingWeightsError(
                        f"the row needs a system as the setting {features}, and there is none",
                        "Name one",
                    )
                base = System.load(given)
            else:
                base, _ = frozen_features(recipe, self._folder)
            self._benches[features] = AsymNetBench(
                base,
                self._data,
                clips=recipe.clips,
                steps=FusionTree().leaves,
                folder=self._folder / "clips",
            )
        return self._benches[features]

    def _place(self, what: str, bench: AsymNetBench, settings: AsymNetSettings) -> Path:
        """Give the folder of a network, by all that decides it."""
        values = settings_to_dict(settings)
        values |= {"what": what, "of": bench.base.encoder.fingerprint}
        values["data"] = bench.training_set.digest
        place = self._folder / "networks" / f"{what}-seed-{settings.seed}-{digest_of(values)}"
        place.mkdir(parents=True, exist_ok=True)
        return place

    def _learned(
        self, bench: AsymNetBench, settings: AsymNetSettings, monitor: Monitor
    ) -> tuple[nn.Module, SimilarityNetwork, Path]:
        """Train AsymNet's heads, or load those that are kept."""
        parts = new_parts(settings, bench.base.encoder.dimension)
        place = self._place("asymnet", bench, settings)
        if not (place / "done").is_file():
            trajectories, pictures = bench.trained_on(monitor)
            kept = _first_clips(bench, settings.clips)
            source = FeatureSource(
                torch.from_numpy(unit_scale(trajectories[:kept])),
                torch.from_numpy(unit_scale(pictures)),
            )
            draws = _draws(bench, settings, kept)
            if settings.start is not None:
                _load_heads(Path(settings.start), parts.video, parts.similarity)
            elif settings.product_start:
                start_as_product(
                    parts, source.trajectories.numpy(), source.pictures.numpy(), draws, settings
                )
            learn_heads(parts.video, parts.similarity, source, draws, settings, place, monitor)
            _keep_heads(place, parts.video, parts.similarity)
        _load_heads(place, parts.video, parts.similarity)
        return parts.video.eval(), parts.similarity.eval(), place

    def _asymnet(
        self, bench: AsymNetBench, settings: AsymNetSettings, variant: Variant, monitor: Monitor
    ) -> Compare:
        video, similarity, place = self._learned(bench, settings, monitor)
        if variant.category is not None:
            tuned = dataclasses.replace(
                settings,
                start=str(place),
                category=variant.category,
                epochs=self._settings.tuned_epochs,
            )
            video, similarity, _ = self._learned(bench, tuned, monitor)
        if variant.epoch is not None and variant.epoch < settings.epochs:
            file = place / "checkpoints" / f"epoch-{variant.epoch:04d}.ckpt"
            state = torch.load(file, map_location="cpu", weights_only=True)["state_dict"]
            for name, network in (("video", video), ("similarity", similarity)):
                own = {
                    key.removeprefix(f"{name}."): value
                    for key, value in state.items()
                    if key.startswith(f"{name}.")
                }
                network.load_state_dict(own)
        return lambda steps, gallery: _network_odds(
            video, similarity, unit_scale(steps), unit_scale(gallery), variant.fusion
        )

    def _pooled(
        self, bench: AsymNetBench, settings: AsymNetSettings, variant: Variant, monitor: Monitor
    ) -> Compare:
        trajectories, pictures = bench.trained_on(monitor)
        codebook = None
        if variant.pooling not in STEP_POOLINGS:
            codebook = self._codebook(bench, settings, variant.pooling, monitor)

        def represent(steps: FloatArray) -> FloatArray:
            if codebook is not None:
                return unit_scale(encode_steps(steps, codebook))
            return STEP_POOLINGS[variant.pooling](unit_scale(steps))

        one = represent(trajectories)[:, np.newaxis]
        network = self._matched(
            f"pooled-{variant.pooling}",
            bench,
            settings,
            one,
            represent(pictures[:, np.newaxis]),
            monitor,
        )
        still = SingleSteps()
        return lambda steps, gallery: _network_odds(
            still,
            network,
            _twice(represent(steps)[:, np.newaxis]),
            represent(gallery[:, np.newaxis]),
            "average",
        )

    def _steps(
        self, bench: AsymNetBench, settings: AsymNetSettings, variant: Variant, monitor: Monitor
    ) -> Compare:
        trajectories, pictures = bench.trained_on(monitor)
        if variant.category is not None:
            settings = dataclasses.replace(settings, category=variant.category)
        network = self._matched(
            "steps", bench, settings, unit_scale(trajectories), unit_scale(pictures), monitor
        )
        return lambda steps, gallery: _network_odds(
            SingleSteps(), network, unit_scale(steps), unit_scale(gallery), "average"
        )

    def _matched(
        self,
        what: str,
        bench: AsymNetBench,
        settings: AsymNetSettings,
        trajectories: FloatArray,
        pictures: FloatArray,
        monitor: Monitor,
    ) -> SimilarityNetwork:
        """Train the similarity network alone, of features that no LSTM has changed."""
        many = trajectories.shape[1]
        # A tree has two steps at least; of equal ones either is their mean.
        steps = trajectories if many > 1 else _twice(trajectories)
        settings = dataclasses.replace(
            settings, fusion="none", tree="2" if many == 1 else settings.tree
        )
        torch.manual_seed(settings.seed)
        length = pictures.shape[1]
        network = SimilarityNetwork(
            length, length, hidden=settings.hidden, tree=FusionTree.from_text(settings.tree)
        )
        place = self._place(what, bench, settings)
        still = SingleSteps()
        if not (place / "done").is_file():
            source = FeatureSource(torch.from_numpy(steps), torch.from_numpy(pictures))
            draws = _draws(bench, settings, len(steps))
            if settings.product_start:
                axes = side_axes(trajectories, pictures, settings.hidden // UNITS or 1)
                rows = draws.draw(0, 0)
                read = torch.from_numpy(axes.axes)
                start_similarity(
                    network,
                    axes,
                    source.trajectories[torch.from_numpy(rows.trajectories)].mean(1),
                    source.pictures[torch.from_numpy(rows.pictures)],
                    torch.from_numpy(rows.right),
                    (read, -read @ torch.from_numpy(axes.street)),
                )
            learn_heads(still, network, source, draws, settings, place, monitor)
            _keep_heads(place, None, network)
        _load_heads(place, None, network)
        return network.eval()

    def _codebook(
        self, bench: AsymNetBench, settings: AsymNetSettings, kind: Any, monitor: Monitor
    ) -> Codebook:
        trajectories, _ = bench.trained_on(monitor)
        regions = trajectories.reshape(-1, trajectories.shape[2])
        rng = np.random.default_rng(settings.seed)
        chosen = np.sort(rng.permutation(len(regions))[:SAMPLED])
        monitor.note(f"a codebook of {len(chosen)} regions for {kind}")
        return learn_step_codebook(
            kind,
            regions[chosen],
            dimension=min(self._settings.projected, regions.shape[1]),
            components=self._settings.components,
            seed=settings.seed,
        )

    def _pairs(
        self, bench: AsymNetBench, settings: AsymNetSettings, variant: Variant, monitor: Monitor
    ) -> Compare:
        from snapshelf.training.fit import FitSettings, fit
        from snapshelf.training.pair_embedding_module import PairBatches, PairEmbeddingModule

        trajectories, pictures = bench.trained_on(monitor)
        source = FeatureSource(
            torch.from_numpy(unit_scale(trajectories)), torch.from_numpy(unit_scale(pictures))
        )
        draws, own = _draws(bench, settings, len(trajectories)), bench.training_set
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
            robust=variant.robust,
            steps_per_epoch=len(batches),
        )
        place = self._place("rc" if variant.robust else "cs", bench, settings)
        fit(
            module,
            batches,
            place,
            FitSettings(epochs=settings.epochs, keep_checkpoints=0, seed=settings.seed),
            pictures_per_batch=draws.pairs,
            monitor=monitor,
        )
        module.eval()

        def compare(steps: FloatArray, gallery: FloatArray) -> FloatArray:
            with torch.inference_mode():
                shown = module(torch.from_numpy(unit_scale(gallery)))
                found = module(torch.from_numpy(unit_scale(steps))).mean(1) @ shown.T
            made: FloatArray = found.numpy()
            return made

        return compare


def _mean_cosine(steps: FloatArray, gallery: FloatArray) -> FloatArray:
    """Give the mean over the steps of the cosine."""
    mean: FloatArray = steps.mean(1) @ gallery.T
    return mean


def _twice(one: FloatArray) -> FloatArray:
    """Repeat the only step."""
    return np.repeat(one, 2, axis=1)


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


def _first_clips(bench: AsymNetBench, clips: int) -> int:
    """Count the clips of a training set that begin it and are no more than so many of a product."""
    seen: dict[int, int] = {}
    for number, owner in enumerate(bench.training_set.owners):
        seen[owner] = seen.get(owner, 0) + 1
        if seen[owner] > clips:
            return number
    return len(bench.training_set.owners)


def _draws(bench: AsymNetBench, settings: AsymNetSettings, clips: int) -> TrajectoryDraws:
    own = bench.training_set
    narrowed = settings.within_category or settings.category is not None
    return TrajectoryDraws(
        own.owners[:clips],
        own.shown,
        batch=settings.batch,
        positives=settings.positives,
        categories=own.categories if narrowed else None,
        category=settings.category,
        seed=settings.seed,
    )


def _keep_heads(place: Path, video: nn.Module | None, similarity: SimilarityNetwork) -> None:
    from snapshelf.features.network_weights import write_network_weights
    from snapshelf.matching.similarity_folder import save_similarity

    if video is not None:
        write_network_weights(place / VIDEO_FILE, video)
    save_similarity(place, similarity.fold())
    (place / "checkpoints" / "last.ckpt").unlink(missing_ok=True)
    if not any((place / "checkpoints").glob("*.ckpt")):
        shutil.rmtree(place / "checkpoints", ignore_errors=True)
    (place / "done").touch()


def _load_heads(place: Path, video: nn.Module | None, similarity: SimilarityNetwork) -> None:
    from snapshelf.features.weights import load_safetensors
    from snapshelf.matching.similarity_folder import load_similarity

    if video is not None:
        video.load_state_dict(load_safetensors(place / VIDEO_FILE))
    kept = SimilarityNetwork.unfold(load_similarity(place))
    similarity.load_state_dict(kept.state_dict())
