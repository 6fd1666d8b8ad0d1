"""Draw a contact sheet of rendered clips, to see whether they look like hand-held video.

    python recipes/render_clips.py --data grocery:GroceryStoreDataset --out sheets

Each row is a clip; its frames are spread evenly over it, each with the item's box. Prints one JSON
line: the sheet's file, and how long a clip took to render, its photos' decoding included.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from PIL import Image

from snapshelf.datasets.clips import (
    Clip,
    ClipFrame,
    Filming,
    RenderedClipData,
    RenderSettings,
)
from snapshelf.datasets.registry import open_dataset
from snapshelf.media.picture import RGB

T = TypeVar("T")

TRAIN = "train"
FRAME = (255, 0, 255)


def main() -> None:
    """Render clips that are spread evenly over a split, and draw them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="NAME:DIR of a data set of photos")
    parser.add_argument("--out", required=True, type=Path, help="folder for the sheet")
    parser.add_argument("--split", default=TRAIN, help="train, or a split of queries")
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument("--shown", type=int, default=11, help="frames of each clip")
    parser.add_argument("--number", type=int, default=0, help="of the training clips")
    parser.add_argument("--frames", type=int, default=32)
    parser.add_argument("--height", type=int, default=160)
    parser.add_argument("--width", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-boxes", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    settings = RenderSettings(frames=options.frames, size=(options.height, options.width))
    data = RenderedClipData(open_dataset(options.data), Filming(settings, options.seed))
    rows, seconds = [], []
    for clip in spread(clips(data, options.split, options.number), options.clips):
        start = time.process_time()
        frames = list(clip.frames())
        seconds.append(time.process_time() - start)
        shown = spread(frames, options.shown)
        rows.append(np.hstack([framed(frame, boxed=not options.no_boxes) for frame in shown]))
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"{options.data.partition(':')[0]}-{options.split}-{options.seed}.png"
    Image.fromarray(np.vstack(rows)).save(file)
    milliseconds = 1000 * np.array(seconds)
    report = {
        "sheet": str(file),
        "clips": len(rows),
        "processor_ms_a_clip": {
            "median": round(float(np.median(milliseconds)), 1),
            "most": round(float(milliseconds.max()), 1),
        },
    }
    print(json.dumps(report))


def clips(data: RenderedClipData, split: str, number: int) -> Sequence[Clip]:
    """Give the clips of a split; of the training clips one of each product."""
    if split == TRAIN:
        return [item.clips[number] for item in data.training_clips()]
    return data.clips(split)


def spread(things: Sequence[T], most: int) -> Sequence[T]:
    """Give at most so many of them, evenly spread."""
    count = min(most, len(things))
    return [things[place * len(things) // count] for place in range(count)]


def framed(frame: ClipFrame, *, boxed: bool) -> RGB:
    """Give a frame's picture with a line around the item."""
    picture = frame.picture.copy()
    if boxed and frame.box is not None:
        x0, y0, x1, y1 = (round(side) for side in frame.box)
        cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), FRAME, 1)
    return picture


if __name__ == "__main__":
    main()
