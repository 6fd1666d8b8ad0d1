"""The recipe that tracks a clip and draws what it has followed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.region import Box
from snapshelf.locating.still_camera import StillCamera
from snapshelf.locating.tracking import track
from snapshelf.locating.trajectory import Trajectory
from snapshelf.media.video import Video
from written_clip import written_clip

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "tracks.py"


def test_a_clip_is_tracked_and_drawn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    thing = np.kron(rng.integers(0, 120, (7, 5, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    pictures = []
    for step in range(40):
        picture = np.full((121, 201, 3), 220, np.uint8)
        picture[30:86, 10 + 3 * step : 50 + 3 * step] = thing
        pictures.append(picture[:120, :200])
    clip, drawn = tmp_path / "clip.mp4", tmp_path / "drawn.mp4"
    clip.write_bytes(written_clip(pictures))
    command = [sys.executable, str(RECIPE), str(clip), "--out", str(drawn)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    course, speed = (json.loads(line) for line in printed.splitlines())
    assert (course["number"], course["frames"], course["seconds"]) == (1, [0, 39], [0.0, 3.9])
    assert np.abs(np.subtract(course["last_box"], [127, 30, 167, 86])).max() <= 6
    assert speed["frames"] == 40
    before, after = (list(Video(file).frames())[20].picture for file in (clip, drawn))
    differs = np.abs(before.astype(int) - after).max(axis=2) > 60
    assert differs[28:32, 80:100].mean() > 0.3  # the box's upper side
    assert differs[100:, 120:].mean() < 0.01


def usual_overlap(course: Trajectory, box: Box) -> float:
    usual = np.median(course.boxes, axis=0)
    return float(iou(as_boxes([usual]), as_boxes([box]))[0, 0])


@pytest.mark.data
def test_each_bottle_has_one_trajectory_that_keeps_its_size(data_dir: Path) -> None:
    """Hands reach in at 5 s, 12 s and 16 s, and throw shadows on all that stands."""
    video = Video(data_dir / "video" / "bottle.mp4")
    camera = StillCamera()
    locator = camera.of_clip(video.frames(camera.rate))
    found = list(track((frame for frame in video.frames(10) if frame.time < 20), locator))
    for box, first, last in (
        ((58, 107, 122, 313), 0.0, 5.9),
        ((289, 108, 345, 315), 0.0, 16.0),
        ((512, 105, 573, 316), 0.0, 19.9),
        ((67, 110, 129, 313), 13.5, 15.9),
    ):
        (course,) = [course for course in found if usual_overlap(course, box) > 0.85]
        assert (course.first, course.last) == pytest.approx((first, last), abs=0.7)
        still = np.array([first <= time <= last for time in course.times])
        assert iou(as_boxes(course.boxes)[still], as_boxes([box])).min() > 0.8
