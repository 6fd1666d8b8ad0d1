"""The pure parts of tracking, against slow references."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from snapshelf.features.encoder import Domain
from snapshelf.locating.appearance import ColourAppearance
from snapshelf.locating.assignment import best_pairs
from snapshelf.locating.association import associate, course_overlaps, joined_course
from snapshelf.locating.duplicate_trajectories import without_duplicates
from snapshelf.locating.encoder_appearance import EncoderAppearance
from snapshelf.locating.kcf_tracker import KcfTracker
from snapshelf.locating.region import Box
from snapshelf.locating.shot_cuts import ShotCuts, colour_distance, colour_layout
from snapshelf.locating.stretches import stretches
from snapshelf.locating.tracking_settings import TrackingSettings
from snapshelf.locating.trajectory import Trajectory
from snapshelf.locating.trajectory_windows import trajectory_windows
from snapshelf.media.picture import RGB
from snapshelf.media.video_frame import VideoFrame


def most_gain(gain: NDArray[np.float64]) -> float:
    """The largest sum of gains of any pairing, by trying all of them."""
    rows, columns = gain.shape
    if rows > columns:
        return most_gain(gain.T)
    return max(
        sum(max(gain[row, column], 0) for row, column in enumerate(order))
        for order in itertools.permutations(range(columns), rows)
    )


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 5), (5, 3), (6, 6), (1, 6), (4, 7)])
def test_pairs_have_the_largest_gain(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(shape))
    for trial in range(20):
        gain = rng.uniform(-0.5, 1, shape)
        if trial % 2:  # many ties
            gain = np.round(gain * 2) / 2
        pairs = best_pairs(gain)
        assert sum(gain[pair] for pair in pairs) == pytest.approx(most_gain(gain))
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
        assert all(gain[pair] > 0 for pair in pairs)


def test_two_hundred_items_are_paired() -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(200)
    gain = rng.uniform(0, 0.3, (200, 200))
    gain[np.arange(200), order] = 0.9
    assert best_pairs(gain) == tuple(enumerate(order.tolist()))


def test_nothing_is_paired_with_nothing() -> None:
    assert best_pairs(np.zeros((0, 3))) == best_pairs(np.zeros((3, 0))) == ()
    assert best_pairs(np.full((2, 2), -1.0)) == ()
    with pytest.raises(ValueError, match="gain must be a matrix of finite numbers"):
        best_pairs(np.array([[np.nan]]))


def one_iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(across, 0) * max(down, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return shared / (sum(areas) - shared)


def test_course_overlaps_against_loops() -> None:
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 50, (7, 6, 2))
    boxes = np.concatenate([corners, corners + rng.uniform(5, 50, (7, 6, 2))], axis=2)
    courses, others = boxes[:4].copy(), boxes[4:].copy()
    courses[0, 3:] = np.nan
    others[1, :4] = np.nan  # nothing in common with the first
    found = course_overlaps(courses, others)
    for row, column in itertools.product(range(4), range(3)):
        common = [
            one_iou(courses[row, step], others[column, step])
            for step in range(6)
            if np.isfinite(courses[row, step]).all() and np.isfinite(others[column, step]).all()
        ]
        assert found[row, column] == pytest.approx(np.mean(common) if common else 0, abs=1e-6)
    assert found[0, 1] == 0


def test_association_against_all_pairings() -> None:
    rng = np.random.default_rng(3)
    for _ in range(40):
        overlaps, likeness = rng.uniform(0, 1, (2, 4, 5))
        pairs = associate(overlaps, likeness, least_overlap=0.3, least_likeness=0.4, weight=0.25)
        fit = 0.75 * overlaps + 0.25 * likeness
        fit[(overlaps < 0.3) | (likeness < 0.4)] = 0
        assert sum(fit[pair] for pair in pairs) == pytest.approx(most_gain(fit))
        assert all(overlaps[pair] >= 0.3 and likeness[pair] >= 0.4 for pair in pairs)


def test_joined_courses_go_from_one_box_to_the_other() -> None:
    forward = np.array([[0, 0, 10, 10]] * 5, float) + np.arange(5)[:, None]
    backward = np.array([[0, 0, 18, 18]] * 5, float) + np.arange(5)[:, None]
    joined = joined_course(forward, backward)
    assert joined[0].tolist() == forward[0].tolist()
    assert joined[4].tolist() == backward[4].tolist()
    assert joined[:, 2].tolist() == [10, 13, 16, 19, 22]
    forward[2:], backward[:3] = np.nan, np.nan
    between = joined_course(forward, backward)
    assert between[2, 0] == pytest.approx(2)
    assert np.isfinite(between).all()


def course(
    number: int, start: int, count: int, x: float = 0.0, confidence: float = 0.9
) -> Trajectory:
    frames = tuple(range(start, start + count))
    return Trajectory(
        number,
        frames,
        tuple(frame / 10 for frame in frames),
        tuple((x + frame, 0.0, x + frame + 20.0, 40.0) for frame in frames),
        confidence=confidence,
    )


def test_duplicates_are_left_out() -> None:
    long = course(1, 0, 30)
    short = course(2, 5, 20, x=2)
    beside = course(3, 0, 30, x=25)
    later = course(4, 40, 30)
    half_common = course(5, 20, 25, x=1)  # 10 of its 25 frames
    every = (short, long, beside, later, half_common)
    assert without_duplicates(every, overlap=0.6) == (long, beside, later, half_common)
    assert without_duplicates(every, overlap=0.95) == every
    sure = course(6, 0, 29, confidence=1.0)
    assert without_duplicates((long, sure), overlap=0.6) == (sure,)
    assert without_duplicates((), overlap=0.5) == ()


@pytest.mark.parametrize("length", [1, 2, 7, 31, 32, 33, 48, 64, 100])
def test_windows_cover_a_trajectory(length: int) -> None:
    windows = trajectory_windows(course(7, 3, length))
    assert all(len(window) == 32 and window.number == 7 for window in windows)
    assert {frame for window in windows for frame in window.frames} == set(range(3, 3 + length))
    assert windows[-1].frames[-1] == 2 + length
    assert len(windows) == max(1, -(-(length - 32) // 16) + 1)
    for window in windows:
        assert list(window.frames) == sorted(window.frames)
        assert [box[0] for box in window.boxes] == list(window.frames)
        assert window.times == tuple(frame / 10 for frame in window.frames)
        if length >= 32:
            assert window.frames[-1] - window.frames[0] == 31
    with pytest.raises(ValueError, match="steps and stride must be at least 1, got 5, 0 and 1"):
        trajectory_windows(course(1, 0, 5), steps=0, stride=1)


def test_a_trajectory_has_steps() -> None:
    assert (course(1, 4, 3).first, course(1, 4, 3).last, len(course(1, 4, 3))) == (0.4, 0.6, 3)
    with pytest.raises(ValueError, match="got 2 frames, 1 times and 1 boxes"):
        Trajectory(1, (1, 2), (0.0,), ((0.0, 0.0, 1.0, 1.0),))
    with pytest.raises(ValueError, match="at least one step"):
        Trajectory(1, (), (), ())


def reference_distance(one: RGB, other: RGB) -> float:
    """Quarter by quarter, bin by bin; the pictures are small enough to be looked at whole."""
    height, width = one.shape[:2]
    total = 0.0
    for down, across in itertools.product(range(2), range(2)):
        counts = []
        for picture in (one, other):
            rows = slice(0, (height + 1) // 2) if down == 0 else slice((height + 1) // 2, height)
            columns = slice(0, (width + 1) // 2) if across == 0 else slice((width + 1) // 2, width)
            cell = picture[rows, columns].reshape(-1, 3) // 32
            bins: dict[tuple[int, ...], int] = {}
            for colour in cell.tolist():
                bins[tuple(colour)] = bins.get(tuple(colour), 0) + 1
            counts.append({key: value / len(cell) for key, value in bins.items()})
        total += sum(min(share, counts[1].get(key, 0)) for key, share in counts[0].items())
    return 1 - total / 4


def test_colour_distance_against_loops() -> None:
    rng = np.random.default_rng(0)
    for shape in ((20, 30, 3), (21, 31, 3)):
        one = rng.integers(0, 256, shape, dtype=np.uint8) // 64 * 64
        other = one.copy()
        other[:10] = rng.integers(0, 256, (10, shape[1], 3), dtype=np.uint8)
        found = colour_distance(colour_layout(one), colour_layout(other))
        assert found == pytest.approx(reference_distance(one, other), abs=1e-6)
        assert colour_distance(colour_layout(one), colour_layout(one)) == pytest.approx(0, abs=1e-6)


def test_shots_begin_at_cuts_and_where_the_size_changes() -> None:
    cuts = ShotCuts()
    red = np.full((60, 80, 3), (200, 30, 30), np.uint8)
    moved = red.copy()
    moved[10:30, 10:30] = 255
    blue = np.full((60, 80, 3), (30, 30, 200), np.uint8)
    pictures = [red, red, moved, blue, blue, blue[:50], blue[:1, :1]]
    assert [cuts.begins(picture) for picture in pictures] == [
        True, False, False, True, False, True, True,
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"threshold must be in \(0, 1\], got 0"):
        ShotCuts(0)


@pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 6, 11])
def test_stretches_share_their_key_frames(count: int) -> None:
    picture = np.zeros((4, 4, 3), np.uint8)
    frames = [VideoFrame(index, index / 10, picture) for index in range(count)]
    parts = list(stretches(iter(frames), ShotCuts(), every=5))
    seen: list[int] = []
    for part in parts:
        indices = [frame.index for frame in part.frames]
        assert len(indices) <= 6
        assert part.begins == (not seen)
        if seen:
            assert indices[0] == seen[-1]
        seen += indices if part.begins else indices[1:]
    assert seen == list(range(count))
    assert [part.ends for part in parts] == [False] * (len(parts) - 1) + [True] * bool(parts)


def test_stretches_end_at_cuts() -> None:
    dark, bright = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 255, np.uint8)
    shown = [dark] * 6 + [bright] * 1 + [dark] * 3
    frames = [VideoFrame(index, index / 10, picture) for index, picture in enumerate(shown)]
    parts = [
        ([frame.index for frame in part.frames], part.begins, part.ends)
        for part in stretches(frames, ShotCuts(), every=5)
    ]
    assert parts == [
        ([0, 1, 2, 3, 4, 5], True, False),
        ([5], False, True),
        ([6], True, True),
        ([7, 8, 9], True, True),
    ]
    with pytest.raises(ValueError, match="every must be at least 1, got 0"):
        list(stretches(frames, ShotCuts(), every=0))


def test_colours_tell_things_apart() -> None:
    picture = np.full((100, 200, 3), 230, np.uint8)
    picture[20:80, 20:50], picture[20:80, 80:110] = (180, 20, 20), (20, 20, 180)
    picture[20:50, 140:170], picture[50:80, 140:170] = (180, 20, 20), (20, 20, 180)
    boxes: list[Box] = [(x, 20.0, x + 30.0, 80.0) for x in (20.0, 80.0, 140.0)]
    looks = ColourAppearance().describe(picture, [*boxes, (22.0, 18.0, 52.0, 78.0)])
    assert np.allclose(np.linalg.norm(looks, axis=1), 1, atol=1e-5)
    alike = looks @ looks.T
    assert alike[0, 1] < 0.05
    assert alike[0, 2] == pytest.approx(0.5, abs=0.05)
    assert alike[0, 3] > 0.9


@pytest.mark.parametrize(
    "box", [(-50.0, -50.0, -10.0, -10.0), (5.0, 5.0, 5.0, 5.0), (0.0, 0.0, 1e6, 1e6), (9, 9, 3, 3)]
)
def test_odd_boxes_have_looks(box: Box) -> None:
    looks = ColourAppearance().describe(np.zeros((10, 10, 3), np.uint8), [box])
    assert np.linalg.norm(looks) == pytest.approx(1)
    assert ColourAppearance().describe(np.zeros((1, 1, 3), np.uint8), []).shape == (0, 432)


class MeanColour:
    dimension = 3
    fingerprint = "mean"

    def prepare(self, picture: RGB, domain: Domain) -> NDArray[np.uint8]:
        return picture.reshape(-1, 3).mean(axis=0).astype(np.uint8)[None, None]

    def encode(self, inputs: NDArray[np.uint8], domain: object) -> NDArray[np.float32]:
        rows = inputs.reshape(-1, 3).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_an_encoder_may_tell_things_apart() -> None:
    picture = np.zeros((10, 20, 3), np.uint8)
    picture[:, :10, 0], picture[:, 10:, 2] = 200, 100
    appearance = EncoderAppearance(MeanColour())
    looks = appearance.describe(picture, [(0, 0, 10, 10), (10, 0, 20, 10)])
    assert looks.tolist() == [[1, 0, 0], [0, 0, 1]]
    assert appearance.describe(picture, []).shape == (0, 3)


def textured(height: int, width: int, seed: int = 0) -> RGB:
    small = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3))
    return np.kron(small, np.ones((4, 4, 1))).astype(np.uint8)


@pytest.mark.parametrize("size", [24, 120])
def test_kcf_follows_a_moving_square(size: int) -> None:
    background = np.full((300, 400, 3), 128, np.uint8)
    pictures, truth = [], []
    for step in range(12):
        picture = background.copy()
        x, y = 40 + 5 * step, 60 + 3 * step
        picture[y : y + size, x : x + size] = textured(size, size)
        pictures.append(picture)
        truth.append((x, y, x + size, y + size))
    tracker = KcfTracker()
    (course,) = tracker.follow(pictures, [truth[0]])
    assert len(course) == 12
    assert all(one_iou(np.array(a), np.array(b)) > 0.9 for a, b in zip(course, truth, strict=True))
    (back,) = tracker.follow(pictures[::-1], [truth[-1]])
    assert one_iou(np.array(back[-1]), np.array(truth[0])) > 0.9


def test_kcf_loses_what_has_gone_and_keeps_the_whole_picture() -> None:
    pictures = [np.full((100, 100, 3), 128, np.uint8) for _ in range(4)]
    for picture in pictures[:2]:
        picture[20:60, 20:60] = textured(40, 40)
    pictures[2][:] = textured(100, 100, 1)
    pictures[3][:] = textured(100, 100, 2)
    whole = (0.0, 0.0, 100.0, 100.0)
    gone, kept = KcfTracker().follow(pictures, [(20, 20, 60, 60), whole])
    assert len(gone) == 2
    assert kept == (whole,) * 4


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 1, 1),
        (5, 5, 5, 50),
        (-90, -90, -10, -10),
        (95, 95, 200, 200),
        (1e6, 0, 1e6 + 9, 9),
        (60, 60, 20, 20),
        (0, 0, 100, 2),
        (-500, 10, 600, 30),
    ],
)
def test_kcf_survives_odd_boxes(box: Box) -> None:
    for pictures in ([textured(100, 100, seed) for seed in range(3)], [textured(100, 100)]):
        (course,) = KcfTracker().follow(pictures, [box])
        assert course[0] == box
        assert 1 <= len(course) <= len(pictures)
    assert KcfTracker().follow([textured(8, 8)], []) == ()


def test_kcf_of_tiny_pictures() -> None:
    for size in ((1, 1), (2, 3), (5, 5)):
        pictures = [np.zeros((*size, 3), np.uint8)] * 2
        (course,) = KcfTracker().follow(pictures, [(0.0, 0.0, 1.0, 1.0)])
        assert course[0] == (0.0, 0.0, 1.0, 1.0)
    with pytest.raises(ValueError, match="side must be at least 8 pixels, got 1"):
        KcfTracker(1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("every", 0),
        ("cut", 0),
        ("most", 0),
        ("least_confidence", 1.1),
        ("largest", 0),
        ("least_overlap", -0.1),
        ("likeness_weight", 2),
        ("patience", -1),
        ("least_regions", 0),
        ("duplicate_overlap", 1.5),
        ("longest", 0),
    ],
)
def test_settings_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be .*, got {value}"):
        TrackingSettings(**{name: value})  # type: ignore[arg-type]
