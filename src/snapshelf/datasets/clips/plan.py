"""What happens in a clip, drawn before any photo is read: shots, light and what passes by."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from snapshelf.datasets.clips.camera_path import CameraPath
from snapshelf.datasets.clips.passing import Passing
from snapshelf.datasets.clips.render_settings import RenderSettings
from snapshelf.datasets.clips.wobble import Wobble
from snapshelf.training.augmentation.light import Tone

__all__ = ["ClipPlan", "Shot", "clip_generator", "settled"]

HUNTING = 0.5
"""How far automatic exposure goes up and down, of the `Tone.gain` that is likely."""

UNSETTLED = 1.2
"""How far it is off right after a cut, and ..."""

SETTLING = 0.25
"""... in how many seconds most of that is gone."""


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """Frames without a cut.

    Attributes:
        photo: The number of its photo.
        first: The number of its first frame in the clip.
        last: The number of the frame behind its last one.
        path: How the camera moves.
        tone: Its light.
        unsettled: How far the exposure is off in its first frame, in `Tone.gain`.
        shutter: For which share of the time between two frames the shutter is open.
    """

    photo: int
    first: int
    last: int
    path: CameraPath
    tone: Tone
    unsettled: float
    shutter: float


@dataclass(frozen=True, slots=True, eq=False)
class ClipPlan:
    """Everything that happens in a clip, but for what each frame draws for itself.

    Attributes:
        shots: In order, without a gap.
        passing: What passes in front.
        hunting: How far automatic exposure hunts, in `Tone.gain`.
        exposure: Its course in time, one channel.
        compression: The strength of compression.
    """

    shots: tuple[Shot, ...]
    passing: tuple[Passing, ...]
    hunting: float
    exposure: Wobble
    compression: float

    @classmethod
    def draw(
        cls, photos: int, number: int, rng: np.random.Generator, settings: RenderSettings
    ) -> Self:
        """Draw a plan.

        Args:
            photos: How many there are of the product, at least 1.
            number: The clip's number: it begins with the photo of that number, counted round.
            rng: Draws everything.
            settings: What may happen, and how much of it.
        """
        flicker = settings.flicker.draw(rng)
        others = [photo for photo in rng.permutation(photos).tolist() if photo != number % photos]
        order = [number % photos, *others]
        shots = tuple(
            _shot(order[place % len(order)], ends, rng, settings, flicker)
            for place, ends in enumerate(pairwise(_cuts(rng, settings)))
        )
        seconds = settings.frames / settings.rate
        strength = settings.occluder.draw(rng)
        times = int(rng.integers(1, settings.most_occluders + 1)) if strength > 0 else 0
        passing = tuple(Passing.draw(seconds, rng, strength) for _ in range(times))
        return cls(
            shots,
            passing,
            HUNTING * flicker,
            Wobble.draw(1, rng),
            settings.compression.draw(rng),
        )


def clip_generator(seed: int, products: Iterable[str], number: int) -> np.random.Generator:
    """Give what draws a clip: the same in any process, another one for each clip.

    Args:
        seed: At least 0.
        products: IDs of the products that it shows, in any order.
        number: Of the clip, at least 0.

    Raises:
        ValueError: If `seed` or `number` is negative.
    """
    if seed < 0 or number < 0:
        raise ValueError(f"seed and number must be at least 0, got {seed} and {number}")
    names = b"\0".join(sorted(name.encode("utf-8", "surrogatepass") for name in products))
    digest = hashlib.blake2b(names, digest_size=16).digest()
    words = np.frombuffer(digest, "<u4").tolist()
    return np.random.default_rng([seed, number, *words])


def _cuts(rng: np.random.Generator, settings: RenderSettings) -> list[int]:
    """Draw where shots begin, and the end."""
    low, high = settings.cuts
    most = settings.frames // settings.shortest_shot - 1
    count = max(min(int(rng.integers(low, high + 1)), most), 0)
    spare = settings.frames - (count + 1) * settings.shortest_shot
    places = np.sort(rng.integers(0, max(spare, 0) + 1, count))
    cuts = places + settings.shortest_shot * np.arange(1, count + 1)
    return [0, *cuts.tolist(), settings.frames]


def _shot(
    photo: int,
    ends: tuple[int, int],
    rng: np.random.Generator,
    settings: RenderSettings,
    flicker: float,
) -> Shot:
    first, last = ends
    path = CameraPath.draw((last - first) / settings.rate, rng, settings)
    tone = Tone(*(rng.uniform(-1, 1, 5) * settings.tone.draw(rng)).tolist())
    unsettled = rng.uniform(-UNSETTLED, UNSETTLED) * flicker * (first > 0)
    return Shot(photo, first, last, path, tone, unsettled, settings.motion_blur.draw(rng))


def settled(unsettled: float, seconds: float) -> float:
    """Give how far the exposure is still off, so long after a cut: ``u exp(-t / SETTLING)``."""
    return float(unsettled * np.exp(-seconds / SETTLING))
