"""What rendered clips are like: `RenderSettings`."""

from dataclasses import dataclass, field, fields

from snapshelf.training.augmentation.settings import Effect
from snapshelf.training.ranges import above_zero, at_least

__all__ = ["RenderSettings"]

LARGEST_SIDE = 2048
MOST_FRAMES = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderSettings:
    """Settings of `render_clip`; the default is a hand-held phone, a step or two from the item.

    An `Effect` happens or not in a clip, or in each shot of it where that is said.

    Attributes:
        frames: Number of frames, 1 to 4096; 32 is a trajectory of the paper.
        size: (H, W) of a frame in pixels, each 8 to 2048.
        rate: Frames in a second, above 0.
        item_share: Lowest and highest, above 0 and up to 1: the share of the frame that the item's
            box takes in its tighter direction, in the middle of a shot. Of photos with a box.
        photo_share: Likewise: the share of the largest part of the photo that has the frame's
            shape. Of photos without a box, which show the item as a whole.
        most_enlarged: No pixel of a photo becomes larger than so many of a frame, at least 1,
            unless the photo is too small for the frame.
        zoom: Each shot: to or from the item, by up to 1.8 times.
        pan: Each shot: from one side of the item to another, as far as most of it stays in view.
        shake: Each shot: the hand sways by up to 1/12 of the frame, and trembles.
        roll: Each shot: the camera is turned by up to 12 degrees.
        tilt: Each shot: the item is seen from up to 30 degrees beside and above its front.
        tone: Each shot: gain, gamma, contrast and colour of the light, as an exposure changes them.
        flicker: Automatic exposure hunts around that, and after a cut it has to settle.
        motion_blur: The shutter is open for up to the whole time between two frames.
        cuts: Lowest and highest number of cuts to another photo of the product, or, where it has
            only one, to another view of that.
        shortest_shot: In frames, at least 1: with fewer frames between them, cuts are left out.
        occluder: Something or somebody passes in front.
        most_occluders: How often in one clip, at least 1.
        compression: As a camera's encoder leaves it, the strength anew for each frame.
    """

    frames: int = 32
    size: tuple[int, int] = (160, 160)
    rate: float = 12.5
    item_share: tuple[float, float] = (0.55, 0.9)
    photo_share: tuple[float, float] = (0.65, 0.95)
    most_enlarged: float = 2.5
    zoom: Effect = field(default=Effect(0.8))
    pan: Effect = field(default=Effect(0.9, (0.2, 1.0)))
    shake: Effect = field(default=Effect(1.0, (0.15, 1.0)))
    roll: Effect = field(default=Effect(0.8))
    tilt: Effect = field(default=Effect(0.9, (0.1, 1.0)))
    tone: Effect = field(default=Effect(0.9, (0.0, 0.7)))
    flicker: Effect = field(default=Effect(0.7))
    motion_blur: Effect = field(default=Effect(0.9, (0.2, 1.0)))
    cuts: tuple[int, int] = (0, 2)
    shortest_shot: int = 6
    occluder: Effect = field(default=Effect(0.5))
    most_occluders: int = 2
    compression: Effect = field(default=Effect(0.8))

    def __post_init__(self) -> None:
        """Refuse what is out of range.

        Raises:
            ValueError: Names the setting, what was expected and what came.
        """
        at_least(self, 1, "frames", "shortest_shot", "most_enlarged", "most_occluders")
        above_zero(self, "rate")
        if self.frames > MOST_FRAMES:
            raise ValueError(f"frames must be at most {MOST_FRAMES}, got {self.frames}")
        if len(self.size) != 2 or not all(8 <= side <= LARGEST_SIDE for side in self.size):
            raise ValueError(f"size must be (H, W), each 8 to {LARGEST_SIDE}, got {self.size}")
        for name in ("item_share", "photo_share"):
            low, high = getattr(self, name)
            if not 0 < low <= high <= 1:
                raise ValueError(
                    f"{name} must be (lowest, highest) above 0 and up to 1, got {(low, high)}"
                )
        low, high = self.cuts
        if not 0 <= low <= high:
            raise ValueError(f"cuts must be (lowest, highest) from 0, got {self.cuts}")
        for name in (one.name for one in fields(self) if one.type is Effect):
            if not isinstance(getattr(self, name), Effect):
                raise ValueError(f"{name} must be an Effect, got {getattr(self, name)!r}")
