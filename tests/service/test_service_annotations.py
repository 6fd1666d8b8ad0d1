"""Many pictures annotated over HTTP."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from service_parts import draw, file_of, is_problem, png, until_over

from snapshelf.service.api_keys import add_key


@pytest.fixture
def begin(start, tmp_path: Path):
    secret = add_key(tmp_path / "keys.json", "all", "write")

    def with_settings(**settings: object) -> httpx.Client:
        client = start(keys=tmp_path / "keys.json", **settings)
        client.headers["Authorization"] = f"Bearer {secret}"
        return client

    return with_settings


@pytest.fixture
def writer(begin) -> httpx.Client:
    return begin()


def files(*pairs: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("pictures", pair) for pair in pairs]


def rounded(value):
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def test_the_lines_are_those_of_the_command(writer, shelf: Path, tmp_path: Path) -> None:
    sent = {"a.png": png(1), "b.jpg": file_of(draw(2, 90), "JPEG"), "c.png": b"not one"}
    answer = writer.post("/v1/annotations", files=files(*sent.items()), data={"top": "3"})
    job = until_over(writer, answer)
    assert job["status"] == "done", job
    assert job["so_far"] == {"pictures": 3, "of": 3, "skipped": 1}
    result = job["result"]
    assert (result["pictures"], result["skipped"], result["items"]) == (3, 1, 2)
    got = writer.get(result["lines"])
    assert got.headers["content-type"] == "application/jsonl"
    assert "attachment" in got.headers["content-disposition"]

    folder = tmp_path / "studio"
    folder.mkdir()
    for name, data in sent.items():
        (folder / name).write_bytes(data)
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "snapshelf", "annotate", *(str(folder / n) for n in sent)]
    command += ["--shelf", str(shelf), "--out", str(out), "--top", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 3, ended.stderr
    expected = [json.loads(line) for line in out.read_text().splitlines()]
    told = [json.loads(line) for line in got.text.splitlines()]
    for own, theirs in zip(told, expected, strict=True):
        # The command names paths, and so do its errors.
        assert own.pop("picture") == Path(theirs.pop("picture")).name
        assert ("error" in own) == ("error" in theirs)
        theirs.pop("error", None)
        if "error" in own:
            assert "unknown format" in own.pop("error")
        # Of other pictures embedded beside them the last digits differ.
        assert rounded(own) == rounded(theirs)


def test_names_and_pictures_of_every_kind_come_through(writer) -> None:
    names = ["../../x.png", "<script>alert(1)</script>.png", "é🥿.png", "a\x07b.png", "x" * 500]
    pairs = [*((name, png(3)) for name in names), ("one.png", file_of(draw(1, 1))), ("no.png", b"")]
    pairs.append(("svg.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"))
    job = until_over(writer, writer.post("/v1/annotations", files=files(*pairs)))
    lines = [json.loads(line) for line in writer.get(job["result"]["lines"]).text.splitlines()]
    assert len(lines) == len(pairs)
    assert lines[0]["picture"] == "../../x.png"
    assert lines[3]["picture"].startswith("a")
    assert "\x07" not in lines[3]["picture"]
    assert len(lines[4]["picture"]) == 300
    assert all("error" not in line for line in lines[:5])
    assert all(line["error"] for line in lines[6:])
    best = {line["items"][0]["matches"][0]["product"]["id"] for line in lines[:5]}
    assert best == {"P3"}


def test_options_count(writer) -> None:
    data = {"top": "1", "filter": "brand=Zenith", "side": "shop"}
    answer = writer.post("/v1/annotations", files=files(("a.png", png(1))), data=data)
    (line,) = writer.get(until_over(writer, answer)["result"]["lines"]).text.splitlines()
    (match,) = json.loads(line)["items"][0]["matches"]
    assert match["product"]["brand"] == "Zenith"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"top": "0"}, "top"),
        ({"top": "1e9"}, "top"),
        ({"side": "moon"}, "side"),
        ({"filter": "brand="}, "filter"),
        ({"filter": "none=1"}, "none"),
        ({"more": "1"}, "more"),
    ],
)
def test_bad_options_are_refused_before_the_work(writer, data, told) -> None:
    answer = writer.post("/v1/annotations", files=files(("a.png", png(1))), data=data)
    assert told in is_problem(answer, 422, "invalid")


def test_bad_forms_are_refused(begin) -> None:
    client = begin(annotated_pictures=3, annotated_bytes=100_000)
    post = client.post
    is_problem(post("/v1/annotations", json={}), 415, "wrong-type")
    is_problem(post("/v1/annotations"), 415, "wrong-type")
    is_problem(post("/v1/annotations", data={"top": "1"}, files=[]), 415, "wrong-type")
    wrong = [("picture", ("a.png", png(1)))]
    assert "'pictures'" in is_problem(post("/v1/annotations", files=wrong), 422, "invalid")
    many = files(*((f"{n}.png", png(1)) for n in range(4)))
    is_problem(post("/v1/annotations", files=many), 400, "not-understood")
    large = files(("a.png", os.urandom(200_000)))
    is_problem(post("/v1/annotations", files=large), 413, "too-large")
    kind = {"Content-Type": "multipart/form-data"}
    is_problem(post("/v1/annotations", content=b"x", headers=kind), 400, "not-understood")
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    broken = b'--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\nabc'
    answer = post("/v1/annotations", content=broken, headers=kind)
    is_problem(answer, 422, "invalid")
    right = client.post("/v1/search", content=png(1), headers={"Content-Type": "image/png"})
    assert right.status_code == 200


def test_slow_and_broken_uploads_are_bounded(begin) -> None:
    client = begin(bulk_at_once=1, silence_s=0.5)
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    part = b'--x\r\nContent-Disposition: form-data; name="pictures"; filename="a"\r\n\r\n'
    statuses: list[int] = []

    def slow() -> Iterator[bytes]:
        yield part
        # While this one arrives there is no room for another.
        answer = client.post("/v1/annotations", files=files(("a.png", png(1))))
        statuses.append(answer.status_code)
        assert int(answer.headers["retry-after"]) >= 1
        yield png(1)
        time.sleep(2)

    is_problem(client.post("/v1/annotations", content=slow(), headers=kind), 408, "too-slow")
    assert statuses == [429]

    def gone() -> Iterator[bytes]:
        yield part + bytes(3_000_000)
        raise InterruptedError

    for _ in range(3):
        with pytest.raises(InterruptedError):
            client.post("/v1/annotations", content=gone(), headers=kind)
    ends = time.monotonic() + 20
    while (answer := client.post("/v1/annotations", files=files(("a.png", png(1))))).is_error:
        assert time.monotonic() < ends, answer.text
        time.sleep(0.05)
    assert until_over(client, answer)["status"] == "done"


def test_annotating_is_for_who_may_write(client) -> None:
    answer = client.post("/v1/annotations", files=files(("a.png", png(1))))
    is_problem(answer, 403, "not-allowed")


def test_what_is_given_up_ends_and_has_no_lines(writer) -> None:
    pairs = [(f"{n}.png", png(n % 6, 900)) for n in range(60)]
    begun = writer.post("/v1/annotations", files=files(*pairs))
    assert begun.status_code == 202
    url = begun.json()["job"]["url"]
    is_problem(writer.get(f"{url}.jsonl"), 409, "conflict")
    assert writer.delete(url).status_code == 200
    job = until_over(writer, begun)
    assert job["status"] == "cancelled"
    assert job["result"] is None
    is_problem(writer.get(f"{url}.jsonl"), 409, "conflict")
