"""The item cut from its background: a matte by flooding a plain border, or else by GrabCut."""

import cv2
import numpy as np
from numpy.typing import NDArray

from snapshelf.features.classical.foreground import foreground
from snapshelf.media.picture import RGB

__all__ = ["alpha_matte", "plain_background"]

Mask = NDArray[np.uint8]
Matte = NDArray[np.float32]

LEAST, MOST = 0.03, 0.97
"""A matte that covers less or more of the picture is no cut-out."""

PLAIN_SHARE = 0.7
PLAIN_LEVELS = 14
NOISE = (3.5, 16.0)
RINGING = 7.0
SHADOW_LEVELS = 110
SHADOW_CHROMA = 9
SHADOW_SLOPE = 5
GAP = 1 / 80
UNMIXABLE = 36.0

GRABCUT_SIDE = 160
PRIOR_SIDE = 96
ROUNDS = 4
LIKELY = 0.25
MOST_PARTS = 3
FILLED = 0.4


def alpha_matte(picture: RGB) -> Matte:
    """Tell the item from its background.

    Where most of the border has one colour, the background is flooded from there: through
    pixels near that colour, and through darker ones of its hue that change slowly (soft
    shadows). White inside the item stays, also where a gap of an eightieth of the side leads
    to it; so does the background seen through a handle. Elsewhere GrabCut (Rother et al.,
    2004) is seeded with a prior of colour and place, on a small copy.

    This is the costly part of an augmentation: make a picture's matte once, and keep it.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255], of any size from 1 x 1.

    Returns:
        (H, W) float32 in [0, 1], 1 on the item; all ones where no item can be told from its
        background.
    """
    border = plain_background(picture)
    matte = _flooded(picture, border) if border is not None else _grabcut(picture)
    if not LEAST <= float(matte.mean()) <= MOST:
        return np.ones(picture.shape[:2], np.float32)
    return matte


def plain_background(picture: RGB) -> NDArray[np.float32] | None:
    """Give the colour of a picture's border if it has one.

    Args:
        picture: (H, W, 3) uint8, RGB, [0, 255].

    Returns:
        (3,) float32, RGB, [0, 255]; None where less than 70 % of the border is near one colour.
    """
    width = max(1, round(min(picture.shape[:2]) / 64))
    # The top and the sides count for more: an item often stands on the lower edge.
    ring = np.concatenate(
        [part.reshape(-1, 3) for part in (picture[:width], picture[:, :width], picture[:, -width:])]
        + [picture[-width:, ::2].reshape(-1, 3)]
    ).astype(np.float32)
    colour: NDArray[np.float32] = np.median(ring, axis=0).astype(np.float32)
    near = np.abs(ring - colour).max(axis=1) < PLAIN_LEVELS
    if near.mean() < PLAIN_SHARE:
        return None
    result: NDArray[np.float32] = np.median(ring[near], axis=0).astype(np.float32)
    return result


def _flooded(picture: RGB, border: NDArray[np.float32]) -> Matte:
    """Flood the background from the border, then unmix the pixels along the item's edge."""
    height, width = picture.shape[:2]
    smooth = cv2.GaussianBlur(picture, (3, 3), 0)
    difference = smooth.astype(np.float32) - border
    distance = np.abs(difference).max(axis=2)
    chroma = difference.max(axis=2) - difference.min(axis=2)
    rim = max(1, min(height, width) // 64)
    edge = np.concatenate([distance[:rim].ravel(), distance[:, :rim].ravel()])
    edge = edge[edge < PLAIN_LEVELS]
    noise = float(np.percentile(edge, 90)) if edge.size else 0.0
    tolerance = float(np.clip(noise + 2.5, *NOISE))
    square = np.ones((3, 3), np.uint8)
    slope = (cv2.dilate(smooth, square).astype(np.int16) - cv2.erode(smooth, square)).max(axis=2)
    darker = (difference.mean(axis=2) > -SHADOW_LEVELS) & (difference.max(axis=2) < tolerance)
    shadow = darker & (chroma < SHADOW_CHROMA) & (slope < SHADOW_SLOPE)
    candidate = ((distance < tolerance) | shadow).astype(np.uint8)
    # JPEG's ringing along an edge may be flooded, but is no way into a white item.
    ringing = ((distance < tolerance + RINGING) | shadow).astype(np.uint8)

    background = _reach(candidate, ringing, max(1, round(min(height, width) * GAP)))
    item = _without_specks(1 - background)
    return _soft_edge(picture, border, item)


def _reach(candidate: Mask, near: Mask, gap: int) -> Mask:
    """Roll a ball of that radius in from the border over the candidates.

    Gives, 0 or 1, what it covers, and what is close to that and in `near`.
    """
    height, width = candidate.shape
    # Beyond the picture all is background, so the ball can roll along the border.
    margin = 2 * gap + 1
    wide = cv2.copyMakeBorder(
        candidate, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=1
    )
    # By distances, since their cost doesn't grow with the ball.
    core = (cv2.distanceTransform(wide, cv2.DIST_L2, cv2.DIST_MASK_5) > gap).astype(np.uint8)
    core[:gap] = core[-gap:] = core[:, :gap] = core[:, -gap:] = 1
    cv2.floodFill(core, None, (0, 0), 2)
    away = cv2.distanceTransform((core != 2).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    inner = slice(margin, margin + height), slice(margin, margin + width)
    # A little farther than the ball's own edge, or scallops of background would stay.
    reached = away[inner] <= margin
    result: Mask = reached & near
    return result


def _without_specks(item: Mask) -> Mask:
    """Fill holes that the flood never reached, and drop parts of less than 1 % of the largest."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(item, connectivity=8)
    if count <= 1:
        return item
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = np.concatenate([[False], areas >= max(4, 0.01 * areas.max())])
    result: Mask = kept[labels].astype(np.uint8)
    return result


def _soft_edge(picture: RGB, border: NDArray[np.float32], item: Mask) -> Matte:
    """Unmix the edge: with item colour F and background B a pixel is ``a F + (1 - a) B``.

    So ``a = |I - B| / |F - B|``, with F taken from the nearby pixel farthest from B. Where the
    item has the background's colour the hard edge is smoothed instead.
    """
    inside = cv2.erode(item, np.ones((5, 5), np.uint8))
    outside = cv2.dilate(item, np.ones((3, 3), np.uint8))
    distance = np.abs(picture.astype(np.float32) - border).max(axis=2)
    farthest = cv2.dilate(distance * item, np.ones((7, 7), np.uint8))
    unmixed = np.clip(distance / np.maximum(farthest, 1), 0, 1)
    smoothed = cv2.GaussianBlur(item.astype(np.float32), (3, 3), 0)
    matte = np.where(farthest > UNMIXABLE, unmixed, smoothed)
    matte[inside == 1] = 1
    matte[outside == 0] = 0
    result: Matte = matte.astype(np.float32)
    return result


def _grabcut(picture: RGB) -> Matte:
    """Run GrabCut on a small copy, and bring its mask back along the picture's own edges."""
    height, width = picture.shape[:2]
    scale = min(1.0, GRABCUT_SIDE / max(height, width))
    size = (round(width * scale), round(height * scale))
    if min(size) < 8:
        return np.ones((height, width), np.float32)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    square = cv2.resize(small, (PRIOR_SIDE, PRIOR_SIDE), interpolation=cv2.INTER_AREA)
    prior = foreground(np.asarray(cv2.cvtColor(square, cv2.COLOR_RGB2LAB), np.uint8)[None])[0]
    prior = cv2.resize(prior, size, interpolation=cv2.INTER_LINEAR)

    mask = np.where(prior > LIKELY * prior.max(), cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    rim = max(1, round(min(size) / 40))
    for part in (mask[:rim], mask[-rim:], mask[:, :rim], mask[:, -rim:]):
        part[part == cv2.GC_PR_BGD] = cv2.GC_BGD
    if not ((mask == cv2.GC_PR_FGD).any() and (mask != cv2.GC_PR_FGD).any()):
        return np.ones((height, width), np.float32)
    # GrabCut starts from k-means, which draws from OpenCV's own generator.
    cv2.setRNGSeed(0)
    cv2.grabCut(
        small,
        mask,
        (0, 0, 1, 1),
        np.zeros((1, 65)),
        np.zeros((1, 65)),
        ROUNDS,
        cv2.GC_INIT_WITH_MASK,
    )
    item = ((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)).astype(np.uint8)
    item = cv2.morphologyEx(item, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    item = _central(np.asarray(item, np.uint8))
    if not _holds_together(item):
        return np.ones((height, width), np.float32)
    hard = cv2.resize(item.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    radius = max(1, round(min(height, width) / 80))
    fine = cv2.ximgproc.guidedFilter(picture, hard, radius, 60.0)
    # Stretched, or the filter would leave a veil of background around the item.
    result: Matte = np.clip((fine - 0.2) / 0.6, 0, 1).astype(np.float32)
    return result


def _central(item: Mask) -> Mask:
    """Keep the part that weighs most about the middle, and others a tenth as heavy, filled."""
    count, labels = cv2.connectedComponents(item, connectivity=8)
    if count <= 1:
        return item
    height, width = item.shape
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    weights = np.exp(-2 * (x**2 + y**2))
    masses = np.bincount(labels.ravel(), weights.ravel(), minlength=count)
    masses[0] = 0
    kept: Mask = (masses >= 0.1 * masses.max())[labels].astype(np.uint8)
    return 1 - _reach(1 - kept, 1 - kept, 1)


def _holds_together(item: Mask) -> bool:
    """Whether a mask is in few parts that fill what they span, as an item does."""
    outlines, _ = cv2.findContours(item, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not 1 <= len(outlines) <= MOST_PARTS:
        return False
    hull = cv2.convexHull(np.concatenate(outlines))
    return float(item.sum()) >= FILLED * cv2.contourArea(hull)
