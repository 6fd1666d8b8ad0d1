"""Telling clips from photos by what they hold."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snapshelf.media.clip_or_picture import is_clip
from written_clip import sound_only, written_clip


def pictures(count: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (32, 32, 3), dtype=np.uint8) for _ in range(count)]


def still(kind: str, count: int = 1, **options: object) -> bytes:
    stream = BytesIO()
    first, *rest = (Image.fromarray(each) for each in pictures(count))
    first.save(stream, kind, save_all=count > 1, append_images=rest, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "codec"),
    [
        ("mp4", "libx264"),
        ("mov", "mpeg4"),
        ("matroska", "libx264"),
        ("webm", "libvpx"),
        ("avi", "mpeg4"),
        ("mpegts", "mpeg2video"),
        ("mpeg", "mpeg2video"),
        ("ogg", "libvpx"),
        ("flv", "flv"),
        ("asf", "mpeg4"),
    ],
)
def test_containers_are_clips_whatever_their_name(kind: str, codec: str, tmp_path: Path) -> None:
    data = written_clip(pictures(8), kind=kind, codec=codec, rate=25)
    assert is_clip(data)
    (tmp_path / "photo.jpg").write_bytes(data)
    assert is_clip(tmp_path / "photo.jpg")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_photos_are_not_even_if_they_are_called_so(kind: str, tmp_path: Path) -> None:
    data = still(kind)
    assert not is_clip(data)
    if kind not in ("TIFF", "BMP"):
        (tmp_path / "clip.mp4").write_bytes(data)
        assert not is_clip(tmp_path / "clip.mp4")


def test_a_gif_is_a_clip_if_it_has_two_frames() -> None:
    assert not is_clip(still("GIF"))
    assert not is_clip(still("GIF", comment=b"one , two , three ," * 40))
    assert is_clip(still("GIF", 2))
    assert is_clip(written_clip(pictures(3), kind="gif", codec="gif", pixels="rgb8"))


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_other_animated_pictures_are_photos(kind: str) -> None:
    assert not is_clip(still(kind, 3))


def test_a_gif_cut_anywhere_is_told_without_fail() -> None:
    whole = still("GIF", 2)
    told = {is_clip(whole[:length]) for length in range(0, len(whole), 7)}
    assert told == {False, True}


@pytest.mark.parametrize("head", [b"", b"\0\0\0\x18ftypavif", b"%PDF-1.7", b"GIF89a", b"x"])
def test_what_is_neither_is_no_clip(head: bytes) -> None:
    assert not is_clip(head)


def test_heic_is_a_photo() -> None:
    assert not is_clip(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")


def test_what_tells_nothing_goes_by_its_name(tmp_path: Path) -> None:
    for name, expected in (("a.mp4", True), ("a.MOV", True), ("a.jpg", False), ("a", False)):
        assert is_clip(tmp_path / name) is expected  # there is no such file
        (tmp_path / name).write_bytes(b"what is this?")
        assert is_clip(tmp_path / name) is expected
    (tmp_path / "folder.mp4").mkdir()
    assert is_clip(tmp_path / "folder.mp4")
    assert is_clip(sound_only())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not is_clip(tmp_path / "pipe")
