"""What the service tells of itself: the shelf, its health, its measures; and what it is told."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from snapshelf.service.access import needs_read, needs_read_by_key
from snapshelf.service.answers import EventAnswer, FacetsAnswer, Health, ShelfAnswer
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.store.filters import parse_filter

__all__ = ["EventBody", "shelf_routes"]


class FacetOptions(BaseModel):
    """What is counted; a name that there is not is refused, lest a slip counts everything."""

    model_config = ConfigDict(extra="forbid")

    filter: str | None = Field(
        None,
        min_length=1,
        max_length=4000,
        description="Only products that pass it.",
        examples=["brand=Acme"],
    )


class EventBody(BaseModel):
    """What a customer did with a search's answer."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "type": "click",
                    "request_id": "5f0c8a2b9d3e4f60",
                    "product_id": "SKU-0042",
                    "item": 0,
                    "rank": 1,
                }
            ]
        },
    )

    type: Literal["click", "cart", "wrong_match"] = Field(
        description="Looked at, put into the cart, or told to be the wrong one."
    )
    request_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = Field(
        description="Of the search's answer."
    )
    product_id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    item: int = Field(0, ge=0, le=1000, description="Which of the answer's items, from 0.")
    rank: int | None = Field(None, ge=1, le=1000, description="The match's rank.")


def shelf_routes(parts: Parts) -> APIRouter:
    """Make the routes.

    Args:
        parts: Of the service.
    """
    router = APIRouter(route_class=ApiRoute, tags=["service"])
    shelf = parts.shelf

    @router.get(
        "/v1/shelf",
        summary="Look at the shelf",
        dependencies=[needs_read],
        responses={200: {"model": ShelfAnswer}, **problems()},
    )
    def look() -> Any:
        """Give the system, what the shelf holds, and when it was changed."""
        counts, run = shelf.count(), shelf.store.last_run()
        parts.measures.products.set(counts.products)
        return JsonAnswer(
            {
                "system": shelf.system.name,
                "fingerprint": shelf.system.fingerprint,
                "version": shelf.store.version,
                "counts": {
                    "products": counts.products,
                    "pictures": counts.pictures,
                    "embeddings": counts.embeddings,
                },
                # Of the feed its name, not its folder, which is the owner's business.
                "last_run": None
                if run is None
                else {
                    "feed": run.feed.replace("\\", "/").rpartition("/")[2],
                    "started": run.started,
                    "finished": run.finished or None,
                },
            }
        )

    @router.get(
        "/v1/shelf/facets",
        summary="Count the products by category, brand and price",
        dependencies=[needs_read],
        responses={200: {"model": FacetsAnswer}, **problems()},
    )
    def facets(options: Annotated[FacetOptions, Query()]) -> Any:
        """Give the largest categories and brands, at most 200 each, and the range of prices."""
        where = None if options.filter is None else parse_filter(options.filter)
        return JsonAnswer(parts.facets.look(where))

    @router.post(
        "/v1/events",
        summary="Tell what a customer did with an answer",
        dependencies=[needs_read],
        responses={200: {"model": EventAnswer}, **problems("wrong-type")},
    )
    def event(request: Request, body: EventBody) -> Any:
        """Keep an event for later training, in files that do not grow without end."""
        try:
            parts.events.add({**body.model_dump(), "key": getattr(request.state, "key", None)})
        except OSError:
            raise ProblemError(
                "unavailable", "events cannot be kept: is the disk full?", retry_after_s=60
            ) from None
        return JsonAnswer({"kept": True})

    @router.get("/healthz", summary="Whether the process answers", responses=_health())
    async def healthy() -> Any:
        """Answer, whatever the shelf's state."""
        return JsonAnswer({"status": "ok"})

    @router.get(
        "/readyz",
        summary="Whether requests may be sent here",
        responses={**_health(), **_only(problems(), 503)},
    )
    def ready() -> Any:
        """Answer 200 if the shelf can be searched and the service is not about to stop."""
        if parts.stopping.is_set():
            raise ProblemError("unavailable", "the service is about to stop", retry_after_s=5)
        _ = shelf.store.version  # raises if the shelf is gone
        return JsonAnswer({"status": "ok"})

    @router.get(
        "/metrics",
        summary="Measures for Prometheus",
        dependencies=[needs_read_by_key],
        response_class=Response,
        responses={
            200: {
                "content": {
                    "text/plain": {
                        "schema": {"type": "string"},
                        "example": "snapshelf_shelf_products 5000.0\n",
                    }
                }
            },
            **problems(),
        },
    )
    def metrics() -> Response:
        """Give latencies by stage, queue, cache, refusals and errors as Prometheus's text."""
        parts.measures.products.set(shelf.count().products)
        return Response(parts.measures.text(), media_type="text/plain; version=0.0.4")

    return router


def _health() -> dict[int | str, dict[str, Any]]:
    return {200: {"model": Health}, **_only(problems(), 500)}


def _only(
    described: dict[int | str, dict[str, Any]], status: int
) -> dict[int | str, dict[str, Any]]:
    return {status: described[status]}
