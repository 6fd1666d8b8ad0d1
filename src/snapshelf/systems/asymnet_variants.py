"""The rows of Video2Shop's figures and table, each by what it is made of.

Cheng, Wu, Liu, Hua: Video2Shop, Section 6.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from snapshelf.datasets.clips.clip_dataset import ClipTrainingData
from snapshelf.datasets.clips.registry import open_clip_dataset
from snapshelf.evaluation.kept_ranks import digest_of
from snapshelf.features.weights import file_digest
from snapshelf.matching.fusion_tree import FusionTree
from snapshelf.systems.asymnet import frozen_features
from snapshelf.systems.asymnet_bench import AsymNetBench, Compare, Drift, TrajectoryMatcher
from snapshelf.systems.asymnet_comparisons import (
    mean_cosine,
    pooled_compared,
    states_compared,
    steps_compared,
)
from snapshelf.systems.asymnet_learning import HeadLearning
from snapshelf.systems.asymnet_loading import load_features
from snapshelf.systems.asymnet_pairs import pairs_compared
from snapshelf.systems.given_system import GivenSystem
from snapshelf.systems.system import System
from snapshelf.training.asymnet_settings import AsymNetSettings
from snapshelf.training.asymnet_tables_settings import AsymNetTablesSettings
from snapshelf.training.monitor import Monitor

__all__ = ["AsymNetVariants", "Variant"]


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
        narrowed: Whether each clip is compared with the products of its own category alone.
        features: The setting that names the system whose embeddings are compared; empty for those
            of the recipe.
    """

    kind: Literal["cosine", "pooled", "steps", "pairs", "asymnet"]
    changes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    pooling: str = "average"
    fusion: str | None = None
    epoch: int | None = None
    robust: bool = False
    category: str | None = None
    searched: str | None = None
    narrowed: bool = False
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
        self._given = {
            "features": GivenSystem(
                "features",
                settings.features,
                lambda name: load_features(folder / "system.json", name),
            ),
            "alexnet": GivenSystem("alexnet", settings.alexnet),
            "deep_search": GivenSystem("deep_search", settings.deep_search),
        }

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
            self._settings.recipe, seed=seed, keep_checkpoints=0, **variant.changes
        )
        if variant.kind == "asymnet":
            settings = self._with_epochs(settings)
        learning = HeadLearning(
            bench=bench, settings=settings, folder=self._folder / "networks", monitor=monitor
        )
        compare = self._compare(learning, variant)
        category = variant.category or variant.searched
        return TrajectoryMatcher(name, bench, compare, category, variant.narrowed)

    def identity(self, features: str) -> dict[str, Any]:
        """Tell what decides the embeddings that a row compares, as JSON can hold it.

        Args:
            features: As `Variant.features`.

        Raises:
            ModelError: If a system that is named cannot be loaded, or there is no such file of
                weights.
        """
        if features or self._settings.features is not None:
            return {"features": self._given[features or "features"].identity()}
        digest = backbone_digest(self._settings.recipe)
        return {} if digest is None else {"weights": digest}

    def categories(self) -> Sequence[str]:
        """Give the categories that models of their own can be trained for, by name."""
        items = [item for one in self._data for item in one.training_clips()]
        found = {item.category for item in items}
        many = {each: sum(item.category == each for item in items) for each in found}
        return sorted(each for each in found if each and many[each] > 1)

    def _with_epochs(self, settings: AsymNetSettings) -> AsymNetSettings:
        """Let a network that Fig. 4 shows after each epoch keep them, whichever row trains it."""
        many = self._settings.tree_epochs
        shown = dataclasses.replace(
            self._settings.recipe,
            seed=settings.seed,
            tree=settings.tree,
            epochs=many,
            keep_checkpoints=0,
        )
        return (
            dataclasses.replace(settings, keep_checkpoints=many) if settings == shown else settings
        )

    def _compare(self, learning: HeadLearning, variant: Variant) -> Compare:
        match variant.kind:
            case "cosine":
                return mean_cosine
            case "pooled":
                return pooled_compared(learning, pooling=variant.pooling, tables=self._settings)
            case "steps":
                return steps_compared(learning, category=variant.category)
            case "pairs":
                return pairs_compared(learning, robust=variant.robust)
            case "asymnet":
                return states_compared(
                    learning,
                    fusion=variant.fusion,
                    epoch=variant.epoch,
                    category=variant.category,
                    tuned_epochs=self._settings.tuned_epochs,
                )

    def _bench(self, features: str) -> AsymNetBench:
        if features not in self._benches:
            self._benches[features] = AsymNetBench(
                self._given[features].load() if features else self._own_features(),
                self._data,
                clips=self._settings.clips,
                steps=FusionTree().leaves,
                folder=self._folder / "clips",
                drift=self._drift(),
            )
        return self._benches[features]

    def _own_features(self) -> System:
        """Give the system of the recipe's features."""
        recipe = self._settings.recipe
        if recipe.features is not None:
            return self._given["features"].load()
        # What is written stays, and the same folder may be used with another recipe.
        decided = {name: getattr(recipe, name) for name in ("backbone", "weights", "size", "seed")}
        decided |= {"options": dict(recipe.options), "file": backbone_digest(recipe)}
        folder = self._folder / f"backbone-{digest_of(decided)}"
        folder.mkdir(exist_ok=True)
        return frozen_features(recipe, folder)[0]

    def _drift(self) -> Drift | None:
        place = self._settings.drift_to
        return None if place is None else Drift(self._settings.drift, open_clip_dataset(place))


def backbone_digest(settings: AsymNetSettings) -> str | None:
    """Give the digest of the file that the recipe's backbone starts from; None without one.

    Raises:
        ModelError: If there is no such file.
    """
    from snapshelf.training.preparation import backbone_file

    file = backbone_file(settings)
    return None if file is None else file_digest(file)
