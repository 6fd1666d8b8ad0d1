"""Clips: sent, followed as a job, and shown over their time."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from browser_parts import titles, upload, wait_for_answer
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from written_clip import written_clip

JOB = {
    "id": "j1",
    "status": "queued",
    "url": "/v1/jobs/j1",
    "events": "/v1/jobs/j1/events",
}
WIDTH, HEIGHT, SECONDS, RATE = 320, 240, 6, 10


@pytest.fixture(scope="module")
def clip(photos) -> bytes:
    """Two photos in turn, three seconds each, in a form that every browser plays."""
    frames = []
    for photo in photos[:2]:
        with Image.open(photo.picture) as image:
            frame = np.asarray(image.convert("RGB").resize((WIDTH, HEIGHT)))
        frames += [frame] * (SECONDS * RATE // 2)
    return written_clip(frames, kind="webm", codec="libvpx", rate=RATE)


def answer_of(page: Page, photos) -> dict:
    """What the search of the two photos gives, as a clip's result."""
    items = []
    for place, photo in enumerate(photos[:2]):
        found = page.request.post(
            "/v1/search",
            data=photo.picture.read_bytes(),
            headers={"Content-Type": "image/jpeg", "Sec-Fetch-Site": "same-origin"},
        ).json()["items"][0]
        first = place * SECONDS / 2
        found["item"] |= {
            "box": [40, 20, 280, 220],
            "frames": [int(first * RATE), int((first + 2.5) * RATE)],
            "seconds": [first, first + 2.5],
            "best": {"seconds": first + 1.0, "box": [40, 20, 280, 220]},
        }
        items.append(found)
    return {"items": items, "size": [WIDTH, HEIGHT], "request_id": "clip1"}


def stand_in(page: Page, states: list[dict], *, events: bool) -> list[str]:
    """Answer as the jobs do; gives the list of what is asked."""
    asked: list[str] = []

    def answer(route: Route, work: Callable[[], dict]) -> None:
        asked.append(f"{route.request.method} {route.request.url.rpartition('/v1/')[2]}")
        route.fulfill(**work())

    left = list(states)

    def state() -> dict:
        return {"json": left.pop(0) if len(left) > 1 else left[0]}

    def stream() -> dict:
        if not events:
            return {"status": 502, "body": "no stream"}
        text = "".join(
            f": keep-alive\n\nid: {n}\nevent: "
            f"{each['status'] if each['status'] in ('done', 'failed') else 'progress'}\n"
            f"data: {json.dumps(each)}\n\n"
            for n, each in enumerate(states)
        )
        return {"content_type": "text/event-stream", "body": text}

    page.route(
        "**/v1/search", lambda route: answer(route, lambda: {"status": 202, "json": {"job": JOB}})
    )
    page.route("**/v1/jobs/j1", lambda route: answer(route, state))
    page.route("**/v1/jobs/j1/events", lambda route: answer(route, stream))
    return asked


def share_before(row: Locator) -> float:
    """The share of a row's track that lies before its bar, in [0, 1]."""
    # Both at one moment: the page may still get its scroll bar.
    return row.evaluate(
        """row => {
            const [track, span] = [".track", ".span"].map(
                each => row.querySelector(each).getBoundingClientRect());
            return (span.left - track.left) / track.width;
        }"""
    )


@pytest.mark.parametrize("events", [True, False])
def test_a_clip_is_followed_and_shown_over_its_time(open_page, photos, clip, events):
    page = open_page()
    result = answer_of(page, photos)
    if not events:
        page.expected.append("502")
    asked = stand_in(
        page,
        [
            {**JOB, "progress": 0.0},
            {**JOB, "status": "running", "progress": 0.4},
            {**JOB, "status": "done", "progress": 1.0, "result": result},
        ],
        events=events,
    )
    upload(page, clip, "walk.mp4")
    wait_for_answer(page)
    assert asked[:2] == ["POST search", "GET jobs/j1/events"]
    assert ("GET jobs/j1" in asked) is not events
    rows = page.locator("#timeline .bar-row")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("0:00 – 0:03")
    expect(rows.nth(1)).to_contain_text("0:03 – 0:06")
    page.wait_for_function("document.getElementById('clip').readyState > 0")
    # The second bar begins in the middle of the clip.
    assert share_before(rows.nth(1)) == pytest.approx(0.5, abs=0.005)
    # Best frames come from the clip on this device, and are two different ones.
    expect(page.locator("#timeline .thumb img")).to_have_count(2)
    one = titles(page)
    rows.nth(1).click()
    expect(rows.nth(1)).to_have_attribute("aria-pressed", "true")
    assert titles(page) != one
    page.wait_for_function("Math.abs(document.getElementById('clip').currentTime - 4) < 0.2")
    page.locator("#matches .cover").first.click()
    expect(page.locator("#detail svg.drawing image")).to_have_count(2)
    page.keyboard.press("Escape")


def test_bars_move_when_the_length_of_the_clip_is_known_only_later(open_page, photos, clip):
    page = open_page()
    result = answer_of(page, photos)
    page.evaluate(
        """Object.defineProperty(
            document.getElementById("clip"), "duration", { value: NaN, configurable: true })"""
    )
    stand_in(page, [{**JOB, "status": "done", "progress": 1.0, "result": result}], events=True)
    upload(page, clip, "walk.mp4")
    wait_for_answer(page)
    second = page.locator("#timeline .bar-row").nth(1)
    page.wait_for_function("document.getElementById('clip').readyState > 0")
    # Of the 5.5 seconds up to where the last item was seen.
    assert share_before(second) == pytest.approx(3 / 5.5, abs=0.005)
    page.evaluate(
        """() => {
            const clip = document.getElementById("clip");
            delete clip.duration;
            clip.dispatchEvent(new Event("loadedmetadata"));
        }"""
    )
    assert share_before(second) == pytest.approx(0.5, abs=0.005)


@pytest.mark.parametrize("viewport", [(1280, 860), (390, 844)])
@pytest.mark.parametrize("size", [(320, 240), (180, 320), (480, 120)])
def test_a_clip_of_any_shape_is_seen_whole_with_its_controls(open_page, size, viewport):
    frames = [np.full((size[1], size[0], 3), shade, np.uint8) for shade in (60, 120, 180)]
    page = open_page(viewport={"width": viewport[0], "height": viewport[1]})
    stand_in(page, [{**JOB, "status": "running", "progress": 0.4}], events=True)
    upload(page, written_clip(frames, kind="webm", codec="libvpx", rate=RATE), "walk.mp4")
    page.locator("#clip").evaluate(
        "clip => clip.readyState > 0 || new Promise("
        "(done) => clip.addEventListener('loadedmetadata', () => done(true)))"
    )
    player, frame = (
        page.locator(each).evaluate(
            "each => (({ left, top, right, bottom }) => [left, top, right, bottom])"
            "(each.getBoundingClientRect())"
        )
        for each in ("#clip", "#clip-asked .frame")
    )
    assert player == pytest.approx(frame, abs=1)
    left, top, right, bottom = frame
    assert left >= 0
    assert right <= viewport[0]
    assert bottom <= viewport[1]
    # Wide enough for the controls; and high enough for the clip, up to a share of the window.
    assert right - left >= 300
    wanted = (right - left) * size[1] / size[0]
    bound = 0.4 * viewport[1] if viewport[0] < 500 else min(0.62 * viewport[1], 560)
    assert bottom - top == pytest.approx(min(wanted, bound), abs=1)


def test_a_clip_that_fails_says_why(open_page, clip):
    page = open_page()
    error = {
        "type": "urn:snapshelf:problem:clip-refused",
        "status": 422,
        "detail": "the clip is torn at byte 812",
        "request_id": "r1",
    }
    failed = {**JOB, "status": "failed", "progress": 0.2, "error": error}
    stand_in(page, [failed], events=True)
    upload(page, clip, "walk.mp4")
    wait_for_answer(page)
    expect(page.locator("#trouble-text")).to_contain_text("This clip cannot be used")
    expect(page.locator("#trouble-text")).not_to_contain_text("byte")
    expect(page.get_by_role("button", name="Try again")).to_be_hidden()
    expect(page.get_by_role("button", name="Draw a box")).to_be_hidden()


def test_a_clip_that_is_given_up_is_cancelled(open_page, clip):
    page = open_page()
    page.expected.append("502")
    asked = stand_in(page, [{**JOB, "status": "running", "progress": 0.1}], events=False)
    upload(page, clip, "walk.mp4")
    expect(page.locator("#busy-text")).to_contain_text("Watching your clip")
    with page.expect_request(lambda request: request.method == "DELETE"):
        page.get_by_role("button", name="Stop").click()
    expect(page.locator("#start")).to_be_visible()
    assert "DELETE jobs/j1" in asked


def test_a_service_without_clips_says_so(open_page, clip):
    page = open_page()
    page.expected.append("415")
    page.route(
        "**/v1/search",
        lambda route: route.fulfill(status=415, json={"detail": "This service takes no clips."}),
    )
    upload(page, clip, "walk.mp4")
    wait_for_answer(page)
    expect(page.locator("#trouble-text")).to_contain_text("cannot search clips")
    expect(page.get_by_role("button", name="Choose another photo")).to_be_focused()
