"""Follow the items of a clip, and write the clip again with their boxes and numbers drawn.

The key frames are looked at by what `--locator` names: a trained locator's folder, or one of the
names that `snapshelf search --locator` takes. By default the camera is taken to stand still; that
finds whole things and needs no training, and hands are items to it too.

Prints one JSON line for each trajectory, and one with the frames each second.
"""

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from snapshelf.locating import Box
from snapshelf.locating.clip_locator import ClipLocator
from snapshelf.locating.clip_locators import clip_locator
from snapshelf.locating.tracking import track
from snapshelf.locating.tracking_settings import TrackingSettings
from snapshelf.locating.trajectory import Trajectory
from snapshelf.media.picture import RGB
from snapshelf.media.video import Video
from snapshelf.media.video_frame import VideoFrame


def main() -> None:
    """Track, print, draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--out", type=Path, help="MP4 file to write, with the boxes drawn")
    parser.add_argument("--locator", default="still", help="name or folder of a locator")
    parser.add_argument("--rate", type=float, default=10.0, help="frames each second to look at")
    parser.add_argument("--every", type=int, default=TrackingSettings().every)
    parser.add_argument("--least", type=float, default=0.1, help="confidence of a region")
    options = parser.parse_args()
    video = Video(options.clip)
    locator = clip_locator(options.locator)
    if isinstance(locator, ClipLocator):
        locator = locator.of_clip(video.frames(locator.rate))
    settings = TrackingSettings(every=options.every, least_confidence=options.least)
    began = time.perf_counter()
    frames = Counted(video.frames(options.rate))
    found = list(track(frames, locator, settings))
    seconds = time.perf_counter() - began
    for course in found:
        print(json.dumps(summary(course)))
    print(json.dumps({"frames": frames.count, "frames_per_second": frames.count / seconds}))
    for warning in video.warnings:
        print(json.dumps({"warning": warning}))
    if options.out is not None:
        write_clip(options.out, drawn(video.frames(options.rate), found), options.rate)


class Counted:
    """Frames, and how many have been read.

    Args:
        frames: To be read.
    """

    def __init__(self, frames: Iterable[VideoFrame]) -> None:
        self._frames = frames
        self.count = 0

    def __iter__(self) -> Iterator[VideoFrame]:
        for frame in self._frames:
            self.count += 1
            yield frame


def summary(course: Trajectory) -> dict[str, object]:
    """Give what is to be printed of a trajectory."""
    return {
        "number": course.number,
        "label": course.label,
        "confidence": round(course.confidence, 3),
        "steps": len(course),
        "frames": [course.frames[0], course.frames[-1]],
        "seconds": [round(course.first, 2), round(course.last, 2)],
        "first_box": [round(value) for value in course.boxes[0]],
        "last_box": [round(value) for value in course.boxes[-1]],
    }


def drawn(frames: Iterable[VideoFrame], found: Sequence[Trajectory]) -> Iterator[RGB]:
    """Draw the boxes of each frame, each number in a colour of its own."""
    boxes: dict[int, dict[int, Box]] = defaultdict(dict)
    for course in found:
        for index, box in zip(course.frames, course.boxes, strict=True):
            boxes[index][course.number] = box
    for frame in frames:
        picture = frame.picture.copy()
        for number, box in boxes[frame.index].items():
            hue = np.array([[[number * 47 % 180, 255, 230]]], np.uint8)
            colour = cv2.cvtColor(hue, cv2.COLOR_HSV2RGB)[0, 0].tolist()
            x0, y0, x1, y1 = (round(value) for value in box)
            cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), colour, 2)
            where = (x0 + 3, y0 + 18)
            cv2.putText(picture, str(number), where, cv2.FONT_HERSHEY_SIMPLEX, 0.6, colour, 2)
        text = f"{frame.index}  {frame.time:.1f} s"
        cv2.putText(picture, text, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 0, 0), 1)
        yield picture


def write_clip(file: Path, pictures: Iterable[RGB], rate: float) -> None:
    """Write pictures of one size as an MP4."""
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    with av.open(str(file), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=Fraction(rate).limit_denominator(1000))
        stream.pix_fmt = "yuv420p"
        for index, picture in enumerate(pictures):
            even = np.ascontiguousarray(
                picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2]
            )
            if not index:
                stream.height, stream.width = even.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
