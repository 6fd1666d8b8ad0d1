"""Reading clips: times, turning, colours, bounds, broken and hostile files."""

import contextlib
import io
import os
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from snapshelf.errors import VideoError
from snapshelf.media.display_matrix import turned
from snapshelf.media.frame_clock import FrameClock
from snapshelf.media.picture import RGB
from snapshelf.media.video import Video
from snapshelf.media.video_containers import CONTAINERS
from snapshelf.media.video_limits import VideoLimits
from written_clip import sound_only, written_clip

UPRIGHT = struct.pack("=9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
STORED_UPRIGHT = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)


def grey(level: int, size: tuple[int, int] = (64, 48)) -> RGB:
    return np.full((size[1], size[0], 3), level, np.uint8)


def ramp(count: int, size: tuple[int, int] = (64, 48)) -> Iterator[RGB]:
    """Frame k has the grey level 20 + 5 k."""
    return (grey(20 + 5 * (k % 45), size) for k in range(count))


def noise(count: int, size: tuple[int, int] = (64, 48)) -> Iterator[RGB]:
    rng = np.random.default_rng(0)
    return (rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8) for _ in range(count))


def corners() -> RGB:
    """Red, green, blue and white from the top left, clockwise."""
    picture = np.full((48, 64, 3), 255, np.uint8)
    picture[:24, :32], picture[:24, 32:], picture[24:, 32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    return picture


def seen(picture: RGB) -> str:
    """The corners' colours, clockwise from the top left."""
    height, width = picture.shape[:2]
    places = [(4, 4), (4, width - 5), (height - 5, width - 5), (height - 5, 4)]
    names = {"r": (255, 0, 0), "g": (0, 255, 0), "b": (0, 0, 255), "w": (255, 255, 255)}
    return "".join(
        min(names, key=lambda name: np.abs(picture[at].astype(int) - names[name]).sum())
        for at in places
    )


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("mp4", "libx264"),
        ("mov", "mpeg4"),
        ("webm", "libvpx"),
        ("webm", "libvpx-vp9"),
        ("matroska", "mjpeg"),
        ("avi", "mpeg4"),
        ("mpegts", "mpeg2video"),
        ("ogg", "libvpx"),
        ("flv", "flv"),
    ],
)
def test_frames_come_in_order_with_their_times(kind: str, codec: str) -> None:
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    clip = written_clip(ramp(20), kind=kind, codec=codec, rate=25, pixels=pixels)
    video = Video(clip)
    frames = list(video.frames())
    assert [frame.index for frame in frames] == list(range(20))
    assert np.allclose([frame.time for frame in frames], np.arange(20) / 25, atol=0.002)
    levels = [frame.picture.mean() for frame in frames]
    assert np.allclose(levels, 20 + 5 * np.arange(20), atol=4)
    assert video.header.size == (64, 48)
    assert not video.warnings
    assert frames[0].picture.shape == (48, 64, 3)
    assert frames[0].picture.dtype == np.uint8


def test_a_rate_takes_frames_by_their_times() -> None:
    ticks = [0, 1, 2, 3, 4, 5, 20, 21, 22, 60, 61]  # in tenths of a second
    clip = written_clip(ramp(len(ticks)), ticks=ticks, rate=10, kind="matroska")
    taken = [(frame.index, round(frame.time, 3)) for frame in Video(clip).frames(2)]
    assert taken == [(0, 0.0), (5, 0.5), (6, 2.0), (9, 6.0)]


@pytest.mark.parametrize("rate", [0.5, 3, 7.5, 10, 29.97])
def test_the_clock_takes_the_first_frame_of_each_tick(rate: float) -> None:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.choice([0.01, 0.04, 0.3, 2.0], 200) * rng.uniform(0.5, 1, 200))
    clock = FrameClock(rate)
    taken = [time for time in times if clock.takes(time)]
    expected = {int(time * rate): time for time in reversed(times)}
    assert taken == sorted(expected.values())
    steady = FrameClock(10)
    assert all(steady.takes(k / 10) for k in range(1000))


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate must be above 0"):
        Video(written_clip(ramp(2))).frames(rate)


def test_a_clip_can_be_read_twice_and_left_half_way() -> None:
    video = Video(written_clip(ramp(9)))
    frames = video.frames()
    next(frames)
    del frames
    assert [len(list(video.frames())) for _ in range(2)] == [9, 9]


@pytest.mark.parametrize(
    ("matrix", "corner_order"),
    [
        ((1, 0, 0, 1), "rgbw"),
        ((0, 1, -1, 0), "wrgb"),  # a quarter to the right
        ((-1, 0, 0, -1), "bwrg"),
        ((0, -1, 1, 0), "gbwr"),  # a quarter to the left
        ((-1, 0, 0, 1), "grwb"),  # mirrored
    ],
)
def test_clips_come_upright(matrix: tuple[int, int, int, int], corner_order: str) -> None:
    clip = written_clip([corners()] * 2, pixels="yuv444p")
    a, b, c, d = (65536 * value for value in matrix)
    at = clip.find(STORED_UPRIGHT, clip.find(b"tkhd"))
    turned_clip = clip[:at] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + clip[at + 36 :]
    picture = next(Video(turned_clip).frames()).picture
    assert seen(picture) == corner_order
    assert picture.shape == ((64, 48, 3) if matrix[0] == 0 else (48, 64, 3))
    assert picture.flags.c_contiguous


def test_a_broken_matrix_turns_nothing() -> None:
    picture = corners()
    for matrix in (None, b"", b"\0" * 20, b"\0" * 36, UPRIGHT):
        assert np.array_equal(turned(picture, matrix), picture)


def test_pixels_that_are_not_square_are_made_so() -> None:
    clip = written_clip(ramp(3), aspect=Fraction(3, 2), codec="mpeg4")
    assert next(Video(clip).frames()).picture.shape == (48, 96, 3)


def test_large_frames_are_scaled_down() -> None:
    clip = written_clip(ramp(3, (200, 100)))
    picture = next(Video(clip, VideoLimits(longest=50)).frames()).picture
    assert picture.shape == (25, 50, 3)


@pytest.mark.parametrize("size", [(63, 47), (2, 2), (16, 200)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    clip = written_clip(ramp(3, size), kind="matroska", codec="ffv1", pixels="yuv444p")
    assert next(Video(clip).frames()).picture.shape == (size[1], size[0], 3)


def test_a_gif_has_its_times_and_lies_on_white() -> None:
    pictures = []
    for level in (0, 80, 160):
        image = Image.new("RGBA", (32, 24), (0, 0, 0, 0))
        image.paste((level, 0, 0, 255), (0, 0, 16, 24))
        pictures.append(image)
    stream = io.BytesIO()
    pictures[0].save(
        stream,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[100, 500, 2000],
        loop=0,
        disposal=2,
    )
    video = Video(stream.getvalue())
    frames = list(video.frames())
    assert [round(frame.time, 2) for frame in frames] == [0, 0.1, 0.6]
    assert not video.warnings  # though the last frame is shown for two seconds
    for frame, level in zip(frames, (0, 80, 160), strict=True):
        assert np.abs(frame.picture[12, 4].astype(int) - (level, 0, 0)).max() <= 4
        assert frame.picture[12, 28].tolist() == [255, 255, 255]


def test_a_transparent_webm_is_read() -> None:
    picture = np.zeros((48, 64, 4), np.uint8)
    picture[:, :32] = (200, 0, 0, 255)
    clip = written_clip([picture] * 3, kind="matroska", codec="ffv1", pixels="bgra")
    shown = next(Video(clip).frames()).picture
    assert shown[5, 5].tolist() == [200, 0, 0]
    assert shown[5, 60].tolist() == [255, 255, 255]


def test_one_frame_is_a_clip() -> None:
    frames = list(Video(written_clip(ramp(1))).frames(10))
    assert [(frame.index, frame.time) for frame in frames] == [(0, 0.0)]


def test_a_long_clip_is_refused_or_cut(tmp_path: Path) -> None:
    file = tmp_path / "long.mp4"
    file.write_bytes(written_clip(ramp(109), rate=Fraction(1, 100)))  # three hours
    with pytest.raises(VideoError, match=r"takes 10,900 s, at most 3,600 are accepted; cut it"):
        Video(file)
    video = Video(file, VideoLimits(cut_longer=True))
    frames = list(video.frames())
    assert len(frames) == 36
    assert frames[-1].time < 3600
    assert video.warnings == ()  # the rest was not asked for


def test_a_clip_that_is_longer_than_it_says_is_cut_with_a_warning() -> None:
    """A bare stream says nothing of its length."""
    clip = written_clip(ramp(30), kind="h264")
    video = Video(clip, VideoLimits(max_seconds=0.5))
    assert video.header.seconds is None
    frames = list(video.frames())
    assert 1 < len(frames) < 30
    assert frames[-1].time < 0.5
    assert f"only the first {len(frames)} frames" in video.warnings[0]
    few = Video(clip, VideoLimits(max_seconds=0.5, max_frames=3, cut_longer=True))
    assert len(list(few.frames())) == 3
    assert "only the first 3 frames" in few.warnings[0]


@pytest.mark.parametrize(
    ("seconds", "rate", "count"),
    [(0.6, 10, 6), (0.61, 10, 7), (1.2, 10, 12), (6.0, 10, 60), (0.01, 10, 1), (2.002, 29.97, 60)],
)
def test_the_frame_at_the_bound_is_beyond_it(seconds: float, rate: float, count: int) -> None:
    """Of 60 frames of 1.001 / 30 s the next one would be at 2.002 s."""
    clip = written_clip(ramp(70), rate=Fraction(30_000, 1001) if rate == 29.97 else Fraction(rate))
    frames = list(Video(clip, VideoLimits(max_seconds=seconds, cut_longer=True)).frames())
    assert len(frames) == count


def test_no_more_frames_than_bound() -> None:
    video = Video(written_clip(ramp(30)), VideoLimits(max_frames=7))
    assert len(list(video.frames())) == 7
    assert "only the first 7 frames" in video.warnings[0]


def test_a_large_frame_is_refused_before_it_is_decoded() -> None:
    clip = written_clip(ramp(2, (320, 240)))
    with pytest.raises(VideoError, match=r"320 x 240 pixels \(76,800\), at most 76,000"):
        Video(clip, VideoLimits(max_pixels=76_000))
    assert list(Video(clip, VideoLimits(max_pixels=76_800)).frames())


def test_a_large_file_is_refused(tmp_path: Path) -> None:
    clip = written_clip(ramp(5))
    limits = VideoLimits(max_bytes=len(clip) - 1)
    file = tmp_path / "clip.mp4"
    file.write_bytes(clip)
    for source in (clip, file):
        with pytest.raises(VideoError, match="make the clip shorter or smaller"):
            Video(source, limits)


@pytest.mark.parametrize(
    "name", ["max_bytes", "max_seconds", "max_pixels", "max_frames", "longest"]
)
def test_limits_are_above_0(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be above 0, got 0"):
        VideoLimits(**{name: 0})  # type: ignore[arg-type]


def stream_of(size: tuple[int, int], count: int = 20) -> bytes:
    return written_clip(ramp(count, size), kind="mpegts", codec="mpeg2video", rate=25)


def test_the_size_may_change_in_mid_stream() -> None:
    video = Video(stream_of((64, 48)) + stream_of((96, 64)))
    frames = list(video.frames())
    sizes = [frame.picture.shape[:2] for frame in frames]
    assert set(sizes) == {(48, 64), (64, 96)}
    assert sizes == sorted(sizes)
    times = [frame.time for frame in frames]
    assert times == sorted(times)
    assert any("96 x 64 pixels, before 64 x 48" in warning for warning in video.warnings)


def test_a_frame_that_grows_too_large_ends_the_reading() -> None:
    clip = stream_of((64, 48)) + stream_of((320, 240))
    video = Video(clip, VideoLimits(max_pixels=10_000))
    frames = list(video.frames())
    assert {frame.picture.shape for frame in frames} == {(48, 64, 3)}
    assert len(frames) >= 15
    assert video.warnings


@pytest.mark.parametrize(
    ("kind", "codec"), [("webm", "libvpx"), ("avi", "mpeg4"), ("mpegts", "mpeg2video")]
)
def test_a_truncated_clip_gives_what_it_holds(kind: str, codec: str) -> None:
    clip = written_clip(noise(40), kind=kind, codec=codec, rate=10 if kind != "mpegts" else 25)
    video = Video(clip[: len(clip) * 6 // 10])
    frames = list(video.frames())
    assert 15 <= len(frames) < 35
    if kind != "mpegts":  # which declares no length
        assert video.warnings


def test_a_truncated_mp4_with_its_index_first() -> None:
    clip = written_clip(noise(40), options={"movflags": "faststart"})
    video = Video(clip[: len(clip) * 6 // 10])
    frames = list(video.frames())
    assert 15 <= len(frames) < 35
    assert any("header says 4.0 s: the file is cut short" in text for text in video.warnings)


def test_a_truncated_mp4_without_an_index_is_refused() -> None:
    clip = written_clip(noise(10))
    with pytest.raises(VideoError, match="the file is a damaged clip, or one cut short"):
        Video(clip[: len(clip) // 2])


def test_damage_in_the_middle_is_passed_over() -> None:
    clip = bytearray(written_clip(noise(40), options={"movflags": "faststart"}))
    begin = clip.find(b"mdat")
    for at in np.random.default_rng(0).integers(begin + 9000, len(clip), 400):
        clip[at] ^= 0xFF
    video = Video(bytes(clip))
    assert 10 <= len(list(video.frames())) <= 40
    assert "damaged and were left out" in " ".join(video.warnings)


def test_nothing_decodable_is_an_error() -> None:
    clip = bytearray(written_clip(ramp(3), options={"movflags": "faststart"}))
    begin = clip.find(b"mdat") + 4
    clip[begin:] = os.urandom(len(clip) - begin)
    with pytest.raises(VideoError, match="no frame that can be decoded"):
        list(Video(bytes(clip)).frames())


@pytest.mark.parametrize("cut", range(0, 400, 23))
def test_any_beginning_of_a_clip_gives_frames_or_an_error(cut: int) -> None:
    for kind, codec in (("webm", "libvpx"), ("avi", "mpeg4")):
        clip = written_clip(ramp(4), kind=kind, codec=codec)
        with contextlib.suppress(VideoError):
            assert list(Video(clip[: 3 * cut]).frames())


PICTURE = io.BytesIO()
Image.new("RGB", (8, 8)).save(PICTURE, "JPEG")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the clip is empty, expected a clip"),
        (b"hello world " * 99, "of an unknown format"),
        (b"\0" * 5000, "of an unknown format"),
        (PICTURE.getvalue(), "the file is a JPEG picture, expected a clip"),
        (b"<html>" * 99, "HTML or XML"),
        (sound_only(), "sound only"),
    ],
)
def test_what_is_no_clip_is_refused_by_name(data: bytes, message: str) -> None:
    with pytest.raises(VideoError, match=message):
        Video(data)


def test_paths_that_hold_no_clip(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path / "none.mp4", "cannot be read: No such file"),
        (tmp_path, "is a folder, expected a clip's file"),
        (tmp_path / "pipe", "is no regular file"),
        (Path("a\0b"), "cannot be read"),
    ):
        with pytest.raises(VideoError, match=message):
            Video(path)
    with pytest.raises(TypeError, match="source must be a Path or bytes, got str"):
        Video("clip.mp4")  # type: ignore[arg-type]


def lists_of(path: Path) -> dict[str, bytes]:
    return {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2.0,\n{path}\n#EXT-X-ENDLIST\n".encode(),
        "concat": f"ffconcat version 1.0\nfile '{path}'\n".encode(),
        "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        b"m=video 5 RTP/AVP 96",
        "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period>'
        b"<AdaptationSet><Representation><BaseURL>%s</BaseURL></Representation></AdaptationSet>"
        b"</Period></MPD>" % str(path).encode(),
    }


@pytest.mark.parametrize("kind", ["hls", "concat", "sdp", "dash"])
def test_lists_of_other_files_are_refused(kind: str, tmp_path: Path) -> None:
    clip = tmp_path / "clip.ts"
    clip.write_bytes(stream_of((64, 48)))
    file = tmp_path / f"list.{kind}"
    file.write_bytes(lists_of(clip)[kind])
    before = os.stat(clip).st_atime_ns
    with pytest.raises(VideoError, match=r"which names (other files|addresses)"):
        Video(file)
    assert os.stat(clip).st_atime_ns == before


def test_readers_of_other_files_are_not_on_the_list() -> None:
    others = {"hls", "dash", "concat", "sdp", "rtsp", "image2", "lavfi", "imf", "concatf", "vobsub"}
    assert not others & set(CONTAINERS)


def test_a_name_that_is_a_protocol_is_only_a_name(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(written_clip(ramp(2)))
    with pytest.raises(VideoError, match="No such file"):
        Video(Path(f"concat:{clip}"))


def test_memory_does_not_grow_with_the_clip() -> None:
    clip = written_clip(ramp(200, (640, 480)), codec="mpeg4")  # 185 MB of pictures
    process = psutil.Process()
    used = [process.memory_info().rss for _ in Video(clip).frames()]
    assert max(used[20:]) - used[20] < 30e6


@pytest.mark.data
def test_the_clips_at_hand(data_dir: Path) -> None:
    for name, frames, last in (("bottle", 1189, 39.8), ("person", 1394, 139.3)):
        video = Video(data_dir / "video" / f"{name}.mp4")
        assert sum(1 for _ in video.frames(0.2)) == round(last / 5 + 0.5)
        assert abs(video.header.seconds - last) < 0.2
        assert not video.warnings
        assert frames / video.header.seconds == pytest.approx(video.header.rate, abs=0.01)
