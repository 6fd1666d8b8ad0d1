"""The data sets of clips by name, for ``NAME:DIR``."""

from collections.abc import Callable
from pathlib import Path

from snapshelf.datasets.clips.clip_dataset import ClipDataset, ClipTrainingData
from snapshelf.datasets.clips.rendered import RenderedClipData
from snapshelf.datasets.clips.rendered_clips import Filming
from snapshelf.datasets.clips.video_reader import VideoReader
from snapshelf.datasets.clips.video_reader import read_video as every_frame
from snapshelf.datasets.registry import open_dataset
from snapshelf.errors import DatasetError

__all__ = [
    "RENDERED",
    "VIDEO_DATASETS",
    "is_of_clips",
    "open_clip_dataset",
    "open_clip_training_data",
]

RENDERED = "clips"
"""``clips:NAME:DIR`` renders clips of the photos of the data set ``NAME:DIR``."""


def _clip_pairs(root: Path, read: VideoReader) -> ClipDataset:
    from snapshelf.datasets.clips.clip_pairs import ClipPairs

    return ClipPairs(root, read)


def _moving_fashion(root: Path, read: VideoReader) -> ClipDataset:
    from snapshelf.datasets.clips.moving_fashion import MovingFashion

    return MovingFashion(root, read)


VIDEO_DATASETS: dict[str, Callable[[Path, VideoReader], ClipDataset]] = {
    "clip-pairs": _clip_pairs,
    "moving-fashion": _moving_fashion,
}
"""Opens the data set of videos of each name in a folder."""


def is_of_clips(place: str) -> bool:
    """Whether a data set's place names one of clips."""
    return place.partition(":")[0] in (RENDERED, *VIDEO_DATASETS)


def open_clip_dataset(
    place: str, filming: Filming | None = None, read_video: VideoReader = every_frame
) -> ClipDataset:
    """Open a data set of clips to search with.

    Args:
        place: ``clips:NAME:DIR`` for clips rendered from the photos of a data set, see
            `open_dataset`, or ``NAME:DIR`` for a data set of videos.
        filming: How clips are rendered; None for the default.
        read_video: Reads the videos of the others; every frame by default.

    Raises:
        DatasetError: If `place` is none of these, there is no data set of that name, or the folder
            is missing or not in the data set's published layout.
    """
    name, colon, rest = place.partition(":")
    if not name or not colon or not rest:
        raise DatasetError(f"expected {_choices()}, got {place!r}")
    if name == RENDERED:
        return RenderedClipData(open_dataset(rest), filming)
    if name not in VIDEO_DATASETS:
        raise DatasetError(f"there is no data set of clips named {name!r}: expected {_choices()}")
    root = Path(rest).expanduser()
    if not root.is_dir():
        raise DatasetError(f"{root} is no folder: give the folder that {name} was downloaded to")
    return VIDEO_DATASETS[name](root, read_video)


def open_clip_training_data(
    place: str, filming: Filming | None = None, read_video: VideoReader = every_frame
) -> ClipTrainingData:
    """Open a data set of clips to train on.

    Args:
        place: As `open_clip_dataset` takes it, as the others.
        filming: Likewise.
        read_video: Likewise.

    Raises:
        DatasetError: As `open_clip_dataset`, or if the data set has no training clips.
    """
    dataset = open_clip_dataset(place, filming, read_video)
    if not isinstance(dataset, ClipTrainingData):
        raise DatasetError(f"the data set {dataset.name} has no training clips: take another one")
    return dataset


def _choices() -> str:
    places = ", ".join(f"{name}:DIR" for name in sorted(VIDEO_DATASETS))
    return f"{RENDERED}:NAME:DIR with a data set of photos, or one of {places}"
