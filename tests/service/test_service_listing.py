"""Browsing the shelf over HTTP, and the products that look the same."""

import httpx
import pytest
from service_parts import PRODUCTS, draw, is_problem, shelf_root, until_over

from snapshelf.service.api_keys import add_key
from snapshelf.service.team_answers import DuplicatesAnswer, ListAnswer


@pytest.fixture
def writer(start, tmp_path) -> httpx.Client:
    secret = add_key(tmp_path / "keys.json", "all", "write")
    add_key(tmp_path / "keys.json", "reads", "read")
    client = start(keys=tmp_path / "keys.json")
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


# --- browsing ------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 4, 100])
def test_all_products_are_seen_page_by_page(client: httpx.Client, limit: int) -> None:
    seen, after = [], None
    while True:
        query = {"limit": limit} | ({} if after is None else {"after": after})
        answer = client.get("/v1/products", params=query)
        page = ListAnswer.model_validate_json(answer.content)
        assert len(page.products) <= limit
        assert page.total == PRODUCTS
        seen += [product.id for product in page.products]
        after = page.next
        if after is None:
            break
    assert seen == [f"P{number}" for number in range(PRODUCTS)]
    shown = answer.json()["products"][-1]
    assert shown["title"] == "Product 5"
    assert shown["pictures"] == 1
    assert client.get(shown["picture"]).headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"text": "product 3"}, ["P3"]),
        ({"text": "ACME boots"}, ["P1"]),
        ({"text": "nothing"}, []),
        ({"text": "  "}, ["P0", "P1", "P2", "P3", "P4", "P5"]),
        ({"filter": "brand=Acme"}, ["P1", "P3", "P5"]),
        ({"filter": "brand=Acme", "text": "bags"}, ["P3", "P5"]),
        ({"after": "UDQ"}, ["P5"]),
    ],
)
def test_products_are_looked_for_by_words_and_filter(client, query, expected) -> None:
    page = client.get("/v1/products", params=query).json()
    assert [product["id"] for product in page["products"]] == expected
    if query.get("text", "").strip():
        assert page["total"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "all"},
        {"filter": "brand="},
        {"filter": "no_such=1"},
        {"filter": "'; DROP TABLE product; --=1"},
        {"after": "%%%"},
        {"after": "A"},
        {"after": "gICA"},
        {"after": "x" * 2000},
        {"text": "x" * 201},
        {"tpo": 1},
    ],
)
def test_what_makes_no_sense_is_refused(client, query) -> None:
    is_problem(client.get("/v1/products", params=query), 422, "invalid")


# --- duplicates ------------------------------------------------------------------------------


def test_groups_are_worked_out_kept_and_worked_out_anew(writer, shelf) -> None:
    assert writer.get("/v1/shelf").status_code == 200
    first = writer.get("/v1/duplicates", params={"check": True})
    until_over(writer, first)
    none = writer.get("/v1/duplicates", params={"check": True})
    assert none.status_code == 200
    assert none.json() == {"least": 0.95, "compared": 6, "groups": [], "left_out": 0}

    root = shelf_root(shelf)
    draw(2).save(root / "copy.png")
    body = {"title": "Copy", "images": ["copy.png"]}
    assert writer.put("/v1/products/COPY", json=body).status_code == 201
    again = writer.get("/v1/duplicates", params={"check": True})
    job = until_over(writer, again)
    found = writer.get("/v1/duplicates", params={"check": True})
    told = DuplicatesAnswer.model_validate_json(found.content)
    assert found.json() == job["result"]
    ((one, other),) = [group.products for group in told.groups]
    assert {one.product.id, other.product.id} == {"P2", "COPY"}
    assert one.same_picture is other.same_picture is True
    assert writer.get(one.product.picture).status_code == 200


def test_what_is_compared_is_bounded(start, tmp_path) -> None:
    secret = add_key(tmp_path / "keys.json", "all", "write")
    client = start(keys=tmp_path / "keys.json", most_compared=4)
    client.headers["Authorization"] = f"Bearer {secret}"
    told = is_problem(client.get("/v1/duplicates"), 422, "invalid")
    assert "6 pictures would be compared, at most 4" in told
    until_over(client, client.get("/v1/duplicates", params={"filter": "brand=Acme"}))


def test_comparing_is_for_who_may_write(client, start, tmp_path) -> None:
    is_problem(client.get("/v1/duplicates"), 403, "not-allowed")
    secret = add_key(tmp_path / "keys.json", "reads", "read")
    reader = start(keys=tmp_path / "keys.json")
    reader.headers["Authorization"] = f"Bearer {secret}"
    is_problem(reader.get("/v1/duplicates"), 403, "not-allowed")
    assert reader.get("/v1/products").status_code == 200


@pytest.mark.parametrize(
    "query", [{"least": 2}, {"least": "x"}, {"filter": "="}, {"filter": "none=1"}]
)
def test_bad_questions_are_refused(writer, query) -> None:
    is_problem(writer.get("/v1/duplicates", params=query), 422, "invalid")


@pytest.mark.parametrize("address", ["/v1/duplicates/", "/v1/annotations/", "/v1/index/"])
def test_jobs_that_there_are_not(writer, address) -> None:
    for name in ("nothing", "..%2f..", "%00", "'--"):
        is_problem(writer.get(address + name), 404, "not-found")
        is_problem(writer.delete(address + name), 404, "not-found")
