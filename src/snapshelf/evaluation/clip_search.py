"""Search a data set's gallery with clips: a clip is one query, however many frames it has."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.clip import Clip
from snapshelf.datasets.clips.clip_dataset import ClipDataset
from snapshelf.datasets.clips.spread_frames import shown_steps
from snapshelf.datasets.dataset import Query
from snapshelf.errors import DatasetError
from snapshelf.evaluation.gallery_reranking import GalleryReranking
from snapshelf.evaluation.query_search import search_with
from snapshelf.evaluation.searched_queries import Progress, SearchedQueries
from snapshelf.features.encoder import Domain
from snapshelf.matching.reranker import Reranker
from snapshelf.matching.trajectory_reranker import TrajectoryReranker
from snapshelf.media.picture import RGB
from snapshelf.systems.system import System

__all__ = ["FRAMES", "clip_queries", "clips_of", "mean_embedding", "search_clips"]

FRAMES = 32
"""Frames of a clip that are looked at, at most, spread evenly."""


def search_clips(
    system: System,
    dataset: ClipDataset,
    clips: Sequence[Clip],
    batch_size: int,
    progress: Progress | None,
    *,
    frames: int = FRAMES,
) -> SearchedQueries:
    """Embed the gallery and the clips, and rank; with the system's re-ranker, if it has one.

    A clip is searched with the mean of its frames' embeddings. A `TrajectoryReranker` then compares
    it step by step; any other re-ranker compares the frame that is most like the mean.

    Args:
        system: What finds. Where the clip says where its item is, the locator is not asked.
        dataset: Gives the gallery.
        clips: What to find.
        batch_size: Most pictures embedded at once, at least 1.
        progress: Called after each picture of the gallery and each clip.
        frames: Of a clip that are looked at, at most, at least 1.

    Returns:
        As `search_with` gives it; the queries' pictures are the names of the clips.

    Raises:
        DatasetError: If a picture or video cannot be read, or a right product is not in the gallery
            or has no image.
    """

    def embed(
        tell: Progress, reranking: GalleryReranking | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        rows = []
        for done, clip in enumerate(clips, 1):
            pictures = shown_steps(clip, frames, repeat=False)
            embeddings = np.concatenate(list(_embedded(system, pictures, batch_size)))
            mean = mean_embedding(embeddings)
            rows.append(mean)
            if reranking is not None and system.reranker is not None:
                described = _described(system.reranker, pictures, embeddings @ mean)
                reranking.keep(Domain.STREET, [described])
            tell("queries", done, len(clips))
        return np.stack(rows), np.arange(len(clips))

    return search_with(
        embed,
        clip_queries(dataset, clips),
        system,
        dataset.products(),
        dataset.root,
        batch_size,
        progress,
    )


def clip_queries(dataset: ClipDataset, clips: Sequence[Clip]) -> list[Query]:
    """Give clips as queries, whose pictures are their names in the data set's folder."""
    return [Query(dataset.root / clip.id, clip.products, clip.category) for clip in clips]


def mean_embedding(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give the mean of embeddings at unit length, as a clip is searched with.

    Args:
        embeddings: (N, D) float32, N >= 1.

    Returns:
        (D,) float32; the first one where their mean is 0.
    """
    mean = embeddings.mean(0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    found: NDArray[np.float32] = (mean / length).astype(np.float32) if length else embeddings[0]
    return found


def _embedded(
    system: System, pictures: Sequence[RGB], batch_size: int
) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(pictures), batch_size):
        batch = pictures[start : start + batch_size]
        inputs = np.stack([system.encoder.prepare(each, Domain.STREET) for each in batch])
        yield system.encoder.encode(inputs, Domain.STREET)


def _described(reranker: Reranker, pictures: Sequence[RGB], likeness: NDArray[np.float32]) -> bytes:
    if isinstance(reranker, TrajectoryReranker):
        return reranker.describe_trajectory(pictures)
    return reranker.describe(pictures[int(likeness.argmax())], Domain.STREET)


def clips_of(dataset: ClipDataset, split: str) -> Sequence[Clip]:
    """Give the clips of a split; there must be one.

    Raises:
        DatasetError: If there is no such split, or no clip in it.
    """
    if split not in dataset.splits:
        raise DatasetError(
            f"the data set {dataset.name} has no split {split!r}, "
            f"choose one of {', '.join(dataset.splits)}"
        )
    clips = dataset.clips(split)
    if not clips:
        raise DatasetError(f"the split {split} of the data set {dataset.name} has no clip")
    return clips
