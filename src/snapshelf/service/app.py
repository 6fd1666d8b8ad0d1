"""The service's application: its parts, its routes, and what stands before them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from snapshelf import __version__
from snapshelf.service.access import Access
from snapshelf.service.bounded_body import BoundedBody
from snapshelf.service.failures import Failures, answer_problems
from snapshelf.service.job_routes import job_routes
from snapshelf.service.measures import Measures
from snapshelf.service.openapi import describe
from snapshelf.service.parts import assemble
from snapshelf.service.product_routes import product_routes
from snapshelf.service.request_head import RequestHead
from snapshelf.service.request_record import RequestRecord
from snapshelf.service.search_routes import search_routes
from snapshelf.service.security_headers import SecurityHeaders
from snapshelf.service.settings import Settings
from snapshelf.service.shelf_routes import shelf_routes
from snapshelf.shelf.shelf import Shelf

__all__ = ["create_app"]

DESCRIPTION = (
    "Find the exact product in a shop's catalogue from a photo or a clip. Errors are "
    "`application/problem+json` and say what to do; every answer names its request in the header "
    "`X-Request-ID`."
)


def create_app(shelf: Shelf, settings: Settings = Settings()) -> FastAPI:  # noqa: B008
    """Make the application that serves a shelf.

    Routes of pages, of which there are none yet, are included beside those of the API and set
    headers of their own where `SecurityHeaders` is too strict for them.

    Args:
        shelf: Opened from its folder; stays the caller's, to be closed after the application has
            stopped.
        settings: Bounds.

    Returns:
        An ASGI application.

    Raises:
        KeysError: If the file of API keys cannot be read.
        ValueError: If the shelf has no folder.
    """
    measures = Measures()
    access = Access(settings)
    parts = assemble(shelf, settings, measures)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        await run_in_threadpool(parts.searching.warm_up)
        await run_in_threadpool(parts.clip_folder.prepare)
        stopping = asyncio.Event()

        async def end_clips() -> None:
            await stopping.wait()
            parts.stopping.set()
            await parts.clips.stop()

        ending = asyncio.create_task(end_clips())
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
    for routes in (search_routes, job_routes, product_routes, shelf_routes):
        app.include_router(routes(parts))
    answer_problems(app, measures)
    app.openapi = describe(app)  # type: ignore[method-assign]
    # The last added is the first to see a request.
    app.add_middleware(BoundedBody, settings=settings)
    app.add_middleware(RequestHead)
    app.add_middleware(Failures, measures=measures)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Last-Event-ID", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", "Location"],
            max_age=600,
        )
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestRecord, measures=measures)
    return app
