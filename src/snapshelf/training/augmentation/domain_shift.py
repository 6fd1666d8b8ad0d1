"""Domain shift: street views of a shop picture, shop views of a photo, and more of each.

Every view is drawn from the generator it is given and from nothing else: the same seed gives
the same bytes. OpenCV's own threads only get in the way where worker processes make views; call
``cv2.setNumThreads(0)`` at the start of each.
"""

from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.background import Backgrounds
from snapshelf.training.augmentation.blur import focus_blur, motion_blur
from snapshelf.training.augmentation.compression import jpeg
from snapshelf.training.augmentation.hands import draw_hand
from snapshelf.training.augmentation.layers import Layer, Placed, colours, opaque, paint
from snapshelf.training.augmentation.light import cast_shadow, drop_shadow, exposure, side_light
from snapshelf.training.augmentation.matting import alpha_matte
from snapshelf.training.augmentation.neighbours import heap, row
from snapshelf.training.augmentation.occlusion import Box, cover_with_piece, drawn_piece, price_rail
from snapshelf.training.augmentation.reflections import glass, shelf_glare, streaks
from snapshelf.training.augmentation.settings import DomainShift
from snapshelf.training.augmentation.source import (
    Source,
    can_be_cut_out,
    cut_out,
    shows_plain_background,
)
from snapshelf.training.augmentation.warps import CONTROLS, corners_of, resample

__all__ = ["shop_view", "street_view"]

Points = NDArray[np.float64]

MOST_TURNED = 40.0
SHOP_TURNED = 8.0
PHOTO_TURNED = 10.0
CORNER_SHIFT = 1 / 8
BEND = 0.05
CUT_OFF = 0.3
HIDEABLE = 0.4
SHOP_LIGHT = 1 / 3
CALM_AREA = 0.8
STRETCH = 1.15
WHITE = 255


class Pose(NamedTuple):
    """Where an item lies in a view.

    Attributes:
        corners: (4, 2) float64, as `resample` takes them.
        bend: (3, 3, 2) float64, or None.
        degrees: How the item is turned, clockwise.
    """

    corners: Points
    bend: Points | None
    degrees: float

    @property
    def box(self) -> Box:
        """The item's box in pixels."""
        low, high = self.corners.min(axis=0), self.corners.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def street_view(
    source: Source,
    *,
    size: tuple[int, int],
    rng: np.random.Generator,
    settings: DomainShift = DomainShift(),  # noqa: B008
    backgrounds: Backgrounds = Backgrounds(),  # noqa: B008
) -> RGB:
    """Make a view of an item as a photo taken in a street, a shop or at home would show it.

    A shop picture, or any with a matte that leaves a plain background, is cut out, warped, put
    onto clutter, lit, shadowed, partly hidden, blurred and compressed. A photo keeps its own
    background: a part of it is shown, turned and lit anew. So is a shop picture whose item
    cannot be told from its background.

    Args:
        source: The picture. The matte of a shop picture is worked out if it is None, which
            takes ten times as long as the view: give it.
        size: (H, W) of the view in pixels.
        rng: Draws everything.
        settings: How far the view departs from the source.
        backgrounds: What stands around the item.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].

    Raises:
        ValueError: If a side of `size` is below 1.
    """
    _check_size(size)
    if source.domain is Domain.SHOP and source.matte is None:
        source = replace(source, matte=alpha_matte(source.picture))
    if _is_cut(source):
        view = _scene(cut_out(source), size, rng, settings, backgrounds)
    else:
        view = _photo(source.picture, size, rng, settings, settings.photo_area)
    return _seen(view, rng, settings, backgrounds)


def shop_view(
    source: Source,
    *,
    size: tuple[int, int],
    rng: np.random.Generator,
    settings: DomainShift = DomainShift(),  # noqa: B008
) -> RGB:
    """Make a view of an item as a shop shows it: whole, upright, on white.

    A shop picture is padded to the view's shape with white, a little moved, scaled, turned and
    lit. A photo is cropped a little; or, if its matte tells the item from the background, the
    item alone is put onto white with the probability `cut_photos`.

    Args:
        source: The picture.
        size: (H, W) of the view in pixels.
        rng: Draws everything.
        settings: How far the view departs from the source.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].

    Raises:
        ValueError: If a side of `size` is below 1.
    """
    _check_size(size)
    if rng.random() < settings.cut_photos and can_be_cut_out(source) and _is_photo(source):
        layer = _shown(cut_out(source), size, rng, settings, value=0)
        view = np.full((*size, 3), WHITE, np.uint8)
        paint(view, Placed(layer, 0, 0))
    elif source.domain is Domain.STREET:
        lowest, highest = settings.photo_area
        area = (max(CALM_AREA, lowest), max(CALM_AREA, highest))
        view = _photo(source.picture, size, rng, settings, area)
    else:
        view = colours(_shown(opaque(source.picture), size, rng, settings, value=WHITE))
    return exposure(view, rng, settings.shop_exposure.draw(rng) * SHOP_LIGHT)


def _is_photo(source: Source) -> bool:
    return source.domain is Domain.STREET or not shows_plain_background(source)


def _check_size(size: tuple[int, int]) -> None:
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"size must be (height, width), each at least 1, got {size}")


def _is_cut(source: Source) -> bool:
    if source.domain is Domain.SHOP:
        return can_be_cut_out(source)
    return shows_plain_background(source)


def _scene(
    item: Layer,
    size: tuple[int, int],
    rng: np.random.Generator,
    settings: DomainShift,
    backgrounds: Backgrounds,
) -> RGB:
    """Put a cut-out item among other things."""
    view = backgrounds.draw(size, rng, procedural=settings.procedural)
    pose = _pose(item, size, rng, settings)
    if settings.neighbours.draw(rng) > 0:
        view = _among(view, item, pose, rng, settings, backgrounds)
    placed = resample(item, pose.corners, size, bend=pose.bend)
    if placed.layer.size:
        strength = settings.shading.draw(rng)
        placed = placed._replace(layer=side_light(placed.layer, rng, strength))
        view = drop_shadow(view, placed, rng, settings.drop_shadow.draw(rng))
    box = pose.box
    # What is small already loses too much behind anything.
    large = max(box[2] - box[0], box[3] - box[1]) >= HIDEABLE * min(size)
    strength = settings.hand.draw(rng)
    if strength > 0 and large:
        hand = draw_hand(size, box, rng, strength)
        for layer in (hand.behind, placed.layer, hand.before):
            at = (placed.top, placed.left) if layer is placed.layer else (0, 0)
            paint(view, placed._replace(layer=layer, top=at[0], left=at[1]))
    else:
        paint(view, placed)
    strength = settings.occluder.draw(rng)
    if strength > 0 and large:
        if rng.random() < 0.25:
            view = price_rail(view, box, rng, strength)
        else:
            view = cover_with_piece(view, box, _other(backgrounds, rng), rng, strength)
    return view


def _pose(
    item: Layer, size: tuple[int, int], rng: np.random.Generator, settings: DomainShift
) -> Pose:
    """Draw where an item lies, inside the view unless it is cut off."""
    lowest, highest = settings.scale
    scale = np.sqrt(rng.uniform(lowest**2, highest**2))
    height, width = item.shape[:2]
    fit = scale * min(size[0] / height, size[1] / width)
    degrees = settings.rotation.draw(rng) * MOST_TURNED * rng.choice((-1, 1))
    corners = corners_of((0, 0), (width * fit, height * fit), degrees)
    corners += _shifts(settings.perspective.draw(rng), corners, rng)
    corners = _mirrored(corners, rng, settings)
    # Turned, it may be too large for the view.
    low, high = corners.min(axis=0), corners.max(axis=0)
    room = np.array([size[1], size[0]], np.float64)
    corners *= min(1.0, float((room / (high - low)).min()))
    low, high = corners.min(axis=0), corners.max(axis=0)
    corners += rng.uniform(0, 1, 2) * (room - (high - low)) - low
    cut = settings.cut_off.draw(rng) * CUT_OFF
    if cut > 0:
        axis, far = int(rng.integers(2)), bool(rng.integers(2))
        low, high = corners.min(axis=0)[axis], corners.max(axis=0)[axis]
        hidden = cut * (high - low)
        corners[:, axis] += room[axis] - high + hidden if far else -low - hidden
    strength = settings.bend.draw(rng)
    bend = rng.normal(0, BEND * strength, (CONTROLS, CONTROLS, 2)) if strength > 0 else None
    return Pose(corners, bend, float(degrees))


def _shifts(strength: float, corners: Points, rng: np.random.Generator) -> Points:
    """Draw how the corners move apart for a perspective."""
    sides = np.linalg.norm(corners[1] - corners[0]), np.linalg.norm(corners[3] - corners[0])
    result: Points = rng.uniform(-1, 1, (4, 2)) * strength * CORNER_SHIFT * np.array(sides)
    return result


def _mirrored(corners: Points, rng: np.random.Generator, settings: DomainShift) -> Points:
    return corners[[1, 0, 3, 2]] if rng.random() < settings.flip else corners


def _among(
    view: RGB,
    item: Layer,
    pose: Pose,
    rng: np.random.Generator,
    settings: DomainShift,
    backgrounds: Backgrounds,
) -> RGB:
    """Put neighbours around the place of the item."""
    mixed = backgrounds.items and rng.random() < settings.others
    layers = [item] if not mixed else [_other(backgrounds, rng) for _ in range(2)]
    if rng.random() < 0.5:
        return heap(view, pose.box, layers, rng)
    return row(view, pose.box, layers, rng, degrees=pose.degrees)


def _other(backgrounds: Backgrounds, rng: np.random.Generator) -> Layer:
    if not backgrounds.items:
        return drawn_piece(rng)
    return backgrounds.items[int(rng.integers(len(backgrounds.items)))]


def _photo(
    picture: RGB,
    size: tuple[int, int],
    rng: np.random.Generator,
    settings: DomainShift,
    area: tuple[float, float],
) -> RGB:
    """Show a part of a photo, turned and seen a little from the side."""
    height, width = picture.shape[:2]
    share = rng.uniform(*area)
    padded = bool(rng.random() < settings.pad_photos)
    # The shape of the part shown: the photo's own, or the view's, a little stretched.
    shape = width / height if padded else size[1] / size[0]
    if area[0] < 1:
        shape *= np.exp(rng.uniform(-1, 1) * np.log(STRETCH))
    part = np.sqrt(share * width * height * np.array([shape, 1 / shape]))
    part = np.clip(part, 1, (width, height))
    left, top = rng.uniform(0, 1, 2) * (np.array([width, height]) - part)
    room = np.array([size[1], size[0]], np.float64)
    if padded:
        right, bottom = round(left + part[0]), round(top + part[1])
        picture = np.ascontiguousarray(picture[int(top) : bottom, int(left) : right])
        scale = np.full(2, (room / part).min())
        centre = room / 2
    else:
        scale = room / part
        centre = (np.array([width, height]) / 2 - (left, top)) * scale
    sides = np.array([picture.shape[1], picture.shape[0]]) * scale
    # Preprocessing pads a query as it is: what is padded here is neither turned nor tilted.
    degrees = settings.rotation.draw(rng) * PHOTO_TURNED * rng.choice((-1, 1)) * (not padded)
    # Turned about the middle of the view, so that what is shown stays in it.
    pivot = room / 2 - centre
    corners = corners_of((0, 0), (sides[0], sides[1])) - pivot
    corners = _turned(corners, degrees) + room / 2
    corners += _shifts(settings.perspective.draw(rng) / 2 * (not padded), corners, rng)
    if rng.random() < settings.flip:
        corners = _flipped(corners, size[1])
    border = cv2.BORDER_CONSTANT if padded else cv2.BORDER_REFLECT_101
    layer = opaque(picture)
    return colours(resample(layer, corners, size, border=border, value=WHITE, whole=True).layer)


def _turned(points: Points, degrees: float) -> Points:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    result: Points = points @ turn
    return result


def _flipped(corners: Points, width: int) -> Points:
    return np.stack([width - corners[:, 0], corners[:, 1]], axis=1)


def _shown(
    layer: Layer,
    size: tuple[int, int],
    rng: np.random.Generator,
    settings: DomainShift,
    *,
    value: int,
) -> Layer:
    """Show all of a layer, about the middle of the view."""
    height, width = layer.shape[:2]
    fit = rng.uniform(*settings.shop_scale) * min(size[0] / height, size[1] / width)
    degrees = settings.shop_rotation.draw(rng) * SHOP_TURNED * rng.choice((-1, 1))
    sides = np.array([width, height]) * fit
    spare = np.maximum(np.array([size[1], size[0]]) - sides, 0)
    centre = np.array([size[1], size[0]]) / 2 + rng.uniform(-0.25, 0.25, 2) * spare
    corners = corners_of((centre[0], centre[1]), (sides[0], sides[1]), degrees)
    corners = _mirrored(corners, rng, settings)
    return resample(layer, corners, size, value=value, whole=True).layer


def _seen(
    view: RGB, rng: np.random.Generator, settings: DomainShift, backgrounds: Backgrounds
) -> RGB:
    """Light the scene and take the photo."""
    strength = settings.cast_shadow.draw(rng)
    if strength > 0:
        view = cast_shadow(view, rng, strength)
    strength = settings.side_light.draw(rng)
    if strength > 0:
        view = side_light(view, rng, strength)
    strength = settings.streaks.draw(rng)
    if strength > 0:
        view = streaks(view, rng, strength)
    strength = settings.shelf_glare.draw(rng)
    if strength > 0:
        view = shelf_glare(view, rng, strength)
    strength = settings.glass.draw(rng)
    if strength > 0:
        room = backgrounds.draw((view.shape[0], view.shape[1]), rng)
        view = glass(view, rng, strength, room=room)
    strength = settings.exposure.draw(rng)
    if strength > 0:
        view = exposure(view, rng, strength)
    for effect, change in (
        (settings.motion_blur, motion_blur),
        (settings.focus_blur, focus_blur),
        (settings.jpeg, jpeg),
    ):
        strength = effect.draw(rng)
        if strength > 0:
            view = change(view, rng, strength)
    return view
