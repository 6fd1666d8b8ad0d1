"""Problems say what is wrong, where in the request, and what to do."""

from collections.abc import Iterator

import httpx
import numpy as np
import pytest
from service_parts import is_problem, png, serving, write_shop

from snapshelf.service import Settings
from snapshelf.service.api_keys import add_key
from written_clip import written_clip

JSON = {"Content-Type": "application/json"}
PNG = {"Content-Type": "image/png"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    folder = tmp_path_factory.mktemp("problems")
    secret = add_key(folder / "keys.json", "all", "write", 1_000_000)
    reader = add_key(folder / "keys.json", "reader", "read")
    with serving(write_shop(folder), Settings(keys=folder / "keys.json")) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        client.reader = {"Authorization": f"Bearer {reader}"}
        yield client


EVENT = {"type": "click", "request_id": "a", "product_id": "P1"}

INVALID = {
    "option of a raw picture": (
        ("POST", "/v1/search?top=0", {"content": png(1), "headers": PNG}),
        ("query.top", "should be greater than or equal to 1"),
    ),
    "option given twice": (
        ("POST", "/v1/search?top=1&top=2", {"content": png(1), "headers": PNG}),
        ("query.top", "is given twice; give it once"),
    ),
    "form's option": (
        ("POST", "/v1/search", {"files": {"picture": png(1)}, "data": {"top": "x"}}),
        (
            "body.top",
            "should be a valid integer, unable to parse string as an integer",
        ),
    ),
    "form's option given twice": (
        ("POST", "/v1/search", {"files": {"picture": png(1)}, "data": {"top": ["1", "2"]}}),
        ("body.top", "is given twice; give it once"),
    ),
    "form's option that is none": (
        ("POST", "/v1/search", {"files": {"picture": png(1)}, "data": {"colour": "red"}}),
        ("body.colour", "is not known here; known are boxes, by_category, filter"),
    ),
    "form's box": (
        ("POST", "/v1/search", {"files": {"picture": png(1)}, "data": {"boxes": "1,2,3"}}),
        ("body.boxes.0", "expected 4 numbers between commas"),
    ),
    "JSON's option": (
        ("POST", "/v1/search", {"json": {"picture": "QQ==", "in_catalogue": 2}}),
        ("body.in_catalogue", "should be less than or equal to 1"),
    ),
    "JSON's option that is none": (
        ("POST", "/v1/search", {"json": {"picture": "QQ==", "colour": "red"}}),
        (
            "body.colour",
            "is not known here; known are boxes, by_category, filter, in_catalogue, picture, "
            "points, top, url",
        ),
    ),
    "no base64": (
        ("POST", "/v1/search", {"json": {"picture": "-"}}),
        ("body.picture", "is not base64"),
    ),
    "neither picture nor url": (("POST", "/v1/search", {"json": {}}), ("body", "give either")),
    "no JSON, read by us": (
        ("POST", "/v1/search", {"content": b"{", "headers": JSON}),
        ("body", "is no JSON: EOF while parsing an object at line 1 column 1"),
    ),
    "no JSON, read by FastAPI": (
        ("POST", "/v1/events", {"content": b'{"type": click}', "headers": JSON}),
        ("body", "is no JSON: expecting value"),
    ),
    "no object": (("POST", "/v1/events", {"json": [1]}), ("body", "should be a JSON object")),
    "no object, read by us": (
        ("POST", "/v1/search", {"json": [1]}),
        ("body", "should be a JSON object"),
    ),
    "number in the body": (
        ("POST", "/v1/events", {"json": {**EVENT, "rank": 0}}),
        ("body.rank", "should be greater than or equal to 1"),
    ),
    "field that is missing": (
        ("POST", "/v1/events", {"json": {"type": "click", "request_id": "a"}}),
        ("body.product_id", "is missing"),
    ),
    "field that is none": (
        ("PUT", "/v1/products/P9", {"json": {"images": ["1.png"], "colour": "red"}}),
        (
            "body.colour",
            "is not known here; known are attributes, availability, brand, category, description, "
            "images, price, title, url",
        ),
    ),
    "price": (
        ("PUT", "/v1/products/P9", {"json": {"images": ["1.png"], "price": "cheap"}}),
        ("body.price", "cheap"),
    ),
    "picture that is not there": (
        ("PUT", "/v1/products/P9", {"json": {"images": ["none.png"]}}),
        ("body.images", "none.png"),
    ),
    "attribute that is a field": (
        ("PUT", "/v1/products/P9", {"json": {"images": ["1.png"], "attributes": {"id": "1"}}}),
        ("body.attributes", "'id' is a field of its own"),
    ),
    "ID": (
        ("PUT", "/v1/products/a%01b", {"json": {"images": ["1.png"]}}),
        ("path.product_id", "control character"),
    ),
    "number of a picture": (
        ("GET", "/v1/products/P1/images/100", {}),
        ("path.number", "should be less than or equal to 99"),
    ),
    "cursor": (("GET", "/v1/products?after=-", {}), ("query.after", "leave it out to begin")),
    "job's option": (
        ("GET", "/v1/duplicates?least=2", {}),
        ("query.least", "should be less than or equal to 1"),
    ),
    "field of pictures": (
        ("POST", "/v1/annotations", {"files": {"picture": png(1)}}),
        ("body.picture", "is no field for files; name each 'pictures'"),
    ),
    "bulk form's option": (
        ("POST", "/v1/annotations", {"files": {"pictures": png(1)}, "data": {"side": "left"}}),
        ("body.side", "should be 'street' or 'shop'"),
    ),
    "bulk form's option that is none": (
        ("POST", "/v1/index", {"files": {"feed": b"id,image"}, "data": {"columns": "id=x"}}),
        (
            "body.columns",
            "is not known here; known are currency, encoding, format, recheck, sure, whole",
        ),
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_what_is_not_valid_is_told_by_its_place(served: httpx.Client, name: str) -> None:
    (method, address, sent), (where, what) = INVALID[name]
    answer = served.request(method, address, **sent)
    detail = is_problem(answer, 422, "invalid")
    error, *more = answer.json()["errors"]
    assert error["where"] == where
    assert what in error["what"]
    assert detail == "; ".join(f"{each['where']}: {each['what']}" for each in [error, *more])


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/v1/products/P1"), ("POST", "/v1/products:batch"), ("POST", "/v1/events")],
)
@pytest.mark.parametrize("kind", ["text/csv", "image/png", None])
def test_a_body_that_is_called_something_else_than_json(served, method, path, kind) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = served.request(method, path, content=b"id,title", headers=headers)
    told = is_problem(answer, 415, "wrong-type")
    assert told == f"got {kind or 'no content type'!r}; send application/json"


def test_products_and_pictures_that_there_are_not(served: httpx.Client) -> None:
    for address in ("none", "none/similar", "none/images/0"):
        told = is_problem(served.get(f"/v1/products/{address}"), 404, "not-found")
        assert told.startswith("the shelf has no product 'none'; IDs are compared letter by letter")
        assert "GET /v1/products" in told
    told = is_problem(served.delete("/v1/products/none"), 404, "not-found")
    assert told.endswith("there is nothing to delete")
    told = is_problem(served.get("/v1/products/P1/images/9"), 404, "not-found")
    assert told == "the product 'P1' has no picture 9; its pictures are numbered from 0 to 0"


def test_a_key_that_may_only_read_hears_which_it_takes(served: httpx.Client) -> None:
    for method, address in (("GET", "/v1/duplicates"), ("DELETE", "/v1/products/P1")):
        answer = served.request(method, address, headers=served.reader)
        told = is_problem(answer, 403, "not-allowed")
        assert "this takes one that may write" in told
        assert "snapshelf key" in told


def test_a_damaged_clip_is_called_one_once(served: httpx.Client) -> None:
    clip = written_clip([np.zeros((64, 64, 3), np.uint8)] * 10)
    answer = served.post("/v1/search", content=clip[:200], headers={"Content-Type": "video/mp4"})
    assert is_problem(answer, 422, "clip-refused") == (
        "the file is a damaged clip, or one cut short, of which nothing can be read; save it as "
        "MP4 or WebM, or get it again"
    )
