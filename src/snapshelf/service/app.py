"""The service's application: its parts, its routes, and what stands before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from snapshelf import __version__
from snapshelf.service.access import Access
from snapshelf.service.annotation_routes import annotation_routes
from snapshelf.service.bounded_body import BoundedBody
from snapshelf.service.clip_job_routes import clip_job_routes
from snapshelf.service.duplicate_routes import duplicate_routes
from snapshelf.service.embed_routes import embed_routes
from snapshelf.service.failures import Failures, answer_problems
from snapshelf.service.head_requests import HeadRequests
from snapshelf.service.index_routes import index_routes
from snapshelf.service.jobs_elsewhere import JobsElsewhere
from snapshelf.service.kept_pictures import KeptPictures
from snapshelf.service.listing_routes import listing_routes
from snapshelf.service.measures import Measures
from snapshelf.service.openapi import describe
from snapshelf.service.other_pages import OtherPages
from snapshelf.service.page_routes import page_routes
from snapshelf.service.parts import assemble
from snapshelf.service.picture_routes import picture_routes
from snapshelf.service.product_routes import product_routes
from snapshelf.service.request_head import RequestHead
from snapshelf.service.request_record import RequestRecord
from snapshelf.service.search_routes import search_routes
from snapshelf.service.security_headers import SecurityHeaders
from snapshelf.service.session_routes import session_routes
from snapshelf.service.settings import Settings
from snapshelf.service.shelf_routes import shelf_routes
from snapshelf.service.team_routes import team_routes
from snapshelf.shelf.shelf import Shelf

__all__ = ["create_app"]

TEAM_ROUTES = (duplicate_routes, annotation_routes, index_routes)

DESCRIPTION = (
    "Find the exact product in a shop's catalogue from a photo or a clip. Errors are "
    "`application/problem+json` and say what to do; every answer names its request in the header "
    "`X-Request-ID`."
)


def create_app(
    shelf: Shelf,
    settings: Settings = Settings(),  # noqa: B008
    *,
    jobs: ASGIApp | None = None,
) -> FastAPI:
    """Make the application that serves a shelf.

    The pages are included beside the API, with headers of their own where `SecurityHeaders` is too
    strict for them.

    Args:
        shelf: Opened from its folder; stays the caller's, to be closed after the application has
            stopped.
        settings: Bounds.
        jobs: Where several processes answer for one service, the application of the one that
            holds the jobs, for all others; None to hold them here.

    Returns:
        An ASGI application.

    Raises:
        KeysError: If the file of API keys cannot be read.
        ThemeError: If the theme cannot be read.
        ValueError: If the shelf has no folder.
    """
    measures = Measures()
    access = Access(settings)
    parts = assemble(shelf, settings, measures, jobs)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        # Requests are held to the document; the first shall not wait for its being written.
        await run_in_threadpool(app.openapi)
        await run_in_threadpool(parts.searching.warm_up)
        await run_in_threadpool(parts.clip_folder.prepare)
        await run_in_threadpool(parts.feed_folder.prepare)
        stopping = asyncio.Event()

        async def end_jobs() -> None:
            await stopping.wait()
            await parts.stop_jobs()

        ending = asyncio.create_task(end_jobs())
        try:
            # Set by the server as soon as it is about to stop, see `prompt_protocol`: whoever
            # follows a clip's job would keep it from stopping.
            yield {"stopping": stopping}
        finally:
            stopping.set()
            await ending
            await run_in_threadpool(parts.close)

    app = FastAPI(
        title="snapshelf",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        # Their pages load scripts from third-party hosts.
        docs_url=None,
        redoc_url=None,
        # A redirect would be put together from the header Host, which anybody may write.
        redirect_slashes=False,
        lifespan=lifespan,
    )
    app.state.access = access
    app.state.parts = parts
    for routes in (search_routes, clip_job_routes, listing_routes, product_routes, shelf_routes):
        app.include_router(routes(parts))
    for routes in TEAM_ROUTES:
        app.include_router(routes(parts))
    app.include_router(session_routes(access))
    app.include_router(embed_routes(access))
    if access.page != "off":
        pages, app.state.pages = page_routes(parts, access)
        app.include_router(pages)
        app.include_router(team_routes(parts, app.state.pages))
        app.include_router(picture_routes(parts, _kept_pictures(settings)))
    answer_problems(app, measures)
    app.openapi = describe(app)  # type: ignore[method-assign]
    # The last added is the first to see a request.
    app.add_middleware(HeadRequests)
    app.add_middleware(BoundedBody, settings=settings)
    app.add_middleware(RequestHead)
    app.add_middleware(Failures, measures=measures)
    if settings.allowed_origins or access.has_keys:
        app.add_middleware(
            OtherPages,
            access=access,
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestRecord, measures=measures)
    if jobs is not None:
        app.add_middleware(JobsElsewhere, jobs=jobs)
    return app


def _kept_pictures(settings: Settings) -> KeptPictures | None:
    if settings.links is None:
        return None
    return KeptPictures(
        settings.links, most_bytes=settings.link_bytes, seconds=settings.link_days * 86_400
    )
