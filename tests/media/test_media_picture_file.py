"""Reading the picture file that a user names."""

import os
from pathlib import Path

import pytest

from snapshelf.errors import PictureError
from snapshelf.media import Limits
from snapshelf.media.picture_file import read_picture_file


def test_a_file_is_read_whole_also_through_a_link(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"0123456789")
    (tmp_path / "link.jpg").symlink_to(file)
    assert read_picture_file(file, Limits(max_bytes=10)) == b"0123456789"
    assert read_picture_file(tmp_path / "link.jpg") == b"0123456789"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing.jpg", "cannot be read: No such file"),
        ("folder", "is a folder, expected a picture file"),
        ("pipe", "is no regular file"),
        ("large.jpg", "has more than the 10 bytes allowed"),
        ("a\0b", "cannot be read: embedded null byte"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large.jpg").write_bytes(b"0123456789x")
    with pytest.raises(PictureError, match=message):
        read_picture_file(tmp_path / name, Limits(max_bytes=10))
