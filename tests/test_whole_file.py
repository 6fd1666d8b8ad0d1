"""Files that are written whole or not at all."""

import os
import stat

import pytest

from snapshelf.whole_file import write_whole


def test_replaces_a_file_and_leaves_nothing_else(tmp_path):
    file = tmp_path / "made.bin"
    for data in (b"first", b""):
        write_whole(file, data)
        assert file.read_bytes() == data
    assert list(tmp_path.iterdir()) == [file]


def test_a_kill_leaves_the_old_file(tmp_path, monkeypatch):
    file = tmp_path / "made.bin"
    write_whole(file, b"old")

    def kill(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", kill)
    with pytest.raises(KeyboardInterrupt):
        write_whole(file, b"new")
    assert file.read_bytes() == b"old"


@pytest.mark.skipif(os.name != "posix", reason="permissions of other systems are other ones")
@pytest.mark.parametrize(("mask", "expected"), [(0o022, 0o644), (0o077, 0o600)])
def test_others_read_it_as_the_user_has_it(tmp_path, mask, expected):
    before = os.umask(mask)
    try:
        write_whole(tmp_path / "made.bin", b"data")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "made.bin").stat().st_mode) == expected
