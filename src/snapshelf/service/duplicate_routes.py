"""Products that look the same: compared in the background, and kept until the shelf changes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from snapshelf.service.access import needs_write
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.job_work import JobWork
from snapshelf.service.json_answer import JsonAnswer, write_json
from snapshelf.service.listing_routes import listed_product
from snapshelf.service.openapi import problems
from snapshelf.service.parts import Parts
from snapshelf.service.problems import ProblemError
from snapshelf.service.request_record import request_id_of
from snapshelf.service.team_answers import DuplicatesAnswer, WorkAnswer
from snapshelf.service.team_job_routes import add_job_routes, begun
from snapshelf.shelf.as_json import group_json
from snapshelf.shelf.changing import picture_source
from snapshelf.shelf.duplicates import (
    LEAST,
    DuplicateGroup,
    check_pictures,
    find_duplicates,
)
from snapshelf.store.filters import Filter, parse_filter

__all__ = ["duplicate_routes"]

ADDRESS = "/duplicates"

COMPARING = 0.9
"""Share of the work that comparing is where pictures are looked at too."""


class DuplicatesQuery(BaseModel):
    """What is compared, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least: float = Field(LEAST, ge=-1, le=1, description="Similarity from which two look the same.")
    filter: Annotated[str, StringConstraints(min_length=1, max_length=4000)] | None = Field(
        None, description="Only products that pass it.", examples=["category=Apparel > Shoes"]
    )
    all_pictures: bool = Field(False, description="Compare all pictures, not each product's first.")
    variants: bool = Field(False, description="Compare products of one `item_group_id` too.")
    check: bool = Field(
        False, description="Look at the pictures: copies, or products that look alike?"
    )


def duplicate_routes(parts: Parts) -> APIRouter:
    """Make the routes.

    Args:
        parts: Of the service.
    """
    router = APIRouter(
        route_class=ApiRoute, prefix="/v1", tags=["catalogue"], dependencies=[needs_write]
    )
    jobs = parts.team.comparing
    under: dict[tuple[str, DuplicatesQuery], str] = {}

    @router.get(
        ADDRESS,
        summary="Find the products that look the same",
        responses={
            200: {"model": DuplicatesAnswer},
            202: {"model": WorkAnswer, "description": "It is being worked out; ask again."},
            **problems("busy"),
        },
    )
    async def look(request: Request, query: Annotated[DuplicatesQuery, Query()]) -> Any:
        """Give groups of products that look the same, as `snapshelf duplicates --json` does.

        Every product is compared with every other, so the answer is worked out in the background:
        202 leads to it, and once it is there asking the same again gives it, until the shelf
        changes.
        """
        where = None if query.filter is None else parse_filter(query.filter)
        asked = (await run_in_threadpool(_version, parts, where), query)
        job = jobs.find(under.get(asked, ""))
        if job is not None and job.status == "done":
            return JsonAnswer(job.result)
        if job is None or job.is_over:
            job = jobs.start(
                lambda own: _compare(parts, query, where, own),
                request_id=request_id_of(request.scope),
            )
            for each in [each for each, name in under.items() if jobs.find(name) is None]:
                del under[each]
            under[asked] = job.id
        return begun(job, ADDRESS)

    add_job_routes(router, jobs, ADDRESS, "a comparison")
    return router


def _version(parts: Parts, where: Filter | None) -> str:
    """Give the shelf's version, if not too much of it is to be compared."""
    store, most = parts.shelf.store, parts.settings.most_compared
    version, count = store.version, store.count(where).embeddings
    if count > most:
        raise ProblemError(
            "invalid",
            f"{count:,} pictures would be compared, at most {most:,} are; give a filter, or use "
            "`snapshelf duplicates`",
        )
    return version


def _compare(parts: Parts, asked: DuplicatesQuery, where: Filter | None, job: JobWork) -> bytes:
    """Compare; in the job's thread."""
    store = parts.shelf.store
    share = COMPARING if asked.check else 1.0
    groups = find_duplicates(
        store,
        least=asked.least,
        where=where,
        main=not asked.all_pictures,
        variants=asked.variants,
        on_progress=lambda done, total: job.tell(share * done / max(1, total)),
    )
    most = parts.settings.most_groups
    shown = groups[:most]
    if asked.check:
        assert parts.shelf.place is not None
        # Pictures elsewhere on the web stay unlooked at: one slow server would hold all up.
        source = picture_source(
            store.properties.get("root"), parts.shelf.place, limits=parts.settings.limits
        )
        shown = check_pictures(
            shown,
            source.read,
            on_problem=lambda _: None,
            on_progress=lambda done, total: job.tell(share + (1 - share) * done / max(1, total)),
        )
    return write_json(
        {
            "least": asked.least,
            "compared": store.count(where).products,
            "groups": [_group(group) for group in shown],
            "left_out": len(groups) - len(shown),
        }
    )


def _group(group: DuplicateGroup) -> dict[str, Any]:
    """A group as `group_json` writes it, its products with where their pictures are shown."""
    written = group_json(group)
    for one, shown in zip(group.duplicates, written["products"], strict=True):
        shown["product"] = listed_product(one.product, one.image)
    return written
