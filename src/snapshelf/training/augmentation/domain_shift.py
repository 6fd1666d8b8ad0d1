"""Domain shift: street views of a shop picture, shop views of a photo, and more of each.

Every view is drawn from the generator it is given and from nothing else: the same seed gives
the same bytes. OpenCV's own threads only get in the way where worker processes make views; call
``cv2.setNumThreads(0)`` at the start of each.
"""

from dataclasses import replace

import cv2
import numpy as np

from snapshelf.features.encoder import Domain
from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.background import Backgrounds
from snapshelf.training.augmentation.camera import take_photo
from snapshelf.training.augmentation.cropping import pad, padded_size, photo_part
from snapshelf.training.augmentation.layers import Layer, colours, opaque
from snapshelf.training.augmentation.light import exposure
from snapshelf.training.augmentation.matting import alpha_matte
from snapshelf.training.augmentation.posing import mirrored
from snapshelf.training.augmentation.scene import draw_scene
from snapshelf.training.augmentation.settings import DomainShift
from snapshelf.training.augmentation.source import (
    Source,
    can_be_cut_out,
    cut_out,
    shows_plain_background,
)
from snapshelf.training.augmentation.warps import corners_of, resample

__all__ = ["shop_view", "street_view"]

SHOP_TURNED = 8.0
SHOP_LIGHT = 1 / 4
CALM_AREA = 0.8


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
        scene = draw_scene(cut_out(source), size, rng, settings, backgrounds)
        return take_photo(scene, rng, settings, backgrounds)
    inner = _photo_size(source.picture, size, rng, settings)
    part = photo_part(source.picture, inner, rng, settings, area=settings.photo_area)
    return pad(take_photo(part, rng, settings, backgrounds), size)


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
    light = settings.shop_exposure.draw(rng) * SHOP_LIGHT
    if rng.random() < settings.cut_photos and can_be_cut_out(source) and _is_photo(source):
        return _on_white(_shown(cut_out(source), size, rng, settings), rng, light)
    if source.domain is Domain.STREET:
        inner = _photo_size(source.picture, size, rng, settings)
        lowest, highest = settings.photo_area
        area = (max(CALM_AREA, lowest), max(CALM_AREA, highest))
        view = photo_part(source.picture, inner, rng, settings, area=area)
        return pad(exposure(view, rng, light), size)
    return _on_white(_shown(opaque(source.picture), size, rng, settings), rng, light)


def _photo_size(
    picture: RGB, size: tuple[int, int], rng: np.random.Generator, settings: DomainShift
) -> tuple[int, int]:
    """Draw whether a photo keeps its shape, to be padded, or takes the view's."""
    return padded_size(picture, size) if rng.random() < settings.pad_photos else size


def _is_photo(source: Source) -> bool:
    return source.domain is Domain.STREET or not shows_plain_background(source)


def _check_size(size: tuple[int, int]) -> None:
    if len(size) != 2 or min(size) < 1:
        raise ValueError(f"size must be (height, width), each at least 1, got {size}")


def _is_cut(source: Source) -> bool:
    if source.domain is Domain.SHOP:
        return can_be_cut_out(source)
    return shows_plain_background(source)


def _shown(
    layer: Layer, size: tuple[int, int], rng: np.random.Generator, settings: DomainShift
) -> Layer:
    """Show all of a layer, about the middle of the view; where it is not, all is 0."""
    height, width = layer.shape[:2]
    fit = rng.uniform(*settings.shop_scale) * min(size[0] / height, size[1] / width)
    degrees = settings.shop_rotation.draw(rng) * SHOP_TURNED * rng.choice((-1, 1))
    sides = np.array([width, height]) * fit
    spare = np.maximum(np.array([size[1], size[0]]) - sides, 0)
    centre = np.array([size[1], size[0]]) / 2 + rng.uniform(-0.25, 0.25, 2) * spare
    corners = corners_of((centre[0], centre[1]), (sides[0], sides[1]), degrees)
    corners = mirrored(corners, rng, settings)
    return resample(layer, corners, size, whole=True).layer


def _on_white(layer: Layer, rng: np.random.Generator, light: float) -> RGB:
    """Put a layer onto white, and only the layer into another light.

    The white is what preprocessing adds to a picture, whatever light that was taken in.
    """
    rest = cv2.bitwise_not(cv2.extractChannel(layer, 3))
    return np.asarray(
        cv2.add(exposure(colours(layer), rng, light), cv2.merge([rest] * 3)), np.uint8
    )
