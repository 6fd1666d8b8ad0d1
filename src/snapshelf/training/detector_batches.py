"""Batches of boxed photos for a detector."""

from collections.abc import Sequence

import numpy as np

from snapshelf.datasets.boxed_photo import BoxedPhoto
from snapshelf.features.torch_extra import torch_extra
from snapshelf.locating.boxes import clip_boxes, scale_boxes
from snapshelf.locating.detector import detector_input, detector_proposals
from snapshelf.locating.detector_settings import DetectorSettings
from snapshelf.training.resumable_batches import ResumableBatches

with torch_extra():
    import torch
    from torch import Tensor

__all__ = ["DetectorBatch", "DetectorBatches"]

Pictures = list[Tensor]
Targets = list[dict[str, Tensor]]
Proposed = list[Tensor]

DetectorBatch = tuple[Pictures, Targets] | tuple[Pictures, Targets, Proposed]
"""What a detector is called with: pictures, (3, h, w) float32 in [0, 1] each, of each its
``boxes``, (N, 4) float32, and ``labels``, (N,) int64, from 1; and for Fast R-CNN what was proposed
in each, (P, 4) float32."""

Sample = tuple[Tensor, dict[str, Tensor], Tensor | None]


class DetectorBatches(ResumableBatches[DetectorBatch]):
    """The batches of each epoch, each photo once; the last one may be smaller.

    What is proposed in a photo for Fast R-CNN is found when it is first seen, and kept: 16 bytes a
    box.

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
        self._proposals: dict[int, Tensor | None] = {}

    def __len__(self) -> int:
        return -(-len(self._photos) // self._batch)

    def _draw(self, number: int) -> DetectorBatch:
        # Drawn anew for each batch, which costs nothing beside reading the photos.
        rng = np.random.default_rng((self._seed, self._epoch))
        order = rng.permutation(len(self._photos))
        turned = rng.random(len(order)) < (0.5 if self._mirrored else 0)
        chosen = order[number * self._batch : (number + 1) * self._batch]
        samples = [self._sample(int(place), bool(turned[place])) for place in chosen]
        pictures = [picture for picture, _, _ in samples]
        targets = [target for _, target, _ in samples]
        proposed = [boxes for _, _, boxes in samples if boxes is not None]
        return (pictures, targets, proposed) if proposed else (pictures, targets)

    def _sample(self, place: int, turned: bool) -> Sample:
        photo = self._photos[place]
        pixels = photo.read()
        known = [region for region in photo.regions if region.label in self._settings.classes]
        labels = np.array(
            [1 + self._settings.classes.index(region.label) for region in known], np.int64
        )
        corners = np.array([region.box for region in known], np.float32).reshape(-1, 4)
        picture = detector_input(pixels, self._settings)
        corners = scale_boxes(clip_boxes(corners, pixels.shape), pixels.shape, picture.shape[1:])
        sound = ((corners[:, 2:] - corners[:, :2]) >= 1).all(axis=1)
        boxes, labels = torch.from_numpy(corners[sound]), labels[sound]
        if place not in self._proposals:
            self._proposals[place] = detector_proposals(pixels, self._settings)
        proposed = self._proposals[place]
        if turned:
            width = picture.shape[2]
            picture, boxes = picture.flip(2), _turned(boxes, width)
            proposed = None if proposed is None else _turned(proposed, width)
        return picture, {"boxes": boxes, "labels": torch.from_numpy(labels)}, proposed


def _turned(boxes: Tensor, width: int) -> Tensor:
    """Give boxes in the mirror image of a picture so wide."""
    x0, y0, x1, y1 = boxes.unbind(1)
    return torch.stack([width - x1, y0, width - x0, y1], dim=1)
