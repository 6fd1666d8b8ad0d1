"""The recipe that tracks a clip and draws what it has followed."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from snapshelf.locating.boxes import as_boxes, iou
from snapshelf.locating.region import Box
from snapshelf.locating.tracking import track
from snapshelf.locating.trajectory import Trajectory
from snapshelf.media.video import Video
from snapshelf.media.video_limits import VideoLimits
from written_clip import written_clip

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "tracks.py"


@pytest.fixture(scope="module")
def recipe() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tracks", RECIPE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
def test_each_bottle_has_one_trajectory(recipe: ModuleType, data_dir: Path) -> None:
    file = data_dir / "video" / "bottle.mp4"
    # All of the clip, for the background; the left bottle is taken away at 6.8 s.
    background = [frame.picture for frame in Video(file).frames(0.5)]
    locator = recipe.StillCamera(background, lightest=97)
    clip = Video(file, VideoLimits(max_seconds=9.0, cut_longer=True))
    found = list(track(clip.frames(10), locator))
    for box, last in (
        ((55, 107, 124, 314), 6.8),
        ((287, 108, 346, 315), 9.0),
        ((509, 105, 572, 317), 9.0),
    ):
        there = [course for course in found if usual_overlap(course, box) > 0.7]
        assert len(there) == 1
        assert there[0].first == 0
        assert there[0].last == pytest.approx(last, abs=0.5)
