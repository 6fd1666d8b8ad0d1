"""The pages' files and headers."""

import gzip
import re
from pathlib import Path

import pytest
from service_parts import is_problem

from snapshelf.media import Limits
from snapshelf.pages.theme import ThemeError
from snapshelf.service import Settings, create_app
from snapshelf.service.clip_bounds import ClipBounds
from snapshelf.service.page_files import PageFiles
from snapshelf.shelf import Shelf


def test_a_page_has_a_strict_policy_and_nothing_inline(client):
    page = client.get("/")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["permissions-policy"].startswith("camera=(self)")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page.text)
    # From this service only, and in whatever folder a proxy puts it.
    assert not re.findall(r'(?:src|href)="(?:/|https?:)', page.text)


@pytest.mark.parametrize(("seconds", "words"), [(600.0, "10 minutes"), (45.0, "45 s")])
def test_the_page_says_how_large_what_is_searched_with_may_be(start, seconds, words):
    bounds = ClipBounds(max_bytes=30 * 1024**2, max_seconds=seconds)
    page = start(limits=Limits(max_bytes=7 * 1024**2), clips=bounds).get("/").text
    assert f"Photos up to 7 MB, clips up to 30 MB and {words}." in page


def test_every_file_that_a_page_names_is_there_and_may_be_kept_for_good(client):
    names = re.findall(r'(?:src|href)="(static/[^"]+)"', client.get("/").text)
    assert len(names) > 5
    for name in names:
        file = client.get(f"/{name}")
        assert file.status_code == 200, name
        assert "immutable" in file.headers["cache-control"]
        known = {"If-None-Match": file.headers["etag"]}
        again = client.get(f"/{name}", headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == file.headers["etag"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("api.js", "text/javascript; charset=utf-8"),
        ("shop.css", "text/css; charset=utf-8"),
        ("theme.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
def test_files_have_their_types_packed_or_not(client, name, kind):
    plain = client.get(f"/static/{name}", headers={"Accept-Encoding": "identity"})
    assert plain.headers["content-type"] == kind
    assert plain.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in plain.headers
    packed = client.get(f"/static/{name}", headers={"Accept-Encoding": "gzip"})
    assert packed.content == plain.content
    if name != "icon.svg":
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["etag"] != plain.headers["etag"]
        assert gzip.compress(plain.content, 9, mtime=0)


def test_a_file_of_an_older_page_is_given_but_not_for_good(client):
    file = client.get("/static/0123456789ab/api.js")
    assert file.status_code == 200
    assert file.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nothing.js",
        "../render.py",
        "..%2f..%2frender.py",
        "%2e%2e/render.py",
        "/etc/passwd",
        "templates/page.css",
        "x/../../theme.py",
        "api.js%00.css",
        "api.js/",
    ],
)
def test_nothing_else_can_be_asked_for(client, name):
    is_problem(client.get(f"/static/{name}"), 404, "not-found")


def test_the_version_changes_with_a_file():
    one, other = PageFiles({"theme.css": "a"}), PageFiles({"theme.css": "b"})
    assert one.version == PageFiles({"theme.css": "a"}).version != other.version


def test_a_theme_is_shown_and_its_words_are_words(start, tmp_path: Path):
    theme = tmp_path / "theme.toml"
    theme.write_text(
        'name = "<b>Fish & Co</b>"\nmark = "F"\nlocale = "de-AT"\nhome = "https://fish.example/"\n'
        '[light]\naccent = "#7a1f5c"\n',
        encoding="utf-8",
    )
    client = start(theme=theme)
    page = client.get("/").text
    assert "&lt;b&gt;Fish &amp; Co&lt;/b&gt;" in page
    assert "<b>Fish" not in page
    assert 'data-locale="de-AT"' in page
    assert 'href="https://fish.example/"' in page
    assert "--accent:#7a1f5c;--accent-ink:#ffffff" in client.get("/static/theme.css").text


def test_a_service_does_not_start_with_a_theme_that_cannot_be(shelf, tmp_path: Path):
    with Shelf.open(shelf) as opened, pytest.raises(ThemeError, match="cannot be read"):
        create_app(opened, Settings(theme=tmp_path / "none.toml"))


def test_settings_tell_what_a_page_may_be(tmp_path: Path):
    with pytest.raises(ValueError, match="page must be one of open, key, off, got 'all'"):
        Settings(page="all")
    with pytest.raises(ValueError, match="there are no keys"):
        Settings(page="key")
