"""What is not valid in a request: where it stands, what is wrong, and what would be right.

The place is written the same everywhere: ``query``, ``path``, ``header`` or ``body``, then the
names and numbers that lead there, between dots: ``query.top``, ``body.boxes.0``. The fields of a
form and of JSON are both in the ``body``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from snapshelf.service.problems import ProblemError

__all__ = ["invalid", "listed", "refused"]

MOST_TOLD = 3
"""Errors that the text tells; more stand in the list."""

MOST_LISTED = 20
MOST_PLACE = 100

SUBJECT = re.compile(r"^(Input|String|List|Tuple|Dictionary|Value|Data|Set) should ")
BODY_TYPES = frozenset({"model_attributes_type", "model_type", "dict_type"})


def refused(where: str, what: str) -> ProblemError:
    """Make the problem of a single place.

    Args:
        where: The place.
        what: What is wrong with it, and what to do; it is read after the place.
    """
    return ProblemError("invalid", f"{where}: {what}", errors=[{"where": where, "what": what}])


def invalid(
    errors: Sequence[Mapping[str, Any]], *, at: str = "", known: Iterable[str] = ()
) -> ProblemError:
    """Tell what is not valid, without what was sent: it may be a picture.

    Args:
        errors: As pydantic gives them.
        at: Where what was read stands; "" if the errors begin with that.
        known: The names that there are, for one that there is not.
    """
    told = listed(errors, at=at, known=known)
    text = "; ".join(f"{each['where']}: {each['what']}" for each in told[:MOST_TOLD])
    return ProblemError("invalid", text, errors=told)


def listed(
    errors: Sequence[Mapping[str, Any]], *, at: str = "", known: Iterable[str] = ()
) -> list[dict[str, str]]:
    """List what is not valid, ``{"where", "what"}`` of each; the arguments are `invalid`'s."""
    return [_told(each, at, sorted(known)) for each in errors[:MOST_LISTED]]


def _told(error: Mapping[str, Any], at: str, known: Sequence[str]) -> dict[str, str]:
    place = [each for each in (at, *map(str, error["loc"])) if each]
    kind, said = error["type"], str(error["msg"])
    match kind:
        case "json_invalid":
            # What follows is a number of letters, which is no place in what was meant.
            place = place[:1]
            # FastAPI tells why beside its message, pydantic in it.
            why = str(error.get("ctx", {}).get("error", "")) or said.removeprefix("Invalid JSON: ")
            what = f"is no JSON: {why if why[1:2].isupper() else why[:1].lower() + why[1:]}"
        case "extra_forbidden":
            what = "is not known here"
            if known:
                what += f"; known are {', '.join(known)}"
        case "missing":
            what = "is missing"
        case _ if kind in BODY_TYPES:
            what = "should be a JSON object"
        case _:
            what = SUBJECT.sub("should ", said.removeprefix("Value error, "))
    return {"where": ".".join(place)[:MOST_PLACE], "what": what}
