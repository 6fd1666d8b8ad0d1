"""Where clips lie while they wait, and the bounds of them."""

from pathlib import Path

import pytest

from snapshelf.service.clip_bounds import ClipBounds
from snapshelf.service.clip_folder import ClipFolder
from snapshelf.service.problems import ProblemError


def test_the_disk_is_bounded_and_counted_off_again(tmp_path: Path) -> None:
    folder = ClipFolder(tmp_path, 10)
    one, two = folder.new_file(), folder.new_file()
    one.write(b"12345678")
    with pytest.raises(ProblemError, match="fill the disk"):
        two.write(b"123")
    one.delete()
    one.delete()
    two.write(b"1234567890")
    assert two.finish().read_bytes() == b"1234567890"
    assert two.path.stat().st_mode & 0o777 == 0o600
    assert two.path.parent.stat().st_mode & 0o777 == 0o700
    folder.close()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_service_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    living = ClipFolder(tmp_path, 100)
    kept = living.new_file()
    left = tmp_path / "snapshelf-clips-left"
    left.mkdir()
    (left / "lock").touch()
    (left / "clip").write_bytes(b"clip")
    other = tmp_path / "snapshelf-clips-other"
    other.mkdir()
    (other / "file").touch()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "lock").touch()
    (tmp_path / "snapshelf-clips-link").symlink_to(outside)
    new = ClipFolder(tmp_path, 100)
    new.prepare()
    assert not left.exists()
    assert kept.path.exists()
    assert (other / "file").exists()
    assert (outside / "lock").exists()
    new.close()
    kept.delete()
    living.close()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = ClipFolder(tmp_path / "none", 100)
    folder.prepare()
    with pytest.raises(ProblemError, match="cannot be kept"):
        folder.new_file()


@pytest.mark.parametrize("bound", ["max_bytes", "work_s", "workers", "most", "streams"])
def test_bounds_that_make_no_sense_are_refused(bound: str) -> None:
    with pytest.raises(ValueError, match=f"clips: {bound} must be above 0"):
        ClipBounds(**{bound: 0})
