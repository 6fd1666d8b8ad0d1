"""Searching over HTTP: the same answers as the library's, however the picture is sent."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import httpx
import numpy as np
import pytest
from PIL import Image
from service_parts import draw, file_of, ids, is_problem, png

from snapshelf.features.encoder import Domain
from snapshelf.service.answers import SearchAnswer
from snapshelf.shelf import Shelf
from snapshelf.shelf.as_json import items_json
from snapshelf.systems import System

TYPE = {"Content-Type": "image/png"}


def without_what_shows_it(items: list) -> list:
    """The items as the library writes them; checks where the matches are shown."""
    for item in items:
        groups = [item["matches"], *(group["matches"] for group in item.get("by_category", ()))]
        for match in (match for group in groups for match in group):
            assert match.pop("picture") == f"/v1/products/{match['product']['id']}/images/0"
            assert match.pop("region") == [0, 0, 48, 48]
    return items


def test_raw_form_and_json_give_what_the_library_gives(client: httpx.Client, made: Path) -> None:
    picture = file_of(draw(3, 160), "JPEG", quality=90)
    with Shelf.open(made) as shelf:
        expected = items_json(shelf.search(picture, top=3, filter="price>20", by_category=2))
    options = {"top": 3, "filter": "price>20", "by_category": 2}
    answers = [
        client.post(
            "/v1/search", params=options, content=picture, headers={"Content-Type": "image/jpeg"}
        ),
        client.post("/v1/search", data=options, files={"picture": ("x.jpg", picture)}),
        client.post("/v1/search", json={"picture": base64.b64encode(picture).decode(), **options}),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        told = answer.json()
        assert without_what_shows_it(told["items"]) == json.loads(json.dumps(expected))
        assert ids(told)[0] == "P3"
        assert told["size"] == [160, 160]
        assert told["request_id"] == answer.headers["x-request-id"]
        assert answer.headers["content-type"] == "application/json"
    assert [answer.json()["cached"] for answer in answers] == [None, "exact", "exact"]
    assert set(answers[0].json()["seconds"]) >= {"decode", "locate", "encode", "search"}


def test_boxes_and_points_choose_the_items(client: httpx.Client) -> None:
    both = draw(0).copy()
    wide = both.resize((96, 48))
    wide.paste(draw(1), (0, 0))
    wide.paste(draw(2), (48, 0))
    picture = file_of(wide)
    chosen = {"boxes": ["0,0,48,48", "48,0,96,48"], "top": 1}
    raw = client.post("/v1/search", params=chosen, content=picture, headers=TYPE).json()
    assert [ids(raw, item) for item in (0, 1)] == [["P1"], ["P2"]]
    body = {
        "picture": base64.b64encode(picture).decode(),
        "boxes": [[48, 0, 96, 48]],
        "points": [[3, 3]],
        "top": 1,
    }
    told = client.post("/v1/search", json=body).json()
    assert [found["item"]["box"] for found in told["items"]] == [[48, 0, 96, 48], [0, 0, 96, 48]]
    outside = client.post(
        "/v1/search", params={"boxes": "96,0,99,48"}, content=picture, headers=TYPE
    )
    assert "in the picture of 96 x 48 pixels" in is_problem(outside, 422, "invalid")


def test_the_threshold_judges_and_is_no_part_of_the_ranking(client: httpx.Client) -> None:
    told = [
        client.post(
            "/v1/search", params={"in_catalogue": value}, content=png(2), headers=TYPE
        ).json()["items"][0]
        for value in (0, 1)
    ]
    assert [item["in_catalogue"] for item in told] == [
        True,
        told[0]["matches"][0]["confidence"] >= 1,
    ]
    assert told[0]["matches"] == told[1]["matches"]


def test_detection_tells_items_only(client: httpx.Client) -> None:
    picture = png(1)
    for answer in (
        client.post("/v1/detect", content=picture, headers=TYPE),
        client.post("/v1/detect", files={"picture": picture}),
        client.post("/v1/detect", json={"picture": base64.b64encode(picture).decode()}),
    ):
        told = answer.json()
        assert told["items"][0]["box"] == [0, 0, 48, 48]
        assert set(told) == {"items", "size", "seconds", "request_id"}
    refused = client.post("/v1/detect", params={"top": 3}, content=picture, headers=TYPE)
    assert "query.top: is no option" in is_problem(refused, 422, "invalid")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"top": 0}, "top"),
        ({"top": 101}, "top"),
        ({"top": ["1", "2"]}, "given twice"),
        ({"tops": 3}, "tops"),
        ({"filter": "price<"}, "a value is missing"),
        ({"filter": "nothing=3"}, "nothing"),
        ({"boxes": "1,2,3"}, "4 numbers"),
        ({"boxes": "1,2,3,x"}, "boxes"),
        ({"boxes": "1,2,3,nan"}, "pixels"),
        ({"boxes": "1,2,3,1e300"}, "pixels"),
        ({"points": "-1,2"}, "in the picture"),
        ({"points": ["1,2"] * 21}, "points"),
        ({"in_catalogue": "nan"}, "in_catalogue"),
        ({"by_category": -1}, "by_category"),
    ],
)
def test_options_that_make_no_sense_are_named(client, options, told) -> None:
    answer = client.post("/v1/search", params=options, content=png(0), headers=TYPE)
    assert told in is_problem(answer, 422, "invalid")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "either picture"),
        ({"picture": "AAAA", "url": "http://x.example/"}, "either picture"),
        ({"picture": "not base64!"}, "not base64"),
        ({"picture": ""}, "empty"),
        ({"picture": 3}, "picture"),
        ({"picture": "AAAA", "boxes": [[1, 2]]}, "boxes"),
        ({"picture": "AAAA", "more": 1}, "more"),
        ([], "body"),
        ("x", "body"),
    ],
)
def test_json_that_makes_no_sense_is_named(client, body, told) -> None:
    answer = client.post("/v1/search", json=body)
    detail = is_problem(answer, 422, "invalid")
    assert told in detail
    assert "AAAA" not in answer.text, "what was sent is not sent back"


def test_urls_are_not_fetched_unless_allowed(client: httpx.Client) -> None:
    answer = client.post("/v1/search", json={"url": "http://127.0.0.1/x.png"})
    assert "fetches no pictures" in is_problem(answer, 403, "not-allowed")


def test_fetched_urls_may_not_be_private(start) -> None:
    allowed = start(fetch_urls=True)
    for url in ("http://127.0.0.1:9/x.png", "http://[::1]/", "file:///etc/passwd", "gopher://x"):
        answer = allowed.post("/v1/search", json={"url": url})
        is_problem(answer, 422, "picture-refused")


class Colours:
    """Predicts from the mean brightness alone."""

    classes = MappingProxyType(
        {"look": (("dark", "dark"), ("light", "light")), "cut": (("a", "a"), ("b", "b"))}
    )

    def prepare(self, picture: np.ndarray) -> np.ndarray:
        return np.full((2, 2, 3), picture.mean(), np.uint8)

    def predict(self, inputs: np.ndarray, domain: Domain) -> dict[str, np.ndarray]:
        assert domain is Domain.STREET
        light = inputs.mean(axis=(1, 2, 3)) / 255
        even = np.full_like(light, 0.45)
        return {
            "look": np.stack([1 - light, light], axis=1).astype(np.float32),
            "cut": np.stack([even, even], axis=1).astype(np.float32),
        }


def test_what_items_look_like_is_told_where_it_is_known(start):
    system = replace(System.load("classical"), predictor=Colours())
    client = start(system)
    picture = Image.new("RGB", (80, 40), (250, 250, 250))
    picture.paste((10, 10, 10), (0, 0, 40, 40))
    answer = client.post(
        "/v1/search",
        params={"boxes": ["0,0,40,40", "40,0,80,40"]},
        content=file_of(picture),
        headers={"Content-Type": "image/png"},
    )
    SearchAnswer.model_validate_json(answer.content)
    seen = [found["item"]["attributes"] for found in answer.json()["items"]]
    assert [[(each["name"], each["value"]) for each in one] for one in seen] == [
        [("look", "dark")],
        [("look", "light")],
    ]
    assert seen[0][0]["probability"] > 0.9
