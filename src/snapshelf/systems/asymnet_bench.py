"""`AsymNetBench`: features of all clips and pictures, made once, that rows of tables share."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.clip_dataset import ClipDataset, ClipTrainingData
from snapshelf.datasets.dataset import Dataset
from snapshelf.errors import DatasetError
from snapshelf.evaluation.category_search import search_within_categories
from snapshelf.evaluation.clip_search import clip_queries, clips_of
from snapshelf.evaluation.embedded_pictures import EmbeddedGallery, embed_gallery
from snapshelf.evaluation.evaluate import by_products
from snapshelf.evaluation.evaluation import Evaluation, ProductChoice
from snapshelf.evaluation.query_search import right_products
from snapshelf.evaluation.searched_queries import Progress, SearchedQueries
from snapshelf.evaluation.similarity_ranks import similarity_ranks
from snapshelf.features.encoder import Domain
from snapshelf.features.step_drift import drifted_steps
from snapshelf.systems.system import System
from snapshelf.systems.wrapping import embed_pictures_of
from snapshelf.training.clip_features import ClipFeatures
from snapshelf.training.clip_training_set import ClipTrainingSet
from snapshelf.training.monitor import Monitor

__all__ = ["AsymNetBench", "Compare", "Drift", "TrajectoryMatcher"]

FloatArray = NDArray[np.float32]

Compare = Callable[[FloatArray, FloatArray], FloatArray]
"""Called with the embeddings of trajectories, (Q, T, D), and of the gallery, (G, D); gives
similarities, (Q, G)."""

ELSEWHERE = 512
"""Clips that trajectories may drift to."""


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """Something else that trajectories show for a while.

    Attributes:
        share: Of each trajectory's steps, in [0, 1), see `drifted_steps`.
        to: Clips of it, those of the split `test`.
    """

    share: float
    to: ClipDataset


class AsymNetBench:
    """Embeddings of one system, of what is trained on and of what is searched.

    Args:
        base: The system; its own re-ranker, if any, is left out.
        data: What is trained on.
        clips: Of each product at most.
        steps: Of a trajectory.
        folder: Keeps the embeddings of clips.
        drift: Of the trajectories that are trained on and of those that are searched with, to
            different clips; None for none.

    Attributes:
        base: As given.
        steps: As given.
        drift: As given.
        training_set: What is trained on.
    """

    def __init__(
        self,
        base: System,
        data: Sequence[ClipTrainingData],
        *,
        clips: int,
        steps: int,
        folder: Path,
        drift: Drift | None = None,
    ) -> None:
        self.base, self.steps, self.drift = base, steps, drift
        self.training_set = ClipTrainingSet.collect(data, clips=clips)
        self._features = ClipFeatures(base.encoder, folder, steps)
        self._trained: tuple[FloatArray, FloatArray] | None = None
        self._queries: dict[tuple[str, str], FloatArray] = {}
        self._galleries: dict[str, EmbeddedGallery] = {}

    def trained_on(self, monitor: Monitor) -> tuple[FloatArray, FloatArray]:
        """Give the embeddings of the training clips, (N, T, D), and shop pictures, (P, D)."""
        if self._trained is None:
            trajectories = self._features("clips", self.training_set.clips, monitor)
            trajectories = self._drifted(trajectories, 0, monitor)
            pictures = embed_pictures_of(self.base, self.training_set.pictures, Domain.SHOP)
            self._trained = trajectories, pictures
        return self._trained

    def search(
        self,
        compare: Compare,
        dataset: ClipDataset,
        split: str,
        progress: Progress | None,
        *,
        category: str | None = None,
        narrowed: bool = False,
    ) -> SearchedQueries:
        """Search the gallery with the clips of a split.

        Args:
            compare: What is searched by.
            dataset: What is searched, and with what.
            split: Of the clips.
            progress: Called after each clip.
            category: Whose clips alone are searched with; None for all.
            narrowed: Whether each clip is compared with the products of its own category alone,
                see `search_within_categories`.

        Raises:
            DatasetError: If no clip is of the category, a picture or video cannot be read, or a
                clip cannot be searched for within its category.
        """
        start = perf_counter()
        tell = progress or (lambda step, done, total: None)  # noqa: ARG005
        gallery, clips = dataset.products(), clips_of(dataset, split)
        if dataset.name not in self._galleries:
            embedded = embed_gallery(self.base, gallery, dataset.root, 32, tell, None)
            self._galleries[dataset.name] = embedded
        shown = self._galleries[dataset.name]
        if (dataset.name, split) not in self._queries:
            steps = self._features("queries", clips, _Told(tell))
            self._queries[dataset.name, split] = self._drifted(steps, 1, _Told(tell))
        steps, queries = self._queries[dataset.name, split], clip_queries(dataset, clips)
        if category is not None:
            own = [number for number, query in enumerate(queries) if query.category == category]
            if not own:
                raise DatasetError(
                    f"no clip of the split {split} of {dataset.name} is of the category "
                    f"{category!r}, expected at least one: name other rows with --rows"
                )
            steps, queries = steps[own], [queries[number] for number in own]
        if narrowed:
            found = search_within_categories(
                lambda some, images: compare(steps[some], shown.rows[images]),
                shown.products,
                queries,
                gallery,
            )
        else:
            right = right_products(queries, gallery)
            ranks = similarity_ranks(compare(steps, shown.rows), shown.products, right)
            found = SearchedQueries(queries, ranks, gallery, {})
        return replace(found, seconds={"ranking": perf_counter() - start})

    def _drifted(self, trajectories: FloatArray, side: int, monitor: Monitor) -> FloatArray:
        """Let trajectories drift; those of either side, 0 or 1, to every second clip."""
        if self.drift is None:
            return trajectories
        clips = self.drift.to.clips("test")
        many = min(ELSEWHERE, len(clips))
        if many < 2:
            raise DatasetError(
                f"{self.drift.to.name} has {many} test clips, expected at least 2 to drift to: "
                "some for what is trained on, others for what is searched with"
            )
        chosen = [clips[number * len(clips) // many] for number in range(side, many, 2)]
        others = self._features("elsewhere", chosen, monitor)
        return drifted_steps(trajectories, others, self.drift.share, seed=side)


@dataclass(frozen=True, slots=True, eq=False)
class TrajectoryMatcher:
    """A row of a table: a bench, and how its trajectories and pictures are compared.

    Attributes:
        name: Of the row.
        bench: Of its features.
        compare: Of embeddings.
        category: Whose clips alone are searched with; None for all.
        narrowed: Whether each clip is compared with the products of its own category alone.
    """

    name: str
    bench: AsymNetBench
    compare: Compare
    category: str | None = None
    narrowed: bool = False

    def evaluate_by_products(
        self, dataset: Dataset | ClipDataset, *, split: str, progress: Progress | None = None
    ) -> dict[ProductChoice, Evaluation]:
        """Measure on all, seen and unseen products, as `evaluate_by_products` does of systems.

        Raises:
            DatasetError: If the data set is not one of clips, or as `AsymNetBench.search`.
        """
        if not isinstance(dataset, ClipDataset):
            raise DatasetError(f"{dataset.name} has photos, expected clips, as clips:NAME:DIR")
        searched = self.bench.search(
            self.compare,
            dataset,
            split,
            progress,
            category=self.category,
            narrowed=self.narrowed,
        )
        return by_products(self.name, dataset, split, searched)


class _Told(Monitor):
    """Tells progress of an evaluation."""

    def __init__(self, tell: Progress) -> None:
        self._tell = tell

    def step(self, name: str, done: int, total: int) -> None:
        self._tell(name, done, total)
