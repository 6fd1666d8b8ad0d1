"""A contact sheet: what the augmentation makes of pictures, to be looked at."""

from collections.abc import Sequence

import numpy as np

from snapshelf.features.preprocessing import Preprocessing, prepare
from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.background import Backgrounds
from snapshelf.training.augmentation.domain_shift import shop_view, street_view
from snapshelf.training.augmentation.settings import DomainShift
from snapshelf.training.augmentation.source import Source

__all__ = ["contact_sheet", "shop_views"]

GAP = 2
PAPER = 96


def shop_views(views: int) -> int:
    """Give how many shop views stand beside so many street views: half as many, rounded up."""
    return (views + 1) // 2


def contact_sheet(
    sources: Sequence[Source],
    *,
    views: int,
    size: int,
    seed: int,
    settings: DomainShift,
    backgrounds: Backgrounds,
) -> RGB:
    """Draw a row for each picture: itself, its matte, street views, half as many shop views.

    A row depends on its place and the seed, not on the other rows.

    Args:
        sources: The pictures, at least one; a matte that is None is shown as all of the picture.
        views: Street views of each, at least 1.
        size: Side of a view in pixels, at least 1.
        seed: Another seed draws other views.
        settings: How far the views depart from the pictures.
        backgrounds: What stands around the items.

    Returns:
        (rows x (size + 2) - 2, columns x (size + 2) - 2, 3) uint8, RGB, [0, 255].

    Raises:
        ValueError: If there is no picture, or `views` or `size` is below 1.
    """
    if not sources:
        raise ValueError("sources must hold at least one picture, got none")
    if views < 1 or size < 1:
        raise ValueError(f"views and size must be at least 1, got views={views}, size={size}")
    spec = Preprocessing(
        size=(size, size), mean=(0, 0, 0), std=(1, 1, 1), background=(PAPER, PAPER, PAPER)
    )
    rows = []
    for number, source in enumerate(sources):
        rng = np.random.default_rng([seed, number])
        street = [
            street_view(source, size=spec.size, rng=rng, settings=settings, backgrounds=backgrounds)
            for _ in range(views)
        ]
        shop = [
            shop_view(source, size=spec.size, rng=rng, settings=settings)
            for _ in range(shop_views(views))
        ]
        shown = [prepare(picture, spec) for picture in (source.picture, _shown_matte(source))]
        rows.append([*shown, *street, *shop])

    pitch = size + GAP
    sheet = np.full((len(rows) * pitch - GAP, len(rows[0]) * pitch - GAP, 3), PAPER, np.uint8)
    for y, cells in enumerate(rows):
        for x, cell in enumerate(cells):
            sheet[y * pitch : y * pitch + size, x * pitch : x * pitch + size] = cell
    return sheet


def _shown_matte(source: Source) -> RGB:
    if source.matte is None:
        return np.full_like(source.picture, 255)
    grey = np.rint(source.matte * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
