"""`snapshelf contact-sheet`: sheets as asked for, the same again, and mistakes in one line."""

import numpy as np
import pytest
from PIL import Image

from snapshelf.media.decode import decode_picture


def sheet_of(path):
    return decode_picture(path.read_bytes())


@pytest.fixture
def pictures(shop):
    """Two shop pictures."""
    return [shop / "pics" / "0.png", shop / "pics" / "1.png"]


def test_a_row_for_each_picture(cli, pictures, tmp_path):
    done = cli("contact-sheet", *pictures, "--out", "sheet.png", "--views", 3, "--size", 40)
    assert done.code == 0, done.err
    assert "wrote sheet.png: 2 pictures, 3 street views of each" in done.err
    sheet = sheet_of(tmp_path / "sheet.png")
    # The picture, its matte, three street and two shop views; two pixels between them.
    assert sheet.shape == (2 * 42 - 2, 7 * 42 - 2, 3)
    assert (sheet[40:42] == sheet[40, 0]).all()
    matte = sheet[:40, 42:82]
    assert np.ptp(matte.astype(int), axis=2).max() == 0
    assert np.unique(matte[20]).size > 1
    views = [sheet[:40, 42 * n : 42 * n + 40].tobytes() for n in range(2, 7)]
    assert len(set(views)) == 5


def test_the_seed_decides(cli, pictures, tmp_path):
    for name, seed in (("a", 4), ("b", 4), ("c", 5)):
        out = f"{name}.png"
        assert cli("contact-sheet", *pictures, "--out", out, "--size", 32, "--seed", seed).code == 0
    first, again, other = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert first == again
    assert first != other


def test_a_jpeg_over_one_of_ours_from_a_street_photo_on_photos(cli, shop, tmp_path):
    (shop / "pics" / "broken.jpg").write_bytes(b"no picture")
    for _ in range(2):
        done = cli(
            "contact-sheet",
            shop / "street.jpg",
            "--out",
            "sheet.JPG",
            "--side",
            "street",
            "--views",
            1,
            "--size",
            50,
            "--backgrounds",
            shop / "pics",
        )
        assert done.code == 0, done.err
        assert "left out of the backgrounds: broken.jpg: " in done.err
    sheet = sheet_of(tmp_path / "sheet.JPG")
    assert sheet.shape == (50, 4 * 52 - 2, 3)
    # No matte is asked of a street photo: all of it counts.
    assert sheet[10:40, 60:90].min() > 240


def test_settings_from_a_file(cli, pictures, tmp_path):
    """Where nothing happens a shop view is the picture, up to where it lies."""
    calm = "\n".join(f"{name} = {{probability = 0}}" for name in ("shop_rotation", "shop_exposure"))
    (tmp_path / "calm.toml").write_text(
        f"[domain_shift]\nflip = 0\nshop_scale = [1.0, 1.0]\ncut_photos = 0\n{calm}\n"
    )
    options = ("--views", 1, "--size", 48, "--config", "calm.toml")
    assert cli("contact-sheet", pictures[0], "--out", "s.png", *options).code == 0
    sheet = sheet_of(tmp_path / "s.png").astype(int)
    shown, shop_view = sheet[:, :48], sheet[:, 150:198]
    assert np.abs(shown - shop_view).mean() < 4


def test_what_cannot_be_read_is_skipped_and_told(cli, pictures, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    done = cli(
        "contact-sheet", "broken.jpg", pictures[0], "none.png", "--out", "s.png", "--size", 32
    )
    assert done.code == 3
    assert "skipped: broken.jpg: " in done.err
    assert "skipped: none.png" in done.err
    assert "s.png: 1 picture, 8 street" in done.err
    assert (tmp_path / "s.png").exists()


def test_extreme_pictures(cli, tmp_path):
    for number, shape in enumerate([(1, 1), (1, 5000), (5000, 1)]):
        Image.fromarray(np.full((*shape, 3), 90, np.uint8)).save(tmp_path / f"{number}.png")
    done = cli("contact-sheet", "0.png", "1.png", "2.png", "--out", "s.png", "--size", 24)
    assert done.code == 0, done.err


MISTAKES = {
    "another kind of file": (["--out", "s.gif"], 2, "--out: s.gif must end in .jpg, .jpeg, .png"),
    "no folder": (["--out", "none/s.png"], 1, "there is no folder none"),
    "a folder": (["--out", "folder.png"], 1, "folder.png is a folder"),
    "something else": (["--out", "note.png"], 1, "note.png holds something else"),
    "the input": (["--out", "in.png"], 1, "in.png is what the command reads"),
    "too large": (["--out", "s.png", "--size", 1024, "--views", 900], 2, "fewer pictures or views"),
    "no views": (["--out", "s.png", "--views", 0], 2, "--views"),
    "no side": (["--out", "s.png", "--side", "gallery"], 2, "--side"),
    "no backgrounds": (["--out", "s.png", "--backgrounds", "none"], 1, "none is no folder"),
    "empty backgrounds": (["--out", "s.png", "--backgrounds", "empty"], 1, "holds no picture"),
    "no settings": (["--out", "s.png", "--config", "none.toml"], 1, "none.toml"),
    "no TOML": (["--out", "s.png", "--config", "note.png"], 1, "cannot be read as TOML"),
    "no table": (["--out", "s.png", "--config", "flat.toml"], 1, "domain_shift must be a table"),
    "no setting": (
        ["--out", "s.png", "--config", "wrong.toml"],
        1,
        "wrong.toml: domain_shift: unknown setting 'blurr'",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes_are_told_in_a_line_and_nothing_is_written(cli, shop, tmp_path, case):
    (tmp_path / "in.png").write_bytes((shop / "pics" / "0.png").read_bytes())
    (tmp_path / "note.png").write_text("mine: no table")
    (tmp_path / "flat.toml").write_text("domain_shift = 3\n")
    (tmp_path / "wrong.toml").write_text("[domain_shift]\nblurr = 1\n")
    for name in ("folder.png", "empty"):
        (tmp_path / name).mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    arguments, code, message = MISTAKES[case]
    done = cli("contact-sheet", "in.png", *arguments)
    assert (done.code, message in " ".join(done.err.split())) == (code, True), done.err
    assert "Traceback" not in done.err
    after = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    assert after == before


def test_nothing_that_can_be_read(cli, tmp_path):
    done = cli("contact-sheet", "none.jpg", "--out", "s.png")
    assert done.code == 1
    assert "none of the pictures can be read" in done.err
    assert not (tmp_path / "s.png").exists()
