"""Rendering a clip from photos of a product, frame by frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.camera import (
    View,
    frame_box,
    inner_box,
    project,
    view_corners,
    view_reach,
)
from snapshelf.datasets.clips.clip import ClipFrame
from snapshelf.datasets.clips.plan import ClipPlan, Shot, settled
from snapshelf.datasets.clips.render_settings import RenderSettings
from snapshelf.datasets.training_item import PicturePart
from snapshelf.errors import DatasetError
from snapshelf.locating.boxes import as_boxes, clip_boxes
from snapshelf.locating.region import Box
from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.blur import blur_along
from snapshelf.training.augmentation.compression import jpeg
from snapshelf.training.augmentation.layers import colours, opaque
from snapshelf.training.augmentation.light import retone
from snapshelf.training.augmentation.warps import resample

__all__ = ["ReadPhoto", "render_clip"]

ReadPhoto = Callable[[Path], RGB]
"""Gives a photo by its file; raises `DatasetError` if it cannot be read."""

MARGIN = 4
"""Pixels kept around what is shown of a photo, for interpolation."""


def render_clip(
    photos: Sequence[PicturePart],
    number: int,
    rng: np.random.Generator,
    settings: RenderSettings,
    read: ReadPhoto,
) -> Iterator[ClipFrame]:
    """Film photos of a product as if they were what stands before a camera.

    Args:
        photos: At least one, each with the part of it that shows the product.
        number: Of the clip: it begins with the photo of that number, counted round.
        rng: Draws everything, see `clip_generator`.
        settings: What the clip is like.
        read: Gives a photo.

    Yields:
        `settings.frames` frames, the first at time 0. A photo is read when its first frame is
        asked for, and let go with its last one. The product's box is that of the photo's part as
        the frame shows it, whatever passes in front; of a photo without one it is what the frame
        shows of the photo.

    Raises:
        ValueError: If there is no photo.
        DatasetError: As `read`, or if a photo's box does not lie in it.
    """
    if not photos:
        raise ValueError("photos must hold at least one, got none")
    plan = ClipPlan.draw(len(photos), number, rng, settings)
    for shot in plan.shots:
        path, box = photos[shot.photo]
        photo = read(path)
        yield from _frames(photo, _within(path, photo, box), shot, plan, rng, settings)


def _frames(
    photo: RGB,
    box: Box | None,
    shot: Shot,
    plan: ClipPlan,
    rng: np.random.Generator,
    settings: RenderSettings,
) -> Iterator[ClipFrame]:
    """Render one shot."""
    size, step = settings.size, 1 / settings.rate
    height, width = photo.shape[:2]
    moments = np.arange(shot.last - shot.first) * step
    # Where the camera was when the shutter opened, and where it is when it closes.
    shutter = np.array([-0.5, 0.0, 0.5]) * shot.shutter * step
    each = (moments[:, None] + shutter).ravel()
    views = shot.path.views(each, (height, width), box, settings)
    part = _Part.of(photo, views, size)
    whole = (0.0, 0.0, float(width), float(height))
    hunting = plan.exposure.at(moments + shot.first * step)[:, 0] * plan.hunting
    for place, moment in enumerate(moments.tolist()):
        before, now, after = views[3 * place : 3 * place + 3]
        time = (shot.first + place) * step
        picture = part.shown(now, size)
        for passing in plan.passing:
            passing.pass_by(picture, time)
        item = box or whole
        # Of a photo that is shown in part, the same point before and after.
        point = _middle(item, now, size)
        moved = np.subtract(*(project(point, view, size)[0] for view in (after, before)))
        picture = np.asarray(blur_along(picture, moved[0], moved[1]), np.uint8)
        gain = shot.tone.gain + hunting[place] + settled(shot.unsettled, moment)
        picture = retone(picture, shot.tone._replace(gain=gain))
        picture = jpeg(picture, rng, plan.compression)
        yield ClipFrame(picture, time, frame_box(item, now, size))


def _middle(box: Box, view: View, size: tuple[int, int]) -> NDArray[np.float64]:
    """Give the middle of what is in view of an item: (1, 2) float64, in pixels of the photo."""
    x0, y0, x1, y1 = inner_box(box, view_reach(view, size))
    return np.array([[x0 + x1, y0 + y1]]) / 2


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What a shot shows of a photo.

    Attributes:
        layer: (h, w, 4) uint8.
        left: In pixels of the photo, as the others.
        top: The place of the first pixel.
        scale: How many pixels of the layer a pixel of the photo has, along x and y.
    """

    layer: NDArray[np.uint8]
    left: int
    top: int
    scale: tuple[float, float]

    @classmethod
    def of(cls, photo: RGB, views: Sequence[View], size: tuple[int, int]) -> Self:
        """Cut it out, and shrink it to what the nearest view needs."""
        height, width = photo.shape[:2]
        reaches = np.array([view_reach(view, size) for view in views])
        low, high = reaches[:, :2].min(axis=0) - MARGIN, reaches[:, 2:].max(axis=0) + MARGIN
        left, top = (int(value) for value in np.clip(low, 0, (width - 1, height - 1)))
        right, bottom = (int(side) for side in np.clip(high, (left + 1, top + 1), (width, height)))
        layer = opaque(np.ascontiguousarray(photo[top:bottom, left:right]))
        # At twice the frame's own detail nothing is lost, and every frame is resampled from less.
        most = 2 * min(size) / min(view.side for view in views)
        if most < 1:
            shrunk = [max(1, round(side * most)) for side in (right - left, bottom - top)]
            layer = np.asarray(cv2.resize(layer, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
        scale = layer.shape[1] / (right - left), layer.shape[0] / (bottom - top)
        return cls(layer, left, top, scale)

    def shown(self, view: View, size: tuple[int, int]) -> RGB:
        """Give what a frame shows of it."""
        height, width = self.layer.shape[:2]
        x, y = self.scale
        x0, y0, x1, y1 = view_reach(view, size)
        # Only what is before the camera has corners that can be seen.
        left = min(max(floor((x0 - self.left) * x) - MARGIN, 0), width - 1)
        top = min(max(floor((y0 - self.top) * y) - MARGIN, 0), height - 1)
        right = min(max(ceil((x1 - self.left) * x) + MARGIN, left + 1), width)
        bottom = min(max(ceil((y1 - self.top) * y) + MARGIN, top + 1), height)
        box = (
            self.left + left / x,
            self.top + top / y,
            self.left + right / x,
            self.top + bottom / y,
        )
        placed = resample(
            np.ascontiguousarray(self.layer[top:bottom, left:right]),
            view_corners(box, view, size),
            size,
            border=cv2.BORDER_REFLECT_101,
            whole=True,
        )
        return colours(placed.layer)


def _within(path: Path, photo: RGB, box: Box | None) -> Box | None:
    """Cut an item's box off at its photo's border."""
    if box is None:
        return None
    x0, y0, x1, y1 = clip_boxes(as_boxes([box]), photo.shape)[0].tolist()
    if x1 - x0 < 1 or y1 - y0 < 1:
        raise DatasetError(
            f"{path}: the item's box {box} does not lie in the photo of {photo.shape[1]} x "
            f"{photo.shape[0]} pixels; get the whole data set again"
        )
    return x0, y0, x1, y1
