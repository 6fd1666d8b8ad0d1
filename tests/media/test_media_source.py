"""Paths that a feed names: what is read, and what is refused."""

import os
import socket
from pathlib import Path

import pytest

from snapshelf.errors import PictureError
from snapshelf.media import Limits, PictureSource


class FakeFetcher:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.urls: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.urls.append(url)
        return self.data


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A feed's folder beside a secret, with links and things that are no files."""
    (tmp_path / "secret.txt").write_bytes(b"secret")
    folder = tmp_path / "feed"
    (folder / "pictures").mkdir(parents=True)
    (folder / "a.jpg").write_bytes(b"first")
    (folder / "pictures" / "Schöne Schuhe.jpg").write_bytes(b"second")
    (folder / "inside.jpg").symlink_to("pictures/Schöne Schuhe.jpg")
    (folder / "out.jpg").symlink_to("../secret.txt")
    (folder / "out").symlink_to("..")
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "dangling.jpg").symlink_to("nothing.jpg")
    (folder / "device.jpg").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe.jpg")
    return folder


@pytest.mark.parametrize(
    ("image", "content"),
    [
        ("a.jpg", b"first"),
        ("./a.jpg", b"first"),
        ("pictures/Schöne Schuhe.jpg", b"second"),
        ("pictures//Schöne Schuhe.jpg", b"second"),
        ("inside.jpg", b"second"),
    ],
)
def test_files_below_the_root(root: Path, image: str, content: bytes) -> None:
    source = PictureSource(root)
    assert source.read(image) == content
    path = root / image
    assert source.signature(image) == f"{path.stat().st_mtime_ns}:{len(content)}"


def test_the_root_itself_may_be_a_link_or_relative(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root.parent / "link").symlink_to(root)
    assert PictureSource(root.parent / "link").read("a.jpg") == b"first"
    monkeypatch.chdir(root.parent)
    source = PictureSource(Path("feed"))
    monkeypatch.chdir("/")
    assert source.read("a.jpg") == b"first"


BAD_PATHS = [
    ("", "path is empty"),
    ("  ", "path is empty"),
    ("missing.jpg", "missing.jpg: no such file in the feed's folder"),
    ("a.jpg/b.jpg", "cannot be found: Not a directory"),
    ("dangling.jpg", "dangling.jpg: no such file"),
    ("loop.jpg", "cannot be found"),
    ("x" * 5000, "cannot be found: File name too long"),
    ("a\0.jpg", "a path holds no NUL"),
    ("a\udcff\ud800.jpg", "cannot be found"),
    ("/etc/passwd", "must be relative"),
    ("//server/share/a.jpg", "must be relative"),
    ("C:\\pictures\\a.jpg", "must be relative"),
    ("C:a.jpg", "must be relative"),
    ("\\\\server\\share\\a.jpg", "must be relative"),
    ("../secret.txt", "may not climb out"),
    ("pictures/../a.jpg", "may not climb out"),
    ("pictures\\..\\..\\secret.txt", "may not climb out"),
    ("..", "may not climb out"),
    ("out.jpg", "a link leads out of the feed's folder"),
    ("out/secret.txt", "a link leads out of the feed's folder"),
    ("device.jpg", "a link leads out of the feed's folder"),
    ("pictures", "is a folder, expected a picture's file"),
    (".", "is a folder"),
    ("pipe.jpg", "is a device, pipe or socket"),
    ("file:///etc/passwd", "only http and https URLs"),
    ("file:a.jpg", "only http and https URLs"),
    ("FTP://example.com/a.jpg", "only http and https URLs"),
    ("data:image/png;base64,AAAA", "only http and https URLs"),
    ("http://example.com/a.jpg", "URLs are not fetched here"),
    ("HTTPS://example.com/a.jpg", "URLs are not fetched here"),
]


@pytest.mark.parametrize(("image", "message"), BAD_PATHS)
def test_paths_that_are_refused(root: Path, image: str, message: str) -> None:
    source = PictureSource(root)
    for ask in (source.read, source.signature):
        with pytest.raises(PictureError) as caught:
            ask(image)
        assert message in str(caught.value)
        assert str(root) not in str(caught.value), "the folder's place is nobody's business"


def test_a_socket_is_refused(root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix:
        try:
            unix.bind(str(root / "s.jpg"))
        except OSError:
            pytest.skip("the temporary folder's path is too long for a socket")
        with pytest.raises(PictureError, match="is a device, pipe or socket"):
            PictureSource(root).read("s.jpg")


def test_a_file_that_turns_into_a_pipe_is_not_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look-up and the opening, the file is swapped for a pipe, then for a link."""
    source = PictureSource(root)
    found = source._find("a.jpg")
    monkeypatch.setattr(source, "_find", lambda image: found)
    (root / "a.jpg").unlink()
    os.mkfifo(root / "a.jpg")
    with pytest.raises(PictureError, match="is a device, pipe or socket"):
        source.read("a.jpg")
    (root / "a.jpg").unlink()
    (root / "a.jpg").symlink_to("../secret.txt")
    with pytest.raises(PictureError, match="cannot be opened"):
        source.read("a.jpg")


def test_the_size_is_bound_for_files_and_urls(root: Path) -> None:
    small, exact = Limits(max_bytes=4), Limits(max_bytes=5)
    assert PictureSource(root, limits=exact).read("a.jpg") == b"first"
    with pytest.raises(PictureError, match=r"a\.jpg: larger than the 4 bytes"):
        PictureSource(root, limits=small).read("a.jpg")
    with pytest.raises(PictureError, match="larger than the 4 bytes"):
        PictureSource(root, limits=small, fetcher=FakeFetcher(b"first")).read("http://a/b")


def test_a_file_without_permission(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # root may read anything, whatever the file says
    with pytest.raises(PictureError, match=r"a\.jpg: cannot be opened: Permission denied"):
        PictureSource(root).read("a.jpg")


@pytest.mark.parametrize("url", ["http://example.com/a.jpg", "HTTPS://example.com/a b.jpg"])
def test_urls_go_to_the_fetcher(root: Path, url: str) -> None:
    fetcher = FakeFetcher(b"data")
    source = PictureSource(root, fetcher=fetcher)
    assert source.signature(url) == ""
    assert not fetcher.urls, "a signature asks nobody"
    assert source.read(url) == b"data"
    assert fetcher.urls == [url]


def test_a_signature_changes_with_the_file(root: Path) -> None:
    source = PictureSource(root)
    before = source.signature("a.jpg")
    assert source.signature("a.jpg") == before
    (root / "a.jpg").write_bytes(b"other")
    os.utime(root / "a.jpg", ns=(1, 1))
    assert source.signature("a.jpg") == "1:5" != before
