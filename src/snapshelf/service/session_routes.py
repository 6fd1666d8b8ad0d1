"""Sessions: what the service's own pages have in place of an API key."""

import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from snapshelf.service.access import Access, address_of, refuse_other_pages
from snapshelf.service.answers import Answer
from snapshelf.service.api_route import ApiRoute
from snapshelf.service.json_answer import JsonAnswer
from snapshelf.service.openapi import problems
from snapshelf.service.problems import ProblemError
from snapshelf.service.sessions import COOKIE, Session

__all__ = ["SessionBody", "session_routes", "set_cookie"]


class SessionBody(BaseModel):
    """What a session is begun with."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"scope": "read"}]})

    key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="An API key; may be left out where anybody may have the page."
    )
    scope: Literal["read", "write"] = Field("read", description="What the session may do.")


class SessionAnswer(Answer):
    """What the request's cookie, or the one that is set, may do."""

    scope: Literal["read", "write"]
    seconds: int = Field(ge=0, description="How long it holds.")


def session_routes(access: Access) -> APIRouter:
    """Make the routes, which are for the service's own pages; programs send a key.

    Args:
        access: Begins and reads sessions.
    """
    router = APIRouter(route_class=ApiRoute, prefix="/v1", tags=["pages"])

    @router.post(
        "/session",
        summary="Begin a session of a page",
        responses={200: {"model": SessionAnswer}, **problems("wrong-type")},
    )
    def begin(request: Request, body: SessionBody) -> Any:
        """Set a cookie that may do what the key may, for pages of this service only.

        Scripts cannot read it, and requests that other pages make do not carry it. Other programs
        send the key itself.
        """
        refuse_other_pages(request)
        if access.page == "off":
            raise ProblemError("not-allowed", "this service has no pages; start it with --page")
        address = address_of(request)
        if body.key is not None:
            session, cookie = access.begin_with_key(address, body.key.strip(), body.scope)
        elif body.scope == "write":
            raise ProblemError("key-missing", "a session that may write takes a key that may")
        else:
            session, cookie = access.begin_open(address)
        answer = JsonAnswer(_told(session))
        set_cookie(answer, request, session, cookie)
        return answer

    @router.get(
        "/session",
        summary="Look at the session",
        responses={200: {"model": SessionAnswer}, **problems()},
    )
    def look(request: Request) -> Any:
        """Tell what the request's cookie may do, and for how long."""
        session = access.session(request.cookies.get(COOKIE))
        if session is None:
            raise ProblemError("key-missing", "there is no session, or it has ended; begin one")
        access.check_session(address_of(request), session, write=False)
        return JsonAnswer(_told(session))

    @router.delete("/session", summary="End the session", status_code=204, responses=problems())
    def end(request: Request) -> Response:
        """Take the cookie back."""
        refuse_other_pages(request)
        answer = Response(status_code=204)
        answer.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
        return answer

    return router


def set_cookie(answer: Response, request: Request, session: Session, cookie: str) -> None:
    """Give a session to a browser.

    Args:
        answer: Gets the header.
        request: Tells whether the browser came by https, so that the cookie only goes that way.
        session: The session.
        cookie: The cookie's value.
    """
    answer.set_cookie(
        COOKIE,
        cookie,
        max_age=max(1, session.ends - int(time.time())),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def _told(session: Session) -> dict[str, Any]:
    return {"scope": session.scope, "seconds": max(0, session.ends - int(time.time()))}
