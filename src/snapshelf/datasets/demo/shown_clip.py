"""A small clip of the demo shop: a few products, one after another, and one that it lacks."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from snapshelf.datasets.clips.render_settings import RenderSettings
from snapshelf.datasets.clips.rendering import render_clip
from snapshelf.datasets.demo.shop import DemoShop, StreetPhoto
from snapshelf.media.decode import decode_picture
from snapshelf.media.picture import RGB
from snapshelf.training.augmentation.settings import Effect

__all__ = ["shown_photos", "write_shown_clip"]

RATE = 10
SETTINGS = RenderSettings(
    frames=16,
    size=(360, 480),
    rate=RATE,
    item_share=(0.6, 0.8),
    tilt=Effect(0.9, (0.1, 0.5)),
    motion_blur=Effect(0.9, (0.1, 0.5)),
    cuts=(0, 0),
    occluder=Effect(0.0),
)
"""A calm hand, so that a look at the clip tells what it shows."""


def write_shown_clip(shop: DemoShop, file: Path, *, seed: int = 7) -> Sequence[StreetPhoto]:
    """Film street photos of a demo shop, 1.6 seconds each, as an MP4.

    Args:
        shop: The shop.
        file: Written anew; the frames are the same each time, what an encoder makes of them only
            nearly so.
        seed: Draws how the camera moves.

    Returns:
        What is filmed, in the clip's order, see `shown_photos`.

    Raises:
        PictureError: If a photo cannot be read.
        OSError: If the file cannot be written.
    """
    photos = shown_photos(shop.photos())
    unfinished = file.with_name(f"{file.name}.part")
    _write(unfinished, (picture for photo in photos for picture in _filmed(photo, seed)))
    unfinished.replace(file)
    return photos


def shown_photos(photos: Sequence[StreetPhoto]) -> tuple[StreetPhoto, ...]:
    """Choose what the clip shows.

    Args:
        photos: Of the shop.

    Returns:
        Four photos, each of a single item, or fewer where there are no such: of two products of
        different places in the feed, of the first one again, and of something that is not sold.
    """
    plain = [photo for photo in photos if len(photo.items) == 1 and photo.difficulty != "hard"]
    sold: dict[str, list[StreetPhoto]] = {}
    for photo in plain:
        if photo.in_catalogue:
            sold.setdefault(photo.items[0].product_id, []).append(photo)
    again = [several for several in sold.values() if len(several) > 1]
    first = again[0] if again else next(iter(sold.values()), [])
    others = [own for own in sold.values() if own is not first]
    second = others[len(others) // 2][:1] if others else []
    foreign = [photo for photo in plain if not photo.in_catalogue][:1]
    return (*first[:1], *second, *first[1:2], *foreign)


def _filmed(photo: StreetPhoto, seed: int) -> Iterable[RGB]:
    (item,) = photo.items
    rng = np.random.default_rng([seed, *photo.picture.name.encode()])
    part = (photo.picture, item.box)
    return (frame.picture for frame in render_clip([part], 0, rng, SETTINGS, _read))


def _read(file: Path) -> RGB:
    return decode_picture(file.read_bytes())


def _write(file: Path, pictures: Iterable[RGB]) -> None:
    # Both come with PyAV, but a build of somebody's own may lack the first.
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(file), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=Fraction(RATE))
        assert isinstance(stream, VideoStream)
        stream.height, stream.width = SETTINGS.size
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
