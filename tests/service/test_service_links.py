"""Pictures kept for links, and pictures given back upright."""

import stat
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from service_parts import draw, file_of, is_problem, png

from snapshelf.service.kept_pictures import KeptPictures

RAW = {"Content-Type": "application/octet-stream"}


def test_a_picture_is_kept_for_its_time_and_no_longer(tmp_path: Path):
    now = 1_000_000.0
    kept = KeptPictures(tmp_path / "kept", most_bytes=1000, seconds=60, clock=lambda: now)
    name = kept.keep(b"jpeg")
    assert kept.read(name) == b"jpeg"
    file = tmp_path / "kept" / name
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    now += 59
    assert kept.read(name) == b"jpeg"
    now += 1
    assert kept.read(name) is None
    assert not file.exists()


def test_the_oldest_go_when_there_are_too_many_and_nothing_else_does(tmp_path: Path):
    now = 1_000_000.0
    kept = KeptPictures(tmp_path, most_bytes=1000, seconds=60, clock=lambda: now)
    (tmp_path / "notes.txt").write_text("x" * 5000)
    names = []
    for number in range(5):
        now += 1
        names.append(kept.keep(bytes([number]) * 300))
    assert [kept.read(name) is None for name in names] == [True, True, False, False, False]
    now += 58
    assert kept.read(names[-1]) is not None
    now += 10
    kept.keep(b"new")
    assert sorted(file.name for file in tmp_path.iterdir())[-1] == "notes.txt"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("name", ["", "..", "../x", "x" * 32, "A" * 32, "0" * 31, "0" * 33])
def test_only_names_as_given_are_read(tmp_path: Path, name):
    kept = KeptPictures(tmp_path / "kept", most_bytes=1000, seconds=60)
    (tmp_path / "x").write_text("secret")
    assert kept.read(name) is None


def test_a_link_keeps_the_pixels_and_nothing_else(start, tmp_path: Path):
    client = start(links=tmp_path / "links")
    exif = Image.Exif()
    exif[0x010E] = "where I live"
    answer = client.post("/v1/links", content=file_of(draw(1), "JPEG", exif=exif), headers=RAW)
    assert answer.status_code == 200
    told = answer.json()
    assert told["seconds"] == 30 * 86_400
    (file,) = (tmp_path / "links").iterdir()
    assert file.name == told["id"]
    assert b"where I live" not in file.read_bytes()
    shown = client.get(f"/v1/links/{told['id']}")
    assert shown.headers["content-type"] == "image/jpeg"
    assert Image.open(BytesIO(shown.content)).size == (48, 48)
    is_problem(client.get(f"/v1/links/{'0' * 32}"), 404, "not-found")
    is_problem(client.get("/v1/links/..%2f..%2fetc"), 404, "not-found")


def test_links_are_bounded(start, tmp_path: Path):
    client = start(links=tmp_path / "links")
    is_problem(client.post("/v1/links", content=b"no picture", headers=RAW), 422, "picture-refused")
    answers = [client.post("/v1/links", content=png(n), headers=RAW) for n in range(12)]
    assert [each.status_code for each in answers].count(200) <= 10
    is_problem(answers[-1], 429, "too-many-requests")


def test_without_a_folder_nothing_is_kept(client):
    is_problem(client.post("/v1/links", content=png(1), headers=RAW), 404, "not-found")


def test_a_picture_is_given_back_upright_and_not_too_large(client):
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = draw(1, 2000).resize((2000, 1000))
    answer = client.post("/v1/upright", content=file_of(sideways, "JPEG", exif=exif), headers=RAW)
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(BytesIO(answer.content)).size == (800, 1600)
    is_problem(client.post("/v1/upright", content=b"<svg/>", headers=RAW), 422, "picture-refused")
