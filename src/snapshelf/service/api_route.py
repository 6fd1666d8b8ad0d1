"""Routes of the API: an option in the address that nobody reads is refused."""

from collections.abc import Sequence
from typing import Any

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency
from fastapi.routing import APIRoute

from snapshelf.service.described import fields_of, operation_of, options_of
from snapshelf.service.problems import ProblemError
from snapshelf.service.validation import refused

__all__ = ["ApiRoute"]

BELOW = "/v1/"


class ApiRoute(APIRoute):
    """A route whose address holds the options that the document names, and no others.

    An option that is overlooked does harm: whoever writes ``?whole=false`` where a form's field is
    meant has products removed. Who may ask at all is settled before: the last dependency looks.
    """

    def __init__(
        self, path: str, *args: Any, dependencies: Sequence[Dependency] | None = None, **more: Any
    ) -> None:
        last = Depends(_refuse_unknown_options)
        super().__init__(path, *args, dependencies=[*(dependencies or ()), last], **more)


async def _refuse_unknown_options(request: Request) -> None:
    """Refuse options that are not known, or come twice.

    Raises:
        ProblemError: For the first such option.
    """
    given = request.query_params.multi_items()
    if not given or not (operation_of(request) or request.scope["path"].startswith(BELOW)):
        return  # addresses of files may be marked as their users like
    known = options_of(request)
    seen: set[str] = set()
    for name, _ in given:
        if name not in known:
            raise _unknown(request, name, sorted(known))
        if name in seen and not known[name]:
            raise refused(f"query.{name[:60]}", "is given twice; give it once")
        seen.add(name)


def _unknown(request: Request, name: str, known: Sequence[str]) -> ProblemError:
    match fields_of(request).get(name):
        case "form":
            told = f"is no option in the address but a field of the form: curl -F {name}=..."
        case "JSON":
            told = "is no option in the address but a field of the JSON body; put it there"
        case _ if known:
            told = f"is no option here; those in the address are {', '.join(known)}"
        case _:
            told = "is no option here; this address takes none: leave it out"
    return refused(f"query.{name[:60]}", told)
