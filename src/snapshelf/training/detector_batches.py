"""Batches of boxed photos for a detector."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.boxed_photo import BoxedPhoto
from snapshelf.features.torch_extra import torch_extra
from snapshelf.locating.boxes import clip_boxes, scale_boxes
from snapshelf.locating.detector import detector_input
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.training.resumable_batches import ResumableBatches

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["DetectorBatch", "DetectorBatches"]

DetectorBatch = tuple[list[Tensor], list[dict[str, Tensor]]]
"""Pictures, (3, h, w) float32 in [0, 1] each, and of each its ``boxes``, (N, 4) float32, and
``labels``, (N,) int64, from 1; as torchvision's detectors take them."""


class DetectorBatches(ResumableBatches[DetectorBatch]):
    """The batches of each epoch, each photo once; the last one may be smaller.

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
        super().__init__(seed)
        self._photos = photos
        self._settings = settings
        self._batch = batch
        self._mirrored = mirrored

    def __len__(self) -> int:
        return -(-len(self._photos) // self._batch)

    def _draw(self, number: int) -> DetectorBatch:
        # Drawn anew for each batch, which costs nothing beside reading the photos.
        rng = np.random.default_rng((self._seed, self._epoch))
        order = rng.permutation(len(self._photos))
        turned = rng.random(len(order)) < (0.5 if self._mirrored else 0)
        chosen = order[number * self._batch : (number + 1) * self._batch]
        samples = [self._sample(self._photos[place], turned[place]) for place in chosen]
        return [picture for picture, _ in samples], [target for _, target in samples]

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
