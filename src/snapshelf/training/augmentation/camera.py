"""The camera: the light a scene stands in, reflections before it, blur and compression after."""

import numpy as np

from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.background import Backgrounds
from snapshelf.training.augmentation.blur import focus_blur, motion_blur
from snapshelf.training.augmentation.compression import jpeg
from snapshelf.training.augmentation.light import cast_shadow, exposure, side_light
from snapshelf.training.augmentation.reflections import glass, shelf_glare, streaks
from snapshelf.training.augmentation.settings import DomainShift

__all__ = ["take_photo"]


def take_photo(
    view: RGB, rng: np.random.Generator, settings: DomainShift, backgrounds: Backgrounds
) -> RGB:
    """Light a scene and take a photo of it: each effect with its own probability.

    Args:
        view: (H, W, 3) uint8, RGB, [0, 255].
        rng: Draws which effects happen, and how.
        settings: Their probabilities and strengths.
        backgrounds: What a pane of glass reflects.

    Returns:
        (H, W, 3) uint8.
    """
    for effect, change in (
        (settings.cast_shadow, cast_shadow),
        (settings.side_light, side_light),
        (settings.streaks, streaks),
        (settings.shelf_glare, shelf_glare),
    ):
        strength = effect.draw(rng)
        if strength > 0:
            view = change(view, rng, strength)
    strength = settings.glass.draw(rng)
    if strength > 0:
        room = backgrounds.draw((view.shape[0], view.shape[1]), rng)
        view = glass(view, rng, strength, room=room)
    for effect, change in (
        (settings.exposure, exposure),
        (settings.motion_blur, motion_blur),
        (settings.focus_blur, focus_blur),
        (settings.jpeg, jpeg),
    ):
        strength = effect.draw(rng)
        if strength > 0:
            view = change(view, rng, strength)
    return view
