"""When something goes wrong: what the page says, and that it goes on."""

import json

import pytest
from browser_parts import titles, upload, wait_for_answer
from playwright.sync_api import expect


def problem(status: int, detail: str, **headers: str) -> dict:
    return {
        "status": status,
        "headers": {"Content-Type": "application/problem+json", **headers},
        "body": json.dumps(
            {
                "type": "urn:snapshelf:problem:busy",
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


def test_a_broken_picture_is_told_in_the_services_words(open_page):
    page = open_page()
    page.expected.append("422")
    upload(page, b"\xff\xd8\xff\xe0" + b"\0" * 200)
    wait_for_answer(page)
    trouble = page.get_by_role("alert").filter(has_text="That did not work")
    expect(trouble).to_be_visible()
    assert page.locator("#trouble-text").inner_text()
    expect(page.get_by_role("button", name="Try again")).to_be_focused()


def test_a_failure_is_told_and_tried_again(open_page, photos):
    page = open_page()
    page.expected.append("500")
    page.route("**/v1/search", lambda route: route.fulfill(**problem(500, "Our fault.")), times=1)
    upload(page, photos[0].picture)
    wait_for_answer(page)
    expect(page.locator("#trouble-text")).to_have_text("Our fault.")
    expect(page.locator("#trouble-id")).to_have_text("Request abc123")
    page.get_by_role("button", name="Try again").click()
    wait_for_answer(page)
    assert titles(page)


def test_a_busy_service_is_asked_again_when_it_says_so(open_page, photos):
    page = open_page()
    page.expected.append("429")
    busy = problem(429, "Busy.", **{"Retry-After": "1"})
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
    page.route("**/images/*", lambda route: route.fulfill(**problem(404, "Gone.")))
    upload(page, photos[0].picture)
    wait_for_answer(page)
    expect(page.locator("#matches .missing").first).to_be_visible()


def test_a_session_that_has_ended_is_begun_again(open_page, photos):
    page = open_page()
    page.expected.append("401")
    ended = problem(401, "No session.")
    page.route("**/v1/search", lambda route: route.fulfill(**ended), times=1)
    with page.expect_request("**/v1/session"):
        upload(page, photos[0].picture)
    wait_for_answer(page)
    assert titles(page)
