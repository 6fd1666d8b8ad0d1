"""Rendering a clip from photos of a product, frame by frame."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.camera import View, frame_box, project, view_corners
from snapshelf.datasets.clips.clip import ClipFrame
from snapshelf.datasets.clips.plan import ClipPlan, Shot, settled
from snapshelf.datasets.clips.settings import ClipSettings
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
"""Pixels of a photo kept around what a shot shows of it, for interpolation."""


def render_clip(
    photos: Sequence[PicturePart],
    number: int,
    rng: np.random.Generator,
    settings: ClipSettings,
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
        _check_box(path, photo, box)
        yield from _frames(photo, box, shot, plan, rng, settings)


def _frames(
    photo: RGB,
    box: Box | None,
    shot: Shot,
    plan: ClipPlan,
    rng: np.random.Generator,
    settings: ClipSettings,
) -> Iterator[ClipFrame]:
    """Render one shot."""
    size, step = settings.size, 1 / settings.rate
    height, width = photo.shape[:2]
    moments = np.arange(shot.last - shot.first) * step
    # Where the camera was when the shutter opened, and where it is when it closes.
    shutter = np.array([-0.5, 0.0, 0.5]) * shot.shutter * step
    each = (moments[:, None] + shutter).ravel()
    views = shot.path.views(each, (height, width), box, settings)
    layer, seen = _part(photo, views, size)
    whole = (0.0, 0.0, float(width), float(height))
    hunting = plan.exposure.at(moments + shot.first * step)[:, 0] * plan.hunting
    for place, moment in enumerate(moments.tolist()):
        before, now, after = views[3 * place : 3 * place + 3]
        time = (shot.first + place) * step
        placed = resample(
            layer, view_corners(seen, now, size), size, border=cv2.BORDER_REFLECT_101, whole=True
        )
        picture = colours(placed.layer)
        for passing in plan.passing:
            passing.pass_by(picture, time)
        item = box or whole
        moved = _middle(item, after, size) - _middle(item, before, size)
        picture = np.asarray(blur_along(picture, moved[0], moved[1]), np.uint8)
        gain = shot.tone.gain + hunting[place] + settled(shot.unsettled, moment)
        picture = retone(picture, shot.tone._replace(gain=gain))
        picture = jpeg(picture, rng, plan.compression)
        yield ClipFrame(picture, time, frame_box(item, now, size))


def _middle(box: Box, view: View, size: tuple[int, int]) -> NDArray[np.float64]:
    """Give where the middle of the part of a photo that is in view appears.

    A photo without a box may be far larger than what is shown of it; its own middle may lie
    outside, where a turn moves it more than anything that is seen.
    """
    half = view.side
    x = np.clip((box[0] + box[2]) / 2, view.x - half / 2, view.x + half / 2)
    y = np.clip((box[1] + box[3]) / 2, view.y - half / 2, view.y + half / 2)
    result: NDArray[np.float64] = project(np.array([[x, y]]), view, size)[0]
    return result


def _part(
    photo: RGB, views: Sequence[View], size: tuple[int, int]
) -> tuple[NDArray[np.uint8], Box]:
    """Cut out what a shot shows of a photo, and shrink it to what its nearest view needs.

    Returns:
        (h, w, 4) uint8, and which part of the photo it is, in pixels of the photo.
    """
    height, width = photo.shape[:2]
    corners = np.array(list(chain.from_iterable(_seen(view, size) for view in views)))
    low = np.floor(corners.min(axis=0)) - MARGIN
    high = np.ceil(corners.max(axis=0)) + MARGIN
    left, top = (int(value) for value in np.clip(low, 0, (width - 1, height - 1)))
    right, bottom = (int(value) for value in np.clip(high, (left + 1, top + 1), (width, height)))
    part = opaque(np.ascontiguousarray(photo[top:bottom, left:right]))
    # At twice the frame's own detail nothing is lost, and every frame is resampled from less.
    most = 2 * min(size) / min(view.side for view in views)
    if most < 1:
        shrunk = tuple(max(1, round(side * most)) for side in (part.shape[1], part.shape[0]))
        part = np.asarray(cv2.resize(part, shrunk, interpolation=cv2.INTER_AREA), np.uint8)
    return part, (float(left), float(top), float(right), float(bottom))


def _seen(view: View, size: tuple[int, int]) -> list[tuple[float, float]]:
    """Give the corners of a part of the photo that holds all that a view shows."""
    # A turn shows more of the photo on its far side; beyond this it is only ever the blur of it.
    reach = 0.5 * view.side / min(size) * np.hypot(*size) * 1.6
    return [(view.x - reach, view.y - reach), (view.x + reach, view.y + reach)]


def _check_box(path: Path, photo: RGB, box: Box | None) -> None:
    if box is None:
        return
    x0, y0, x1, y1 = clip_boxes(as_boxes([box]), photo.shape)[0].tolist()
    if x1 - x0 < 1 or y1 - y0 < 1:
        raise DatasetError(
            f"{path}: the item's box {box} does not lie in the photo of {photo.shape[1]} x "
            f"{photo.shape[0]} pixels; get the whole data set again"
        )
