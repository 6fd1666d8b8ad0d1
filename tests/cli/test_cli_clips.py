"""`snapshelf search` and `snapshelf annotate` with clips, mixed with photos."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from small_shop import draw

from written_clip import sound_only, written_clip


def shown(*shots: tuple[int, int]) -> bytes:
    """A clip of ten frames a second: for each shot the product's number and its frames."""
    pictures = [np.asarray(draw(number, 160)) for number, count in shots for _ in range(count)]
    return written_clip(pictures, pixels="yuv444p")


@pytest.fixture(scope="module")
def clip_bytes() -> bytes:
    return shown((3, 10), (1, 8), (3, 7), (40, 6))


@pytest.fixture
def clip(clip_bytes: bytes, tmp_path: Path) -> Path:
    """P3, P1, P3 again and something unknown."""
    file = tmp_path / "clip.mp4"
    file.write_bytes(clip_bytes)
    return file


def lines(file="found.jsonl"):
    return [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]


def test_photos_and_clips_mixed_as_json(shop, shelf, clip, process):
    done = process("search", clip, shop / "street.jpg", "--shelf", shelf, "--json")
    assert (done.code, done.err) == (0, "")
    asked, photo = done.json
    assert list(asked) == list(photo) == ["file", "items"]
    assert photo["items"][0]["item"] == {"box": [0, 0, 160, 160], "label": ""}
    first, second = asked["items"][:2]
    assert list(first["item"]) == ["box", "label", "frames", "seconds", "spans", "best"]
    assert first["item"]["frames"] == [0, 24]
    assert first["item"]["seconds"] == pytest.approx([0, 2.4])
    assert [span for pair in first["item"]["spans"] for span in pair] == pytest.approx(
        [0, 0.9, 1.8, 2.4]
    )
    assert first["item"]["best"]["box"] == first["item"]["box"]
    assert first["matches"][0]["product"]["id"] == "P3"
    assert second["matches"][0]["product"]["id"] == "P1"
    assert second["item"]["frames"] == [10, 17]


def test_the_table_tells_when_and_what_is_not_sold(shelf, clip, cli):
    done = cli("search", clip, "--shelf", shelf, "--top", 2)
    assert (done.code, done.err) == (0, "")
    titles = [line for line in done.out.splitlines() if line.startswith("clip.mp4")]
    assert len(titles) == 3
    assert titles[0].startswith("clip.mp4, item 1, 0:00.0 to 0:00.9, 0:01.8 to 0:02.4")
    assert titles[1].startswith("clip.mp4, item 2, 0:01.0 to 0:01.7")
    assert re.match(r"clip.mp4, item 3, 0:02.5 to 0:03.0: not in this shop \(nearest: P", titles[2])
    assert "Product 3" in done.out


def test_a_product_whose_title_is_its_id_is_named_once(shop, clip, cli):
    assert cli("index", shop / "pics", "--shelf", "own", "--system", "classical").code == 0
    done = cli("search", clip, "--shelf", "own", "--top", 1)
    assert re.search(r"not in this shop \(nearest: \d, similarity", done.out)


def test_the_page_has_a_timeline(shop, shelf, clip, cli):
    done = cli("search", clip, shop / "street.jpg", "--shelf", shelf, "--html", "page.html")
    assert done.code == 0
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.count('class="timeline"') == 1
    assert "0:00.0 to 0:00.9, 0:01.8 to 0:02.4" in page
    assert "data:image/jpeg;base64," in page
    assert "<script" not in page


def test_what_cannot_be_read_is_skipped_and_told(shop, shelf, clip, cli, tmp_path):
    whole = clip.read_bytes()
    bad = {
        "empty.mp4": (b"", "empty"),
        "sound.mkv": (sound_only(), "sound only"),
        "cut.mp4": (whole[: len(whole) // 2], "cut short"),
        "text.mov": (b"no clip" * 99, "unknown format"),
    }
    for name, (data, _) in bad.items():
        (tmp_path / name).write_bytes(data)
    done = cli("search", *bad, "gone.webm", clip, "--shelf", shelf, "--top", 1, "--json")
    assert done.code == 3
    assert "Traceback" not in done.err
    told = done.err.splitlines()
    assert len(told) == 5
    for line, name, (_, reason) in zip(told, bad, bad.values(), strict=False):
        assert line.startswith("skipped: ")
        assert name in line
        assert reason in line
    assert "gone.webm" in told[4]
    assert [bool(asked["items"]) for asked in done.json] == [False] * 5 + [True]


def test_a_clip_cut_short_is_searched_with_a_warning(shelf, cli, tmp_path):
    pictures = [np.asarray(draw(number, 160)) for number in (3, 1) for _ in range(15)]
    whole = written_clip(pictures, kind="matroska", pixels="yuv444p")
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 3 // 4])
    done = cli("search", "cut.mkv", "--shelf", shelf, "--json", "--top", 1)
    assert done.code == 0
    assert done.err.startswith("warning: cut.mkv: ")
    (asked,) = done.json
    assert asked["warnings"]
    assert asked["items"][0]["matches"][0]["product"]["id"] == "P3"


def test_bounds_of_clips(shelf, clip, cli):
    given = ("search", clip, "--shelf", shelf, "--json", "--top", 1)
    short = cli(*given, "--max-seconds", 0.9)
    assert short.code == 0
    assert [found["item"]["frames"] for found in short.json[0]["items"]] == [[0, 8]]
    assert short.err == ""  # that the rest was not read is what was asked for
    assert "warnings" not in short.json[0]
    rare = cli(*given, "--rate", 2)
    assert rare.json[0]["items"][0]["item"]["frames"][0] == 0
    for option in ("--max-seconds", "--rate"):
        for value in ("0", "-1", "nan", "inf"):
            refused = cli(*given, option, value)
            assert refused.code == 2, (option, value)
            assert "above 0" in refused.err


def test_another_locator(shelf, cli, tmp_path):
    """P3 on a plain ground: proposals find it, the whole picture is what the system takes."""
    picture = np.full((240, 320, 3), 128, np.uint8)
    picture[40:200, 60:220] = np.asarray(draw(3, 160))
    (tmp_path / "ground.mp4").write_bytes(written_clip([picture] * 8, pixels="yuv444p"))
    given = ("search", "ground.mp4", "--shelf", shelf, "--json", "--top", 1)
    (whole,) = cli(*given, "--locator", "whole").json[0]["items"]
    assert whole["item"]["box"] == [0, 0, 320, 240]
    found = cli(*given, "--locator", "proposals").json[0]["items"]
    assert "P3" in [one["matches"][0]["product"]["id"] for one in found]
    assert all(one["item"]["box"] != [0, 0, 320, 240] for one in found)
    refused = cli(*given, "--locator", "nobody")
    assert refused.code == 1
    assert "choose from still, proposals, whole, which need no training" in refused.err
    assert "in snapshelf's source repository" in refused.err  # the package has no recipes


def test_what_comes_before_a_still_camera(shelf, cli, tmp_path):
    """P3 is taken out of the picture, and what was behind it is known."""
    empty = np.full((240, 320, 3), 235, np.uint8)
    shown = empty.copy()
    shown[40:200, 60:220] = np.asarray(draw(3, 160))
    pictures = [shown] * 25 + [empty] * 5
    (tmp_path / "still.mp4").write_bytes(written_clip(pictures, pixels="yuv444p"))
    given = ("still.mp4", "--shelf", shelf, "--locator", "still", "--top", 1)
    done = cli("search", *given, "--json")
    assert (done.code, done.err) == (0, "")
    (found,) = done.json[0]["items"]
    assert found["item"]["box"] == pytest.approx([60, 40, 220, 200], abs=4)
    assert found["item"]["seconds"] == pytest.approx([0, 2.4], abs=0.3)
    assert found["matches"][0]["product"]["id"] == "P3"
    assert cli("annotate", *given, "--out", "found.jsonl").code == 0
    (line,) = lines()
    assert line["items"][0]["item"]["box"] == found["item"]["box"]


def test_three_hours_are_refused_or_cut(shelf, cli, tmp_path):
    """Frames half an hour apart make a clip that long."""
    pictures = [np.asarray(draw(number % 6, 160)) for number in range(7)]
    ticks = [18_000 * number for number in range(7)]
    (tmp_path / "long.mkv").write_bytes(
        written_clip(pictures, kind="matroska", ticks=ticks, pixels="yuv444p")
    )
    done = cli("search", "long.mkv", "--shelf", shelf)
    assert done.code == 3
    assert "at most 3,600 are accepted" in done.err
    done = cli("search", "long.mkv", "--shelf", shelf, "--max-seconds", 2000, "--json")
    assert done.code == 0
    assert len(done.json[0]["items"]) == 2


@pytest.mark.parametrize("option", [("--box", "0,0,9,9"), ("--point", "5,5")])
def test_an_item_of_a_clip_is_not_chosen_by_a_box(shelf, clip, cli, option):
    done = cli("search", clip, "--shelf", shelf, *option)
    assert done.code == 2
    assert "not of a clip" in " ".join(done.err.replace("│", " ").split())


def test_a_folder_with_clips_is_annotated(shop, shelf, clip, cli, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "b.mp4").write_bytes(clip.read_bytes())
    (folder / "c.mp4").write_bytes(b"")
    draw(2, 160).save(folder / "a.png")
    frames = [draw(number, 64) for number in (5, 4)]
    frames[0].save(folder / "d.gif", save_all=True, append_images=frames[1:], duration=1000)
    done = cli("annotate", folder, "--shelf", shelf, "--out", "found.jsonl", "--top", 2)
    assert done.code == 3
    assert "c.mp4 is empty" in done.err
    assert done.err.endswith("wrote found.jsonl: 1 picture, 2 clips; 1 skipped\n")
    photo, whole, empty, moving = lines()
    assert list(photo) == ["picture", "items"]
    assert list(whole) == list(moving) == ["clip", "items"]
    assert list(empty) == ["clip", "items", "error"]
    assert whole["clip"] == str(folder / "b.mp4")
    first = whole["items"][0]
    assert first["item"]["seconds"] == pytest.approx([0, 2.4])
    assert first["matches"][0]["product"]["id"] == "P3"
    assert len(first["matches"]) == 2
    found = [found["matches"][0]["product"]["id"] for found in moving["items"]]
    assert found == ["P5", "P4"]


def test_clips_need_room_for_their_times(shop, shelf, clip, cli):
    done = cli("annotate", clip, shop / "street.jpg", "--shelf", shelf, "--out", "found.csv")
    assert done.code == 3
    assert f"skipped: {clip}: annotating a clip needs a .jsonl file" in done.err
    assert "wrote found.csv: 1 picture; 1 skipped\n" in done.err
