"""Scenes: a cut-out item among other things, held by a hand, partly hidden."""

import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.background import Backgrounds
from snapshelf.training.augmentation.hands import draw_hand
from snapshelf.training.augmentation.layers import Layer, Placed, paint
from snapshelf.training.augmentation.light import drop_shadow, side_light
from snapshelf.training.augmentation.neighbours import heap, row
from snapshelf.training.augmentation.occlusion import cover_with_piece, drawn_piece, price_rail
from snapshelf.training.augmentation.posing import HIDEABLE, Pose, draw_pose
from snapshelf.training.augmentation.settings import DomainShift
from snapshelf.training.augmentation.warps import resample

__all__ = ["draw_scene"]

RAILS = 0.25
"""How often a rail rather than another item hides a part."""


def draw_scene(
    item: Layer,
    size: tuple[int, int],
    rng: np.random.Generator,
    settings: DomainShift,
    backgrounds: Backgrounds,
) -> RGB:
    """Put an item onto a background, from what is farthest away to what is nearest.

    Args:
        item: (h, w, 4) uint8, premultiplied.
        size: (H, W) in pixels.
        rng: Draws everything.
        settings: How often what happens.
        backgrounds: What stands around the item.

    Returns:
        (H, W, 3) uint8, RGB, [0, 255].
    """
    view = backgrounds.draw(size, rng, procedural=settings.procedural)
    pose = draw_pose(item, size, rng, settings)
    box = pose.box
    if rng.random() < settings.neighbours:
        view = _among(view, item, pose, rng, settings, backgrounds)
    placed = resample(item, pose.corners, size, bend=pose.bend)
    strength = settings.shading.draw(rng)
    if strength > 0 and placed.layer.size:
        placed = placed._replace(layer=side_light(placed.layer, rng, strength))
    strength = settings.drop_shadow.draw(rng)
    if strength > 0 and placed.layer.size:
        view = drop_shadow(view, placed, rng, strength)

    hideable = max(box[2] - box[0], box[3] - box[1]) >= HIDEABLE * min(size)
    strength = settings.hand.draw(rng)
    if strength > 0 and hideable:
        hand = draw_hand(size, box, rng, strength)
        paint(view, Placed(hand.behind, 0, 0))
        paint(view, placed)
        paint(view, Placed(hand.before, 0, 0))
    else:
        paint(view, placed)
    strength = settings.occluder.draw(rng)
    if strength > 0 and hideable:
        if rng.random() < RAILS:
            view = price_rail(view, box, rng, strength)
        else:
            view = cover_with_piece(view, box, _other(backgrounds, rng), rng, strength)
    return view


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
    layers = [_other(backgrounds, rng) for _ in range(2)] if mixed else [item]
    if rng.random() < 0.5:
        return heap(view, pose.box, layers, rng)
    return row(view, pose.box, layers, rng, degrees=pose.degrees)


def _other(backgrounds: Backgrounds, rng: np.random.Generator) -> Layer:
    if not backgrounds.items:
        return drawn_piece(rng)
    return backgrounds.items[int(rng.integers(len(backgrounds.items)))]
