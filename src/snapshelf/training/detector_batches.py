"""Batches of boxed photos for a detector."""

from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.boxed_photo import BoxedPhoto
from snapshelf.features.torch_extra import torch_extra
from snapshelf.locating.boxes import clip_boxes, scale_boxes
from snapshelf.locating.detector import detector_input
from snapshelf.locating.detector_settings import DetectorSettings

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["DetectorBatch", "DetectorBatches"]

DetectorBatch = tuple[list[Tensor], list[dict[str, Tensor]]]
"""Pictures, (3, h, w) float32 in [0, 1] each, and of each its ``boxes``, (N, 4) float32, and
``labels``, (N,) int64, from 1; as torchvision's detectors take them."""


class DetectorBatches:
    """The batches of each epoch, each photo once; the last one may be smaller.

    It can be saved in mid-epoch, as `fit` does: the next iteration goes on behind the last batch
    that was handed out.

    Args:
        photos: At least one. Regions of other labels than the detector's classes are left out.
        settings: Of the detector.
        batch: Photos in a batch.
        mirrored: Whether photos are seen in a mirror half of the time.
        seed: Of the order and the mirror.

    Raises:
        ValueError: If there is no photo.
    """

    def __init__(
        self,
        photos: Sequence[BoxedPhoto],
        settings: DetectorSettings,
        *,
        batch: int,
        mirrored: bool,
        seed: int,
    ) -> None:
        if not photos:
            raise ValueError("photos must be at least one, got none")
        self._photos = photos
        self._settings = settings
        self._batch = batch
        self._mirrored = mirrored
        self._seed = seed
        self._epoch = 0
        self._done = 0

    def __len__(self) -> int:
        return -(-len(self._photos) // self._batch)

    def __iter__(self) -> Iterator[DetectorBatch]:
        self._done %= len(self)
        rng = np.random.default_rng((self._seed, self._epoch))
        order = rng.permutation(len(self._photos))
        turned = rng.random(len(order)) < (0.5 if self._mirrored else 0)
        while self._done < len(self):
            first = self._done * self._batch
            chosen = order[first : first + self._batch]
            samples = [self._sample(self._photos[number], turned[number]) for number in chosen]
            self._done += 1
            yield [picture for picture, _ in samples], [target for _, target in samples]

    @property
    def sampler(self) -> Self:
        """This object, where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch the next iteration is of; Lightning calls it."""
        self._epoch = epoch

    def state_dict(self) -> dict[str, int]:
        """Say how far the epoch is; Lightning puts it into checkpoints."""
        return {"batches": self._done}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where the checkpoint was made; Lightning calls it."""
        self._done = state["batches"]

    def close(self) -> None:
        """Release nothing: photos are read in this process."""

    def _sample(self, photo: BoxedPhoto, turned: bool) -> tuple[Tensor, dict[str, Tensor]]:
        pixels = photo.read()
        known = [region for region in photo.regions if region.label in self._settings.classes]
        labels = np.array(
            [1 + self._settings.classes.index(region.label) for region in known], np.int64
        )
        boxes = np.array([region.box for region in known], np.float32).reshape(-1, 4)
        picture = detector_input(pixels, self._settings)
        boxes = scale_boxes(clip_boxes(boxes, pixels.shape), pixels.shape, picture.shape[1:])
        sound = ((boxes[:, 2:] - boxes[:, :2]) >= 1).all(axis=1)
        boxes, labels = boxes[sound], labels[sound]
        if turned:
            picture, boxes = picture.flip(2), _turned(boxes, picture.shape[2])
        target = {"boxes": torch.from_numpy(boxes), "labels": torch.from_numpy(labels)}
        return picture, target


def _turned(boxes: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Give boxes in the mirror image of a picture so wide."""
    turned = boxes.copy()
    turned[:, [0, 2]] = width - boxes[:, [2, 0]]
    return turned
