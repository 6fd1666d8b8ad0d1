"""When something goes wrong: what the page says, and that it goes on."""

import json

import pytest
from browser_parts import titles, upload, wait_for_answer
from playwright.sync_api import Page, expect


def problem(status: int, detail: str, kind: str = "failed", **headers: str) -> dict:
    return {
        "status": status,
        "headers": {"Content-Type": "application/problem+json", **headers},
        "body": json.dumps(
            {
                "type": f"urn:snapshelf:problem:{kind}",
                "title": "T",
                "status": status,
                "detail": detail,
                "request_id": "abc123",
            }
        ),
    }


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "This file is empty"),
        (b"just some words", "neither a photo nor a clip"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "neither a photo nor a clip"),
    ],
)
def test_what_is_no_picture_is_refused_at_once(open_page, data, told):
    page = open_page()
    page.set_input_files("#file", {"name": "a.txt", "mimeType": "text/plain", "buffer": data})
    expect(page.locator("#refused")).to_contain_text(told)
    expect(page.locator("#choose")).to_be_visible()


def shown_buttons(page: Page) -> list[str]:
    """The names of all buttons of the search, and of the filters."""
    return [
        each.inner_text()
        for each in page.locator("#found button, #filters-open").all()
        if each.is_visible()
    ]


@pytest.mark.parametrize("after_another", [False, True])
def test_a_broken_picture_is_told_in_words_for_people(open_page, photos, after_another):
    page = open_page()
    page.expected.append("422")
    if after_another:
        upload(page, photos[0].picture)
        wait_for_answer(page)
    upload(page, b"\xff\xd8\xff\xe0" + b"\0" * 200)
    trouble = page.get_by_role("alert").filter(has_text="That did not work")
    expect(trouble).to_be_visible()
    expect(page.locator("#trouble-text")).to_have_text(
        "This photo cannot be read. Choose another one, or save it as a JPEG first."
    )
    expect(page.locator("#trouble-id")).to_be_empty()
    # The same once more cannot help, and there is nothing to draw on, to share or to filter.
    expect(page.get_by_role("button", name="Choose another photo")).to_be_focused()
    assert shown_buttons(page) == ["New search", "Choose another photo"]
    expect(page.locator("#photo-asked")).to_be_hidden()
    upload(page, photos[0].picture)
    expect(page.locator("#item-tag")).to_have_text("In our shop")
    expect(page.get_by_role("button", name="Draw a box")).to_be_visible()


def test_a_product_that_is_not_there_leaves_no_empty_place(open_page):
    page = open_page("about:blank")
    page.expected.append("404")
    page.goto("/?like=NOPE")
    wait_for_answer(page)
    expect(page.locator("#trouble-text")).to_have_text(
        "This product is not in our shop, or not any more."
    )
    assert shown_buttons(page) == ["New search", "Choose a photo"]
    expect(page.get_by_role("button", name="Choose a photo")).to_be_focused()
    expect(page.locator("#product-asked")).to_be_hidden()


FAILURES = [
    # Status, kind, some of the words, and the button that can help.
    (403, "not-allowed", "does not allow", "Choose another photo"),
    (413, "too-large", "too large", "Choose another photo"),
    (422, "invalid", "Choose other filters", "Choose another photo"),
    (422, "picture-refused", "cannot be read", "Choose another photo"),
    (429, "too-many-requests", "Many are searching", "Try again"),
    (503, "unavailable", "does not work at the moment", "Try again"),
    (504, "timed-out", "took too long", "Try again"),
    # Of a proxy, in words of its own.
    (413, None, "too large", "Choose another photo"),
    (502, None, "does not work at the moment", "Try again"),
]


def test_people_read_what_they_can_do(open_page, photos):
    page = open_page()
    left: list[dict] = []
    page.route("**/v1/search", lambda route: route.fulfill(**left.pop()))
    for status, kind, words, helps in FAILURES:
        page.expected.append(str(status))
        api = "expected one of JPEG, PNG (first bytes 68 65), got base64"
        answer = problem(status, api, kind) if kind else {"status": status, "body": "<h1>nginx"}
        left.append(answer)
        with page.expect_response("**/v1/search"):
            upload(page, photos[0].picture)
        told = page.locator("#trouble-text")
        expect(told).to_contain_text(words)
        assert not {"JPEG,", "bytes", "base64", "nginx"} & set(told.inner_text().split())
        expect(page.get_by_role("button", name=helps)).to_be_focused()
        assert page.get_by_role("button", name="Try again").is_visible() is (helps == "Try again")
        # Support can look up what the service did wrong, and nothing else.
        request = "Request abc123" if kind and status >= 500 else ""
        expect(page.locator("#trouble-id")).to_have_text(request)


def test_a_failure_is_told_and_tried_again(open_page, photos):
    page = open_page()
    page.expected.append("500")
    page.route("**/v1/search", lambda route: route.fulfill(**problem(500, "Our fault.")), times=1)
    upload(page, photos[0].picture)
    wait_for_answer(page)
    expect(page.locator("#trouble-text")).to_contain_text("does not work at the moment")
    expect(page.locator("#trouble-id")).to_have_text("Request abc123")
    page.get_by_role("button", name="Try again").click()
    wait_for_answer(page)
    assert titles(page)


def test_a_busy_service_is_asked_again_when_it_says_so(open_page, photos):
    page = open_page()
    page.expected.append("429")
    busy = problem(429, "Busy.", "busy", **{"Retry-After": "1"})
    page.route("**/v1/search", lambda route: route.fulfill(**busy), times=2)
    upload(page, photos[0].picture)
    expect(page.locator("#busy-text")).to_contain_text("Trying again in 1 s")
    wait_for_answer(page)
    expect(page.locator("#trouble")).to_be_hidden()
    assert titles(page)


def test_a_search_can_be_stopped(open_page, photos):
    page = open_page()
    page.route("**/v1/search", lambda route: None, times=1)
    upload(page, photos[0].picture)
    expect(page.locator("#busy")).to_be_visible()
    expect(page.locator(".card.skeleton")).not_to_have_count(0)
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Stop").click()
    expect(page.locator("#start")).to_be_visible()
    upload(page, photos[0].picture)
    wait_for_answer(page)
    assert titles(page)


def test_a_lost_connection_is_no_riddle(open_page, photos):
    page = open_page()
    page.expected.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    upload(page, photos[0].picture)
    wait_for_answer(page)
    expect(page.locator("#trouble-text")).to_contain_text("Is this device online?")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    wait_for_answer(page)
    assert titles(page)


def test_a_picture_that_is_gone_shows_its_title(open_page, photos):
    page = open_page()
    page.expected.append("404")
    page.route("**/images/*", lambda route: route.fulfill(**problem(404, "Gone.", "not-found")))
    upload(page, photos[0].picture)
    wait_for_answer(page)
    expect(page.locator("#matches .missing").first).to_be_visible()


def test_a_session_that_has_ended_is_begun_again(open_page, photos):
    page = open_page()
    page.expected.append("401")
    ended = problem(401, "No session.", "key-missing")
    page.route("**/v1/search", lambda route: route.fulfill(**ended), times=1)
    with page.expect_request("**/v1/session"):
        upload(page, photos[0].picture)
    wait_for_answer(page)
    assert titles(page)
