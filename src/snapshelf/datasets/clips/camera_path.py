"""The path of a hand-held camera through one shot of an item."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from snapshelf.datasets.clips.camera import View, view_reach
from snapshelf.datasets.clips.render_settings import RenderSettings
from snapshelf.datasets.clips.wobble import Wobble
from snapshelf.locating.region import Box

__all__ = ["CameraPath"]

MOST_ZOOM = np.log(1.8)
MOST_ROLL = np.deg2rad(12)
MOST_TILT = np.deg2rad(30)
MOST_SWAY = 1 / 12
SWAYING_TURN = 0.35
"""The share of roll and tilt that comes and goes; the rest changes steadily."""

OVERREACH = 0.12
"""How far a pan goes beyond where the item is wholly in view, as a share of the smaller of both."""

PHOTO_REACH = 0.6
"""Of that, in a photo without a box: what is photographed is near the middle of it."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CameraPath:
    """How a camera moves, whatever the photo: a steady movement, and a hand's sway around it.

    Each row has six values: to the right and down, in [-1, 1] of what the pan may be; the logarithm
    of the zoom; roll, yaw and pitch in radians.

    Attributes:
        start: (6,) float64, at time 0.
        end: (6,) float64, at the end.
        sway: (6,) float64, the amplitudes; the first two in shares of the view's shorter side.
        wobble: Its course in time.
        seconds: The shot's length, above 0.
        share: The share that settings.item_share or settings.photo_share drew, see `views`.
    """

    start: Values
    end: Values
    sway: Values
    wobble: Wobble
    seconds: float
    share: float

    @classmethod
    def draw(cls, seconds: float, rng: np.random.Generator, settings: RenderSettings) -> Self:
        """Draw a path.

        Args:
            seconds: The shot's length, above 0.
            rng: Draws everything.
            settings: Its zoom, pan, shake, roll, tilt and shares.
        """
        pan, zoom, shake, roll, tilt = (
            effect.draw(rng)
            for effect in (
                settings.pan,
                settings.zoom,
                settings.shake,
                settings.roll,
                settings.tilt,
            )
        )
        share = float(rng.uniform())
        most = np.array([pan, pan, zoom * MOST_ZOOM / 2, roll * MOST_ROLL, *[tilt * MOST_TILT] * 2])
        # From somewhere to somewhere on the other side: two free draws would hardly move.
        ends = rng.uniform(-1, 1, (2, 6)) * most
        ends[1, :2] = 0.5 * ends[1, :2] - 0.5 * ends[0, :2]
        ends[1, 2] = -ends[0, 2]
        turning = (1 - SWAYING_TURN) * ends[:, 3:]
        sway = np.concatenate([[shake * MOST_SWAY] * 2, [0.05 * shake], SWAYING_TURN * most[3:]])
        ends = np.column_stack([ends[:, :3], turning])
        return cls(ends[0], ends[1], sway, Wobble.draw(6, rng), seconds, share)

    def views(
        self,
        times: Sequence[float] | Values,
        photo: tuple[int, int],
        box: Box | None,
        settings: RenderSettings,
    ) -> tuple[View, ...]:
        """Give what frames show at some times.

        Args:
            times: In seconds from the start of the shot.
            photo: (H, W) of the photo.
            box: The item in pixels of the photo; None: the photo shows it as a whole.
            settings: Its size, shares and most_enlarged.

        Returns:
            A view for each time. It shows nothing beyond the photo; rather than that, it is nearer
            to the item than the settings say.
        """
        height, width = photo
        x0, y0, x1, y1 = box or (0.0, 0.0, float(width), float(height))
        shape = np.array([settings.size[1], settings.size[0]]) / min(settings.size)
        limits = np.array([width, height], np.float64)
        item = np.array([x1 - x0, y1 - y0])
        fits = float((limits / shape).min())
        low, high = settings.photo_share if box is None else settings.item_share
        share = low + self.share * (high - low)
        middle = fits * share if box is None else float((item / shape).max()) / share
        least = min(settings.size) / settings.most_enlarged

        moments = np.asarray(times, np.float64)
        done = np.clip(moments / self.seconds, 0, 1)[:, None]
        steady = self.start + done * (self.end - self.start)
        swaying = self.wobble.at(moments) * self.sway
        turns = steady[:, 3:] + swaying[:, 3:]
        low_reach, high_reach = _reaches(turns, settings.size)
        # The largest view that shows nothing beyond the photo, turned as the camera is.
        widest = (limits / (high_reach - low_reach)).min(axis=1)
        sides = middle * np.exp(steady[:, 2] + swaying[:, 2])
        sides = np.minimum(np.maximum(sides, least), widest)[:, None]
        views = sides * shape
        reach = np.abs(views - item) / 2 + OVERREACH * np.minimum(views, item)
        pan = reach if box is not None else PHOTO_REACH * reach
        offsets = np.clip(steady[:, :2] * pan + swaying[:, :2] * sides, -reach, reach)
        centres = np.array([x0 + x1, y0 + y1]) / 2 + offsets
        centres = np.clip(centres, -low_reach * sides, limits - high_reach * sides)
        return tuple(
            View(float(x), float(y), float(side), *(float(turn) for turn in turned))
            for (x, y), (side,), turned in zip(centres, sides, turns, strict=True)
        )


def _reaches(turns: Values, size: tuple[int, int]) -> tuple[Values, Values]:
    """Give how far a view reaches to the left and up, and to the right and down.

    Args:
        turns: (N, 3) float64: roll, yaw and pitch in radians.
        size: (H, W) of the frame.

    Returns:
        (N, 2) float64 each, in units of `View.side` from its middle.
    """
    boxes = np.array([view_reach(View(0, 0, 1, *turned), size) for turned in turns.tolist()])
    return boxes[:, :2], boxes[:, 2:]
