"""The way from a clip to trajectories, and to products, against decoding and KCF alone.

The clip is person.mp4 of the development data, or without it a drawn one; its first seconds are
enough, since nothing depends on a clip's length. Ways, by turns, in seconds of the processor, so
that other load does not count; each one's best turn counts:

- decoding: every frame to RGB;
- floor: decoding, and each trajectory that `track` finds followed once by `KcfTracker` alone, from
  its first frame to its last one, set on its box again where it is lost;
- pipeline: decoding, cuts, locating, KCF forward and backward, pairing;
- search: the whole of `Shelf.search` with the same locator and the system `standard`: the pipeline,
  the second reading, 32 embedded steps of each trajectory, search and re-ranking among 40 drawn
  products;
- search_whole: the same with whole pictures, as `standard` locates, 8 steps embedded of each 2 s.

The locator is `RankedProposals` of EdgeBoxes alone, three regions a key frame; its own time is
given apart, since any other locator may take its place. Target: the pipeline without locating at
most 2 times the floor, since it follows everything forward and backward.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np

from snapshelf.catalog import Catalog
from snapshelf.locating.edge_boxes import EdgeBoxes, EdgeBoxesSettings
from snapshelf.locating.kcf_tracker import KcfTracker
from snapshelf.locating.ranked_proposals import RankedProposals
from snapshelf.locating.region import Region
from snapshelf.locating.tracking import track
from snapshelf.locating.trajectory import Trajectory
from snapshelf.locating.whole_picture import WholePicture
from snapshelf.media.encode import encode_jpeg
from snapshelf.media.picture import RGB
from snapshelf.media.video import Video
from snapshelf.media.video_limits import VideoLimits
from snapshelf.shelf import ClipSettings, Shelf
from snapshelf.systems import System

RATE = 10.0


def main() -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0, help="of the clip")
    options = parser.parse_args()
    data = Path(os.environ.get("SNAPSHELF_DATA") or "../shared/data") / "video" / "person.mp4"
    with TemporaryDirectory() as folder:
        clip = data if data.is_file() else drawn_clip(Path(folder) / "clip.mp4")
        limits = VideoLimits(max_seconds=options.seconds, cut_longer=True)
        with drawn_shelf(Path(folder)) as shelf:
            video = Video(clip, limits)
            print(json.dumps(measured(video, shelf, options.rounds, drawn=clip != data)))


def measured(video: Video, shelf: Shelf, rounds: int, *, drawn: bool) -> dict[str, object]:
    """Give the figures."""
    locator = Timed()
    found: list[Trajectory] = []

    def pipeline() -> None:
        locator.seconds = 0.0
        found[:] = track(video.frames(RATE), locator)

    pipeline()
    ways: dict[str, Callable[[], object]] = {
        "decoding": lambda: sum(1 for _ in video.frames(RATE)),
        "floor": lambda: follow_alone(video, found),
        "pipeline": pipeline,
        "search": lambda: shelf.search(video, clip=ClipSettings(locator=locator)),
        "search_whole": lambda: shelf.search(video, clip=ClipSettings(locator=WholePicture())),
    }
    seconds = dict.fromkeys(ways, float("inf"))
    locating = float("inf")
    for _ in range(rounds):
        for name, way in ways.items():
            began = time.process_time()
            way()
            if name == "pipeline":
                locating = min(locating, locator.seconds)
            seconds[name] = min(seconds[name], time.process_time() - began)
    frames = sum(1 for _ in video.frames(RATE))
    steps = sum(len(course) for course in found)
    return {
        "benchmark": "video",
        "clip": "drawn" if drawn else "person.mp4",
        "cores": len(os.sched_getaffinity(0)),
        "frames": frames,
        "trajectories": len(found),
        "items_a_frame": round(steps / frames, 2),
        **{f"{name}_s": round(value, 2) for name, value in seconds.items()},
        "locating_s": round(locating, 2),
        "frames_per_second": round(frames / seconds["pipeline"], 1),
        "ratio": round(seconds["pipeline"] / seconds["floor"], 2),
        "ratio_without_locating": round((seconds["pipeline"] - locating) / seconds["floor"], 2),
        "search_frames_per_second": round(frames / seconds["search"], 1),
        "search_ratio": round(seconds["search"] / seconds["floor"], 2),
        "search_whole_frames_per_second": round(frames / seconds["search_whole"], 1),
        "target": "ratio_without_locating <= 2",
    }


class Timed:
    """EdgeBoxes' three best proposals, and how long they take."""

    fingerprint = "timed"

    def __init__(self) -> None:
        proposer = EdgeBoxes(EdgeBoxesSettings(least_side=80.0))
        self._locator = RankedProposals(proposer, most=3, overlap=0.3)
        self.seconds = 0.0

    def locate(self, picture: RGB) -> tuple[Region, ...]:
        """Give the proposals."""
        began = time.process_time()
        regions = self._locator.locate(picture)
        self.seconds += time.process_time() - began
        return regions

    def candidates(self, picture: RGB) -> tuple[Region, ...]:
        """Give what `locate` gives."""
        return self.locate(picture)


def drawn_shelf(folder: Path) -> Shelf:
    """Index 40 drawn products."""
    rng = np.random.default_rng(0)
    lines = ["id,title,image"]
    for number in range(40):
        tiles = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        (folder / f"{number}.jpg").write_bytes(
            encode_jpeg(tiles.repeat(20, axis=0).repeat(20, axis=1))
        )
        lines.append(f"{number},Product {number},{number}.jpg")
    (folder / "feed.csv").write_text("\n".join(lines) + "\n")
    catalog = Catalog.open(folder / "feed.csv")
    return Shelf.build(catalog, folder / "shelf", System.load("standard"))


def follow_alone(video: Video, found: Sequence[Trajectory]) -> None:
    """Decode, and follow each trajectory from its first box for as many frames."""
    pictures = {frame.index: frame.picture for frame in video.frames(RATE)}
    tracker = KcfTracker()
    for course in found:
        first, last = course.frames[0], course.frames[-1]
        span = [picture for index, picture in pictures.items() if first <= index <= last]
        boxes = list(course.boxes) + [course.boxes[-1]] * (len(span) - len(course))
        place = 0
        while place < len(span):
            place += len(tracker.follow(span[place:], [boxes[place]])[0])


def drawn_clip(file: Path) -> Path:
    """Write 20 s of two textured things that move to and fro."""
    rng = np.random.default_rng(0)
    things = [np.kron(rng.integers(0, 256, (40, 16, 3)), np.ones((8, 8, 1))) for _ in range(2)]
    with av.open(str(file), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 768, 432, "yuv420p"
        for step in range(200):
            picture = np.full((432, 768, 3), 200, np.uint8)
            for place, thing in enumerate(things):
                left = round(250 + 380 * place + 100 * np.sin(step / 15 + place))
                picture[60:380, left : left + 128] = thing
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return file


if __name__ == "__main__":
    main()
