"""The OpenAPI document: whole, with examples, and kept to, as schemathesis finds by trying."""

import re

import httpx
import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from service_parts import is_problem, png, serving, until_over, write_shop

from snapshelf.service import Settings
from snapshelf.service.answers import SearchAnswer
from snapshelf.service.api_keys import add_key

OPERATIONS = {
    ("post", "/v1/search"),
    ("post", "/v1/detect"),
    ("get", "/v1/picture-pass"),
    ("get", "/v1/products"),
    ("get", "/v1/jobs/{job_id}"),
    ("delete", "/v1/jobs/{job_id}"),
    ("get", "/v1/jobs/{job_id}/events"),
    ("get", "/v1/products/{product_id}"),
    ("put", "/v1/products/{product_id}"),
    ("delete", "/v1/products/{product_id}"),
    ("get", "/v1/products/{product_id}/similar"),
    ("get", "/v1/products/{product_id}/images/{number}"),
    ("post", "/v1/products:batch"),
    ("get", "/v1/duplicates"),
    ("get", "/v1/duplicates/{job_id}"),
    ("delete", "/v1/duplicates/{job_id}"),
    ("post", "/v1/annotations"),
    ("get", "/v1/annotations/{job_id}"),
    ("get", "/v1/annotations/{job_id}.jsonl"),
    ("delete", "/v1/annotations/{job_id}"),
    ("post", "/v1/index"),
    ("get", "/v1/index"),
    ("get", "/v1/index/{job_id}"),
    ("get", "/v1/index/{job_id}/problems.{kind}"),
    ("delete", "/v1/index/{job_id}"),
    ("get", "/v1/session"),
    ("post", "/v1/session"),
    ("delete", "/v1/session"),
    ("get", "/v1/shelf"),
    ("get", "/v1/shelf/facets"),
    ("post", "/v1/events"),
    ("get", "/healthz"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory):
    """A server that may be changed, with a key that may do everything."""
    folder = tmp_path_factory.mktemp("openapi")
    secret = add_key(folder / "keys.json", "all", "write", 10_000_000)
    # Schemathesis tries wrong keys too, more than anybody may.
    options = Settings(keys=folder / "keys.json", failures_per_minute=1_000_000)
    with serving(write_shop(folder), options) as client:
        client.headers["Authorization"] = f"Bearer {secret}"
        yield client


@pytest.fixture(scope="module")
def document(served: httpx.Client) -> dict:
    return served.get("/v1/openapi.json").json()


def operations(document: dict) -> dict:
    return {
        (method, path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_is_described(document: dict) -> None:
    found = operations(document)
    assert set(found) == OPERATIONS
    for name, operation in found.items():
        assert operation["summary"], name
        assert operation["description"], name
        assert {"200", "202", "204"} & set(operation["responses"]), name
        assert "422" not in operation["responses"] or "problem" in str(
            operation["responses"]["422"]
        )
        open_to_all = name[1] in ("/healthz", "/readyz", "/v1/session")
        assert bool(operation.get("security")) != open_to_all, name


def test_bodies_have_examples_that_are_accepted(document: dict, served: httpx.Client) -> None:
    search = operations(document)["post", "/v1/search"]["requestBody"]["content"]
    example = search["application/json"]["examples"]["base64"]["value"]
    assert served.post("/v1/search", json=example).status_code == 200
    event = document["components"]["schemas"]["EventBody"]["examples"][0]
    assert served.post("/v1/events", json=event).status_code == 200
    assert set(search) >= {"image/jpeg", "image/png", "multipart/form-data", "application/json"}


def examples_of(content: dict, schemas: dict) -> list:
    """All examples of a body or answer, beside its schema and in it."""
    schema = content["schema"]
    named = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    found = [content["example"]] if "example" in content else []
    found += [each["value"] for each in content.get("examples", {}).values()]
    return found + named.get("examples", [])


def test_every_body_and_answer_has_examples_that_are_as_described(document: dict) -> None:
    seen = 0
    for name, operation in operations(document).items():
        told = [operation.get("requestBody", {"content": {}})]
        told += [operation["responses"].get(status, {}) for status in ("200", "201", "202")]
        for media, content in (each for one in told for each in one.get("content", {}).items()):
            if media.startswith(("image/", "video/")):
                continue  # nothing that JSON can hold
            examples = examples_of(content, document["components"]["schemas"])
            assert examples, (name, media)
            whole = {**content["schema"], "components": document["components"]}
            for example in examples:
                jsonschema.Draft202012Validator(whole).validate(example)
            seen += 1
    assert seen > 40


def test_schemas_are_those_of_bodies_and_answers(document: dict) -> None:
    assert not {"RefusedItem", "HTTPValidationError"} & set(document["components"]["schemas"])


def test_references_lead_somewhere(document: dict) -> None:
    names = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert names <= set(document["components"]["schemas"])


def filled(path: str) -> str:
    """An address of a path, of things that there are not."""
    return re.sub(
        r"{(\w+)}", lambda name: {"number": "0", "kind": "csv"}.get(name[1], "none"), path
    )


def test_measures_name_routes_as_the_document_does(served: httpx.Client, document: dict) -> None:
    for method, path in OPERATIONS:
        served.request(method.upper(), filled(path))
    measures = served.get("/metrics").text
    measured = set(re.findall(r'_request_seconds_count{.*?route="(.*?)"', measures))
    # The document itself is none of its addresses.
    assert measured - {"none"} == set(document["paths"])


PAGES = {"/", "/team", "/embed.js", "/static/page.css", "/v1/openapi.json"}


@pytest.mark.parametrize("path", sorted(PAGES | {p for method, p in OPERATIONS if method == "get"}))
def test_head_is_answered_as_get_without_a_body(served: httpx.Client, path: str) -> None:
    got = served.get(filled(path))
    if got.status_code == 202:
        until_over(served, got)
        got = served.get(filled(path))
    headed = served.head(filled(path))
    assert headed.status_code == got.status_code
    assert headed.content == b""
    changing = {"x-request-id", "date", "set-cookie"}
    if path not in ("/metrics", "/v1/picture-pass"):
        changing |= {"content-length"} if got.status_code >= 400 else set()
        told = [{k: v for k, v in a.headers.items() if k not in changing} for a in (got, headed)]
        assert told[0] == told[1]
    assert int(headed.headers["content-length"]) > 0


def test_methods_that_are_not_taken_are_told_with_head(served: httpx.Client) -> None:
    for method, allowed in (("POST", "GET, HEAD"), ("HEAD", "POST")):
        path = "/v1/shelf" if method == "POST" else "/v1/search"
        answer = served.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


UNDOCUMENTED = {("post", "/v1/upright")}


@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS | UNDOCUMENTED))
def test_an_option_that_nobody_reads_is_refused(served, document, method, path) -> None:
    before = served.get("/v1/shelf").json()["version"]
    options = [
        each
        for each in document["paths"].get(path, {}).get(method, {}).get("parameters", ())
        if each["in"] == "query"
    ]
    answer = served.request(method.upper(), filled(path), params={"nonsense": "1"})
    told = is_problem(answer, 422, "invalid")
    assert told.startswith("query.nonsense: is no option")
    assert all(option["name"] in told for option in options)
    assert answer.json()["errors"][0]["where"] == "query.nonsense"
    for option in options:
        # A wrong pass stands in place of a wrong key, and is told of first.
        if option["schema"].get("type") != "array" and option["name"] != "pass":
            twice = [(option["name"], "1"), (option["name"], "2")]
            answer = served.request(method.upper(), filled(path), params=twice)
            assert "is given twice" in is_problem(answer, 422, "invalid")
    assert served.get("/v1/shelf").json()["version"] == before


def test_who_may_not_ask_hears_of_that_first(served: httpx.Client) -> None:
    without = {"Authorization": "Bearer sk_none"}
    is_problem(served.get("/v1/shelf?nonsense=1", headers=without), 401, "key-missing")


def test_addresses_of_pages_and_their_files_may_be_marked(served: httpx.Client) -> None:
    for address in ("/", "/team", "/embed.js", "/static/page.css"):
        assert served.get(f"{address}?utm_source=letter&v=2").status_code == 200


@pytest.fixture(scope="module")
def schema(document: dict):
    return schemathesis.openapi.from_dict(document)


NOTHING = ("/healthz", "/readyz", "/v1/shelf", "/metrics")


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("method", "path"), sorted(OPERATIONS))
def test_the_service_keeps_to_its_document(schema, served, method, path, mode) -> None:
    operation = schema[path][method.upper()]
    takes_nothing = path in NOTHING or (path == "/v1/session" and method != "post")
    if mode is GenerationMode.NEGATIVE and takes_nothing:
        pytest.skip("there is nothing to be wrong")

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def keeps(case: schemathesis.Case) -> None:
        base, headers = str(served.base_url), {"Authorization": served.headers["Authorization"]}
        response = case.call(base, headers=headers)
        if response.status_code == 431:
            return  # an address that is too long is not looked at
        if response.status_code == 503 and response.json()["type"].endswith(":locked"):
            return  # an index that another case has begun is not over
        case.validate_response(
            response,
            # What it makes up for a picture is none, whatever the schema says; and what is wrong
            # with one product of a batch is told in the answer.
            excluded_checks=[
                positive_data_acceptance,
                *([negative_data_rejection] if path == "/v1/products:batch" else ()),
            ],
            headers=headers,
            transport_kwargs={"base_url": base, "headers": headers},
        )

    keeps()


def test_an_answer_is_as_described(served: httpx.Client, document: dict) -> None:
    """Schemathesis's pictures are none, so a real answer is compared here."""
    answer = served.post(
        "/v1/search?by_category=1", content=png(1), headers={"Content-Type": "image/png"}
    )
    SearchAnswer.model_validate_json(answer.content)
